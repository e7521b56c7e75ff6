import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { migrate, SCHEMAS } from '../database/migrate.js';
import { ARTIFACT, createBackupFixture, DIGEST, type BackupFixture } from '../testing/backup.fixture.js';
import { WORKFLOW_DIGEST } from '../testing/state.fixture.js';
import { readBackup, writeBackup } from './backup-file.js';
import { dump } from './dump.js';
import type { BackupPlace, SealedFile } from './lines.js';
import { restore } from './restore.js';

const NOW = new Date('2026-01-02T03:04:05.000Z');
const key = Buffer.alloc(32, 7);
let fixture: BackupFixture;
let file: SealedFile;

/** Everything but epochs of what has not ended. */
const SEEN = `SELECT (SELECT array_agg(r::text ORDER BY id) FROM runs r) AS runs,
  (SELECT array_agg(e::text ORDER BY run_id, seq) FROM run_events e) AS events,
  (SELECT array_agg(h::text ORDER BY run_id) FROM run_heads h WHERE status = 'ended') AS heads,
  (SELECT array_agg(a::text) FROM artifacts a) AS artifacts,
  (SELECT array_agg(w::text) FROM workflows w) AS workflows`;
const MIGRATED = `SELECT to_regclass('runs') AS runs`;
const NEVER = [{ runs: null }];

beforeAll(async () => {
  fixture = await createBackupFixture(inject('postgresUrl'));
  file = { path: join(fixture.folder, 'mesh.backup'), key };
  await dump(fixture.source, file, NOW);
});
afterAll(() => fixture.close());

/** The lines of the good backup, changed, sealed anew. */
async function resealed(name: string, change: (line: string) => string[]): Promise<SealedFile> {
  const path = join(fixture.folder, `${name}.backup`);
  await writeBackup(
    path,
    key,
    (async function* () {
      for await (const line of readBackup(file.path, key)) for (const one of change(line)) yield `${one}\n`;
    })(),
  );
  return { path, key };
}

describe('a restore', () => {
  test('gives a fresh database and store the same rows and bytes', async () => {
    const fresh = await fixture.empty('fresh');
    expect(await restore(fresh, file)).toMatchObject({ artifacts: 1, at: NOW });
    expect(await fixture.query(fresh.url, SEEN)).toEqual(await fixture.query(fixture.source.url, SEEN));
    expect(Buffer.concat((await fresh.store.read(DIGEST).toArray()) as Buffer[]).equals(ARTIFACT)).toBe(true);
  });

  test('lets a run under way go on in an epoch that no agent has seen', async () => {
    const fresh = await fixture.empty('epochs');
    await restore(fresh, file);
    const epochs = `SELECT epoch FROM run_heads WHERE status <> 'ended'`;
    const [before] = await fixture.query(fixture.source.url, epochs);
    expect(await fixture.query(fresh.url, epochs)).toEqual([{ epoch: Number(before?.['epoch']) + 1_000_000 }]);
  });

  test('keeps the keys and workflows of the mesh that it comes into', async () => {
    const mesh = await fixture.empty('mesh');
    await migrate(mesh.url);
    const hash = 'b'.repeat(64);
    await fixture.query(mesh.url, `INSERT INTO api_keys VALUES (gen_random_uuid(), 'default', 'local', $1, now())`, [
      hash,
    ]);
    await fixture.query(mesh.url, `INSERT INTO workflows VALUES ($1, 'own', '{}', now())`, ['c'.repeat(64)]);
    await restore(mesh, file);
    expect(await fixture.query(mesh.url, 'SELECT hash FROM api_keys')).toEqual([{ hash }]);
    const digests = await fixture.query(mesh.url, 'SELECT digest FROM workflows ORDER BY digest');
    expect(digests.map((row) => row['digest'])).toEqual([WORKFLOW_DIGEST, 'c'.repeat(64)].toSorted());
  });

  test('brings a backup of an older version to this one, in a database without tables', async () => {
    const old = await fixture.empty('old');
    await migrate(old.url, SCHEMAS[0]);
    const path = join(fixture.folder, 'old.backup');
    await dump(old, { path, key }, NOW);
    const fresh = await fixture.empty('from-old');
    await restore(fresh, { path, key });
    const names = await fixture.query(fresh.url, 'SELECT name FROM migrations ORDER BY timestamp');
    expect(names.map((row) => row['name'])).toEqual(SCHEMAS);
    const migrated = await fixture.empty('migrated');
    await migrate(migrated.url);
    await expect(restore(migrated, { path, key })).rejects.toThrow('a database without tables');
  });
});

