import { pool } from '../db.js';

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly passwordHash: string;
}

export async function findByEmail(email: string): Promise<Account | undefined> {
  const { rows } = await pool.query(
    'SELECT id, email, password_hash AS "passwordHash" FROM accounts WHERE email = lower($1)',
    [email],
  );
  return rows[0];
}

export async function createAccount(email: string, passwordHash: string): Promise<string> {
  const { rows } = await pool.query('INSERT INTO accounts (email, password_hash) VALUES (lower($1), $2) RETURNING id', [
    email,
    passwordHash,
  ]);
  return rows[0].id;
}

export async function replacePassword(id: string, passwordHash: string): Promise<void> {
  await pool.query('UPDATE accounts SET password_hash = $2 WHERE id = $1', [id, passwordHash]);
}
