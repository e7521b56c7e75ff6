import { DevmeshError } from '@devmesh/contracts/errors';
import type pg from 'pg';
import type { ArtifactStore } from '../artifacts/artifact.store.js';
import { writeBackup } from './backup-file.js';
import { tablesOf, withClient, type BackupCounts, type BackupPlace, type Line, type SealedFile } from './lines.js';

const ROWS_A_LINE = 500;

/** One backup at a time; no other lock of the database has this number. */
const BACKUP_LOCK = 7_263_002;

export interface DumpCounts extends BackupCounts {
  /** Artifacts on record whose file was not there before either: what a crash between row and file leaves. */
  readonly missing: number;
}

type Counting = { -readonly [Name in keyof DumpCounts]: DumpCounts[Name] };

const line = (value: Line): string => `${JSON.stringify(value)}\n`;

/** Everything in one snapshot: rows as PostgreSQL writes them, then each artifact that a row of the snapshot names. */
async function* linesOf(
  { client, live, store }: { readonly client: pg.Client; readonly live: pg.Client; readonly store: ArtifactStore },
  now: Date,
  counts: Counting,
): AsyncGenerator<string> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const schema = await client.query<{ name: string }>('SELECT name FROM migrations ORDER BY timestamp');
  yield line({ schema: schema.rows.map((row) => row.name), at: now.toISOString() });
  for (const table of await tablesOf(client)) {
    const name = client.escapeIdentifier(table);
    await client.query(`DECLARE rows_of NO SCROLL CURSOR FOR SELECT t::text AS row FROM ${name} t`);
    for (;;) {
      const { rows } = await client.query<{ row: string }>(`FETCH ${ROWS_A_LINE} FROM rows_of`);
      if (rows.length === 0) break;
      counts.rows += rows.length;
      yield line({ table, rows: rows.map((one) => one.row) });
    }
    await client.query('CLOSE rows_of');
  }
  const { rows } = await client.query<{ digest: string }>('SELECT digest FROM artifacts ORDER BY digest');
  yield* artifactsOf(
    rows.map(({ digest }) => digest),
    live,
    store,
    counts,
  );
  yield line({ end: { rows: counts.rows, artifacts: counts.artifacts } });
  await client.query('COMMIT');
}

/** `live` sees what is on record now, outside of the snapshot. */
async function* artifactsOf(
  digests: readonly string[],
  live: pg.Client,
  store: ArtifactStore,
  counts: Counting,
): AsyncGenerator<string> {
  for (const digest of digests) {
    if ((await store.size(digest)) === null) {
      const { rowCount } = await live.query('SELECT 1 FROM artifacts WHERE digest = $1', [digest]);
      if (rowCount === 0)
        throw new DevmeshError('conflict', `artifact ${digest} was collected while the backup ran: try again`, {
          retryable: true,
        });
      counts.missing++;
      continue;
    }
    for await (const part of store.read(digest) as AsyncIterable<Buffer>)
      yield line({ artifact: digest, part: part.toString('base64') });
    counts.artifacts++;
    yield line({ stored: digest });
  }
}

/** Writes a backup of a mesh that may be running. */
export function dump({ url, store }: BackupPlace, { path, key }: SealedFile, now: Date): Promise<DumpCounts> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_lock($1) AS free', [BACKUP_LOCK]);
    if (rows[0]?.free !== true)
      throw new DevmeshError('conflict', 'another backup of this database is under way: wait for its end');
    const counts = { rows: 0, artifacts: 0, missing: 0 };
    await withClient(url, (live) => writeBackup(path, key, linesOf({ client, live, store }, now, counts)));
    return counts;
  });
}
