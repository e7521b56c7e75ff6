import pg from 'pg';
import { DevmeshError } from '@devmesh/contracts/errors';
import { ADMIN_ROLE } from './cluster.js';

export const DATABASE = 'devmesh';
export const OWNER_ROLE = 'devmesh';
export const QUEUE_ROLE = 'devmesh_queue';
export const QUEUE_SCHEMA = 'queue';
export const OLDEST_POSTGRES = 14;

export interface DatabaseUrls {
  /** For state-persistence: owns everything but the queue. */
  readonly databaseUrl: string;
  /** For the orchestrator: sees schema `queue` alone. */
  readonly queueUrl: string;
}

export interface RolePasswords {
  readonly databaseAdminPassword: string;
  readonly databasePassword: string;
  readonly queuePassword: string;
}

export function connectionUrl(role: string, password: string, host: string, port: number, database: string): string {
  return `postgresql://${role}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}

/** The addresses of the embedded cluster: known before it is up. */
export function plannedUrls(port: number, passwords: RolePasswords): DatabaseUrls {
  return {
    databaseUrl: connectionUrl(OWNER_ROLE, passwords.databasePassword, '127.0.0.1', port, DATABASE),
    queueUrl: connectionUrl(QUEUE_ROLE, passwords.queuePassword, '127.0.0.1', port, DATABASE),
  };
}

type Query = (text: string) => Promise<pg.QueryResult<Record<string, unknown>>>;

async function withConnection<T>(config: pg.ClientConfig, use: (query: Query) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionTimeoutMillis: 10_000, application_name: 'devmesh supervisor', ...config });
  // A connection that breaks while idle is reported by the next query.
  client.on('error', () => {});
  await client.connect();
  try {
    return await use((text) => client.query(text));
  } finally {
    await client.end().catch(() => {});
  }
}

async function assureRole(query: Query, role: string, password: string): Promise<void> {
  const { rowCount } = await query(`select 1 from pg_roles where rolname = ${pg.escapeLiteral(role)}`);
  // Passwords of statements that fail would be in the server's log: none of these can fail once the role's absence is known.
  if (rowCount === 0)
    await query(`create role ${pg.escapeIdentifier(role)} login password ${pg.escapeLiteral(password)}`);
}

/**
 * In a database, as its owner or a superuser: the queue's schema for its role, and nothing else. BullMQ says `create schema if
 * not exists`, for which PostgreSQL wants the right to create schemas even when the schema is there.
 */
async function assureQueueSchema(query: Query, database: string): Promise<void> {
  const role = pg.escapeIdentifier(QUEUE_ROLE);
  const schema = pg.escapeIdentifier(QUEUE_SCHEMA);
  const name = pg.escapeIdentifier(database);
  await query(`create schema if not exists ${schema} authorization ${role}`);
  await query(`revoke all on database ${name} from public`);
  await query(`grant connect, create, temporary on database ${name} to ${role}`);
  await query(`revoke all on schema public from public`);
  await query(`alter role ${role} in database ${name} set search_path = ${schema}`);
}

/** Makes roles, database and queue schema of the embedded cluster where they are missing. Idempotent. */
export async function assureRoles(port: number, passwords: RolePasswords): Promise<void> {
  const host = '127.0.0.1';
  const admin = { host, port, user: ADMIN_ROLE, password: passwords.databaseAdminPassword };
  await withConnection({ ...admin, database: 'postgres' }, async (query) => {
    await assureRole(query, OWNER_ROLE, passwords.databasePassword);
    await assureRole(query, QUEUE_ROLE, passwords.queuePassword);
    const { rowCount } = await query(`select 1 from pg_database where datname = ${pg.escapeLiteral(DATABASE)}`);
    if (rowCount === 0)
      await query(`create database ${pg.escapeIdentifier(DATABASE)} owner ${pg.escapeIdentifier(OWNER_ROLE)}`);
    else {
      const ready = await query(
        `select has_database_privilege(${pg.escapeLiteral(QUEUE_ROLE)}, ${pg.escapeLiteral(DATABASE)}, 'create') as ready`,
      );
      if (ready.rows[0]?.['ready'] === true) return;
    }
    await withConnection({ ...admin, database: DATABASE }, async (inside) => {
      await inside(`grant all on schema public to ${pg.escapeIdentifier(OWNER_ROLE)}`);
      await assureQueueSchema(inside, DATABASE);
    });
  });
}

/** Host, port and database of an address, without user and password. */
export function addressOf(url: string): string {
  try {
    const { hostname, port, pathname } = new URL(url);
    return `${hostname}:${port === '' ? 5432 : port}${pathname}`;
  } catch {
    return 'unknown address';
  }
}

/**
 * Checks the PostgreSQL of `DATABASE_URL` (14 or newer) and makes the queue's role and schema in it, unless
 * `DEVMESH_QUEUE_DATABASE_URL` names one that its keeper made.
 */
export async function useExternalDatabase(
  databaseUrl: string,
  queueUrl: string | undefined,
  queuePassword: string,
): Promise<DatabaseUrls> {
  const address = addressOf(databaseUrl);
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) {
    throw new DevmeshError(
      'invalid_request',
      'DATABASE_URL is not an address of PostgreSQL: write it as postgresql://user:password@host:5432/database',
    );
  }
  let prepared: DatabaseUrls;
  try {
    prepared = await withConnection({ connectionString: databaseUrl }, async (query) => {
      const facts = (
        await query(`select current_setting('server_version_num')::int / 10000 as major, current_database() as name`)
      ).rows[0];
      const major = Number(facts?.['major']);
      if (!(major >= OLDEST_POSTGRES)) {
        throw new DevmeshError(
          'invalid_request',
          `PostgreSQL ${major} at ${address} (DATABASE_URL) is too old: Devmesh needs ${OLDEST_POSTGRES} or newer`,
        );
      }
      if (queueUrl !== undefined && queueUrl !== '') return { databaseUrl, queueUrl };
      try {
        await assureRole(query, QUEUE_ROLE, queuePassword);
        await query(`alter role ${QUEUE_ROLE} password ${pg.escapeLiteral(queuePassword)}`);
        await query(`grant ${QUEUE_ROLE} to current_user`);
        await assureQueueSchema(query, String(facts?.['name']));
      } catch (error) {
        throw new DevmeshError(
          'forbidden',
          `the user of DATABASE_URL at ${address} may not make the queue's role (${error instanceof Error ? error.message : String(error)}): grant it CREATEROLE, or make role ${QUEUE_ROLE} owning schema ${QUEUE_SCHEMA} yourself and set DEVMESH_QUEUE_DATABASE_URL`,
          { cause: error },
        );
      }
      const queue = new URL(databaseUrl);
      queue.username = QUEUE_ROLE;
      queue.password = encodeURIComponent(queuePassword);
      return { databaseUrl, queueUrl: queue.href };
    });
  } catch (error) {
    if (error instanceof DevmeshError) throw error;
    throw new DevmeshError(
      'unavailable',
      `PostgreSQL at ${address} (DATABASE_URL) can't be used: ${error instanceof Error ? error.message || (error as NodeJS.ErrnoException).code : String(error)}; check the address, the user and its password, or unset DATABASE_URL to use the embedded one`,
      { cause: error },
    );
  }
  return prepared;
}
