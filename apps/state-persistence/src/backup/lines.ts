import { DevmeshError } from '@devmesh/contracts/errors';
import pg from 'pg';
import { z } from 'zod';
import type { ArtifactStore } from '../artifacts/artifact.store.js';

/** The lines of a backup, in this order: schema, rows of each table, each artifact in parts and its end, the end. */
export const Line = z.union([
  z.object({ schema: z.array(z.string()), at: z.iso.datetime() }),
  z.object({ table: z.string(), rows: z.array(z.string()) }),
  z.object({ artifact: z.string(), part: z.base64() }),
  z.object({ stored: z.string() }),
  z.object({ end: z.object({ rows: z.number(), artifacts: z.number() }) }),
]);
export type Line = z.output<typeof Line>;

/** A database and the artifact store beside it. */
export interface BackupPlace {
  readonly url: string;
  readonly store: ArtifactStore;
}

/** A backup file and its key. */
export interface SealedFile {
  readonly path: string;
  readonly key: Buffer;
}

export interface BackupCounts {
  readonly rows: number;
  readonly artifacts: number;
}

export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: 'devmesh backup' });
  // A connection that breaks is reported by the next query.
  client.on('error', () => undefined);
  await client.connect().catch((error: unknown) => {
    const { host, pathname } = new URL(url);
    throw new DevmeshError(
      'unavailable',
      `PostgreSQL at ${host}${pathname} does not answer (${error instanceof Error ? error.message || String((error as NodeJS.ErrnoException).code) : String(error)}): start it, or name another in DATABASE_URL`,
      { cause: error },
    );
  });
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Tables of the state's own schema, those that others refer to first. The queue's tables are in another schema. */
export async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c
      WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> 'migrations'
      ORDER BY (SELECT count(*) FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f'), c.relname`,
  );
  return rows.map((row) => row.name);
}
