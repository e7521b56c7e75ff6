import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createDatabase } from '@devmesh/testing/postgres';
import pg from 'pg';
import { ArtifactStore } from '../artifacts/artifact.store.js';
import type { BackupPlace } from '../backup/lines.js';
import { createStateFixture, createOp, type StateFixture } from './state.fixture.js';
import { endedRun, naming } from './retention.fixture.js';

export const ARTIFACT = Buffer.alloc(300_000, 'an artifact');
export const DIGEST = createHash('sha256').update(ARTIFACT).digest('hex');

export interface BackupFixture {
  readonly folder: string;
  /** A mesh with a run that ended, one in its owner's hands, and an artifact. */
  readonly source: BackupPlace;
  readonly state: StateFixture;
  /** A database without tables, and an empty store. */
  empty(name: string): Promise<BackupPlace>;
  query(url: string, sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** Places to back up and to restore into. */
export async function createBackupFixture(serverUrl: string): Promise<BackupFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'backup-'));
  const state = await createStateFixture(serverUrl);
  const databases: { drop(): Promise<void> }[] = [];
  const storeAt = async (name: string): Promise<ArtifactStore> => {
    const store = new ArtifactStore({ folder: join(folder, name, 'artifacts'), maxBytes: 1_000_000 });
    await store.prepare(Date.now());
    return store;
  };
  const source = { url: state.database.url, store: await storeAt('source') };
  await source.store.write(DIGEST, Readable.from([ARTIFACT]));
  await state.db.write({
    name: 'artifact',
    text: 'insert into artifacts (digest, size, created_at) values ($1, $2, now())',
    values: [DIGEST, ARTIFACT.length],
  });
  await endedRun(state, {}, naming(DIGEST));
  const { runId } = await state.one(createOp(), 'created');
  await state.one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
  return {
    folder,
    source,
    state,
    async empty(name) {
      const database = await createDatabase(serverUrl);
      databases.push(database);
      return { url: database.url, store: await storeAt(name) };
    },
    async query(url, sql, values = []) {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(sql, values)).rows;
      } finally {
        await client.end();
      }
    },
    async close() {
      await Promise.all(databases.map((database) => database.drop()));
      await state.close();
      await rm(folder, { recursive: true });
    },
  };
}