describe('a database that holds something', () => {
  test('is not overwritten', async () => {
    const before = await fixture.query(fixture.source.url, SEEN);
    await expect(restore(fixture.source, file)).rejects.toThrow('nothing is overwritten');
    expect(await fixture.query(fixture.source.url, SEEN)).toEqual(before);
  });

  test('keeps even its older schema', async () => {
    const old = await fixture.empty('older');
    await fixture.query(old.url, 'CREATE TABLE runs (id text)');
    await fixture.query(old.url, `INSERT INTO runs VALUES ('one')`);
    await expect(restore(old, file)).rejects.toThrow('nothing is overwritten');
    expect(await fixture.query(old.url, `SELECT to_regclass('migrations') AS runs`)).toEqual(NEVER);
  });
});

describe('refused with nothing written', () => {
  const untouched = async (place: BackupPlace): Promise<void> => {
    expect(await fixture.query(place.url, MIGRATED)).toEqual(NEVER);
    expect(await place.store.size(DIGEST)).toBeNull();
  };

  test.for([
    ['truncated', (bytes: Buffer) => bytes.subarray(0, -100), 'truncated or altered'],
    ['altered', (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 60 ? byte ^ 1 : byte))), 'altered'],
    ['of another nonce', (bytes: Buffer) => Buffer.from(bytes.map((b, i) => (i === 20 ? b ^ 1 : b))), 'altered'],
    ['empty', () => Buffer.alloc(0), 'no backup'],
  ] as const)('a file that is %s', async ([name, spoil, said]) => {
    const path = join(fixture.folder, `${name}.backup`);
    await writeFile(path, spoil(await readFile(file.path)));
    const fresh = await fixture.empty(name);
    await expect(restore(fresh, { path, key })).rejects.toThrow(said);
    await untouched(fresh);
  });

  test('another key', async () => {
    const fresh = await fixture.empty('key');
    await expect(restore(fresh, { ...file, key: Buffer.alloc(32, 8) })).rejects.toThrow('written with another key');
    await untouched(fresh);
  });

  test('a backup of a newer version', async () => {
    const newer = await fixture.empty('newer');
    await migrate(newer.url);
    await fixture.query(
      newer.url,
      `INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'Later9999999999999')`,
    );
    const path = join(fixture.folder, 'newer.backup');
    await dump(newer, { path, key }, NOW);
    const fresh = await fixture.empty('too-old');
    await expect(restore(fresh, { path, key })).rejects.toThrow('Later9999999999999');
    await untouched(fresh);
  });
});

test('a restore that fails at its end leaves no row and none of its artifacts, and those that were there', async () => {
  const lying = await resealed('lying', (line) => [line.replace(/"end":\{"rows":\d+/, '"end":{"rows":99999')]);
  const [fresh, had] = [await fixture.empty('lied-to'), await fixture.empty('had-it')];
  await had.store.write(DIGEST, fixture.source.store.read(DIGEST));
  for (const place of [fresh, had]) {
    await expect(restore(place, lying)).rejects.toThrow('does not hold as much as it says');
    expect(await fixture.query(place.url, 'SELECT id FROM runs')).toEqual([]);
  }
  expect(await fresh.store.size(DIGEST)).toBeNull();
  expect(await had.store.size(DIGEST)).toBe(ARTIFACT.length);
});

test('an artifact that stops short leaves nothing of it', async () => {
  const cut = await resealed('cut', (line) => (line.includes('"stored"') ? [] : [line]));
  const fresh = await fixture.empty('cut');
  await expect(restore(fresh, cut)).rejects.toThrow('does not hold as much');
  expect(await fresh.store.size(DIGEST)).toBeNull();
});
