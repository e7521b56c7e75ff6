import { once } from 'node:events';
import { Readable } from 'node:stream';
import { DevmeshError } from '@devmesh/contracts/errors';
import type pg from 'pg';
import type { ArtifactStore } from '../artifacts/artifact.store.js';
import { migrate, SCHEMAS } from '../database/migrate.js';
import { readBackup, verifyBackup } from './backup-file.js';
import { Line, tablesOf, withClient, type BackupCounts, type BackupPlace, type SealedFile } from './lines.js';

/** What a mesh writes by itself before its first run: it stays, beside what the backup holds. */
const KEPT_TABLES: ReadonlySet<string> = new Set(['projects', 'api_keys', 'workflows']);

/** More turns than a run takes between a backup and a loss. */
const EPOCHS_APART = 1_000_000;

/** Refuses a schema of another version, and an older one where the database has a later one already. */
async function refuseOtherSchema(url: string, schema: readonly string[]): Promise<void> {
  const known = schema.length > 0 && schema.every((name, at) => name === SCHEMAS[at]);
  if (!known)
    throw new DevmeshError(
      'conflict',
      `the backup is of schema ${schema.at(-1) ?? 'none'}, this version of Devmesh restores up to ${SCHEMAS.at(-1) ?? 'none'}: restore with the version that wrote it`,
    );
  if (schema.length === SCHEMAS.length) return;
  const { rows } = await withClient(url, (client) =>
    client.query<{ there: boolean }>(`SELECT to_regclass('migrations') IS NOT NULL AS there`),
  );
  if (rows[0]?.there === true)
    throw new DevmeshError(
      'conflict',
      `the backup is of schema ${schema.at(-1)}, which is older than the one that the database has already: restore into a database without tables, then start the mesh on it`,
    );
}

/**
 * Restores into a database without runs: all rows in one transaction, artifacts by digest before it commits, and taken away
 * again when it does not. The file is checked as a whole first. Of what the database held, API keys, projects and workflow
 * definitions stay. Unfinished runs get epochs that no agent has seen, so one that outlived the loss does not refuse them. The queue
 * is not part of a backup: orchestrators find due runs in the rows.
 */
export async function restore(place: BackupPlace, file: SealedFile): Promise<BackupCounts & { readonly at: Date }> {
  const { url, store } = place;
  const { path, key } = file;
  await verifyBackup(path, key);
  const lines = (async function* () {
    for await (const text of readBackup(path, key)) yield Line.parse(JSON.parse(text));
  })();
  const first = await lines.next();
  if (first.done === true || !('schema' in first.value))
    throw new DevmeshError('invalid_request', `${path} does not start with a schema`);
  const { schema } = first.value;
  await refuseOtherSchema(url, schema);
  const at = new Date(first.value.at);
  // Not even the schema of a database that holds something is touched.
  await withClient(url, (client) => refuseUsed(client, url));
  await migrate(url, schema.at(-1));
  const artifacts = new RestoredArtifacts(store);
  const counts = await withClient(url, async (client) => {
    await client.query('BEGIN');
    try {
      await emptyTables(client, url);
      let rows = 0;
      let ended: BackupCounts | null = null;
      for await (const line of lines) {
        if ('table' in line) rows += await insert(client, line.table, line.rows);
        else if ('end' in line) ended = line.end;
        else if ('artifact' in line) await artifacts.part(line.artifact, Buffer.from(line.part, 'base64'));
        else if ('stored' in line) await artifacts.end(line.stored);
        else throw new DevmeshError('invalid_request', `${path} names two schemas`);
      }
      if (ended?.rows !== rows || ended.artifacts !== artifacts.count)
        throw new DevmeshError('invalid_request', `${path} does not hold as much as it says at its end`);
      await bringBackKept(client);
      await client.query(
        `UPDATE run_heads SET epoch = epoch + ${EPOCHS_APART} WHERE status <> 'ended' AND wake_at IS NOT NULL`,
      );
      await client.query('COMMIT');
      return { rows, artifacts: artifacts.count };
    } catch (error) {
      // While the tables are locked: nobody else has put these on record.
      await artifacts.takeAway();
      throw error;
    }
  });
  // A backup of an older version comes to this one as its database would.
  await migrate(url);
  return { ...counts, at };
}

