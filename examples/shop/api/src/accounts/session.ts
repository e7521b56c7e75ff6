import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import { redis } from '../cache.js';
import { config } from '../config.js';

const SESSION_MS = config.sessionDays * 24 * 3600 * 1000;

export async function openSession(response: Response, accountId: string): Promise<void> {
  const id = randomUUID();
  await redis.set(`session:${id}`, accountId, 'PX', SESSION_MS);
  response.cookie('sid', id, { maxAge: SESSION_MS, sameSite: 'lax' });
}

export async function renewSession(response: Response, id: string): Promise<void> {
  await redis.pexpire(`session:${id}`, SESSION_MS);
  response.cookie('sid', id, { maxAge: SESSION_MS, sameSite: 'lax', httpOnly: true, secure: true });
}

export async function accountOf(id: string | undefined): Promise<string | null> {
  return id === undefined ? null : redis.get(`session:${id}`);
}

export async function closeSession(response: Response, id: string): Promise<void> {
  await redis.del(`session:${id}`);
  response.clearCookie('sid');
}