/** Writes artifacts into the store as their parts come, and knows which of them were not there before. */
class RestoredArtifacts {
  count = 0;
  readonly #fresh: string[] = [];
  #open: { readonly source: Readable; readonly written: Promise<unknown> } | null = null;

  constructor(private readonly store: ArtifactStore) {}

  async part(digest: string, bytes: Buffer): Promise<void> {
    const { source, written } = await this.#artifact(digest);
    if (!source.push(bytes)) await Promise.race([once(source, 'wanted'), written]);
  }

  async end(digest: string): Promise<void> {
    const { source, written } = await this.#artifact(digest);
    source.push(null);
    await written;
    this.#open = null;
    this.count++;
  }

  async takeAway(): Promise<void> {
    this.#open?.source.destroy(new Error('the restore failed'));
    await this.#open?.written.catch(() => undefined);
    for (const digest of this.#fresh) await this.store.remove(digest);
  }

  async #artifact(digest: string): Promise<{ readonly source: Readable; readonly written: Promise<unknown> }> {
    if (this.#open !== null) return this.#open;
    if ((await this.store.size(digest)) === null) this.#fresh.push(digest);
    const source = new Readable({
      read() {
        this.emit('wanted');
      },
    });
    const written = this.store.write(digest, source);
    written.catch(() => undefined);
    this.#open = { source, written };
    return this.#open;
  }
}

const keptName = (table: string): string => `restore_kept_${table}`;

async function emptyTables(client: pg.Client, url: string): Promise<void> {
  const tables = await tablesOf(client);
  const names = tables.map((table) => client.escapeIdentifier(table));
  await client.query(`LOCK TABLE ${names.join(', ')} IN ACCESS EXCLUSIVE MODE`);
  await refuseUsed(client, url);
  for (const table of KEPT_TABLES)
    await client.query(`CREATE TEMPORARY TABLE ${keptName(table)} ON COMMIT DROP AS TABLE ${table}`);
  await client.query(`TRUNCATE ${names.join(', ')}`);
}

/** What the mesh had written by itself, where the backup has nothing of that name. */
async function bringBackKept(client: pg.Client): Promise<void> {
  for (const table of KEPT_TABLES)
    await client.query(`INSERT INTO ${table} TABLE ${keptName(table)} ON CONFLICT DO NOTHING`);
}

async function refuseUsed(client: pg.Client, url: string): Promise<void> {
  for (const table of await tablesOf(client)) {
    if (KEPT_TABLES.has(table)) continue;
    const { rows } = await client.query(`SELECT 1 FROM ${client.escapeIdentifier(table)} LIMIT 1`);
    if (rows.length === 0) continue;
    throw new DevmeshError(
      'conflict',
      `the database ${new URL(url).pathname.slice(1)} already holds ${table}, and nothing is overwritten: restore into an empty one`,
    );
  }
}

async function insert(client: pg.Client, table: string, rows: readonly string[]): Promise<number> {
  const name = client.escapeIdentifier(table);
  const { rowCount } = await client.query(
    `INSERT INTO ${name} OVERRIDING SYSTEM VALUE
     SELECT (one.r).* FROM (SELECT x::${name} AS r FROM unnest($1::text[]) AS x OFFSET 0) AS one`,
    [rows],
  );
  const identity = await client.query<{ column: string }>(
    `SELECT attname AS column FROM pg_attribute WHERE attrelid = $1::regclass AND attidentity <> ''`,
    [name],
  );
  for (const { column } of identity.rows)
    await client.query(
      `SELECT setval(pg_get_serial_sequence($1, $2), (SELECT max(${client.escapeIdentifier(column)}) FROM ${name}))`,
      [name, column],
    );
  return rowCount ?? 0;
}
