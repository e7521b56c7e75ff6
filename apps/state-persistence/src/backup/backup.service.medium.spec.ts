import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createBackupFixture, DIGEST, type BackupFixture } from '../testing/backup.fixture.js';
import { BackupService, listBackups, type BackupOptions } from './backup.service.js';
import type { BackupTarget } from './backup-target.js';
import { dump } from './dump.js';
import { FolderTarget } from './folder-target.js';
import { backupFolder, readLastBackup } from './last-backup.js';

const HOUR = 3600_000;
const key = Buffer.alloc(32, 7);
let fixture: BackupFixture;
beforeAll(async () => {
  fixture = await createBackupFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());

async function mesh(over: Partial<BackupOptions> = {}) {
  const home = await mkdtemp(join(fixture.folder, 'home-'));
  const clock = { now: Date.UTC(2026, 0, 2, 2) };
  const target = new FolderTarget(join(home, 'target'));
  const copyTarget = new FolderTarget(join(home, 'copy'));
  const options: BackupOptions = {
    place: fixture.source,
    home,
    key,
    target,
    copyTarget,
    now: () => new Date(clock.now),
    drillUrl: fixture.source.url,
    ...over,
  };
  return { service: new BackupService(options), options, home, clock };
}

describe('a backup', () => {
  test('lies in each target with its checksum, is on record, and leaves nothing else behind', async () => {
    const { service, home, options } = await mesh();
    const report = await service.make();
    const name = 'devmesh-2026-01-02T02-00-00Z.backup';
    expect(report).toMatchObject({ name, artifacts: 1, targets: [join(home, 'target'), join(home, 'copy')] });
    for (const folder of report.targets) {
      expect((await readdir(folder)).toSorted()).toEqual([name, `${name}.sha256`]);
      const sum = createHash('sha256')
        .update(await readFile(join(folder, name)))
        .digest('hex');
      expect(await readFile(join(folder, `${name}.sha256`), 'utf8')).toBe(`${sum}  ${name}\n`);
    }
    expect(await readLastBackup(home)).toEqual({ name, at: '2026-01-02T02:00:00.000Z', targets: report.targets });
    expect(await readdir(backupFolder(home))).toEqual([]);
    expect((await listBackups(options.target)).backups).toEqual([{ name, at: '2026-01-02T02:00:00.000Z' }]);
  });

  test('of the nights before only what a day, week or month keeps is left, in each target', async () => {
    const { service, clock, home } = await mesh();
    for (let night = 0; night < 9; night++, clock.now += 24 * HOUR) await service.make();
    // Nights from 2 to 10 January: seven days, and the Sunday before them.
    const kept = ['10', '09', '08', '07', '06', '05', '04'].map((day) => `devmesh-2026-01-${day}T02-00-00Z.backup`);
    for (const folder of ['target', 'copy'])
      expect((await readdir(join(home, folder))).filter((name) => name.endsWith('.backup')).toSorted()).toEqual(
        kept.toSorted(),
      );
  });

  test('that one target does not take is no success, and removes nothing', async () => {
    const full: BackupTarget = {
      name: 'full',
      list: async () => [],
      get: async () => undefined,
      remove: async () => undefined,
      put: async () => {
        throw new Error('no space');
      },
    };
    const { service, home } = await mesh({ copyTarget: full });
    await expect(service.make()).rejects.toThrow('no space');
    expect(await readLastBackup(home)).toBeNull();
    expect(await readdir(backupFolder(home))).toEqual([]);
  });

  test('is not taken beside another one of the same database', async () => {
    const { service } = await mesh();
    const holder = await fixture.state.connect();
    await holder.query('SELECT pg_advisory_lock(7263002)');
    await expect(service.make()).rejects.toThrow('another backup');
    await holder.query('SELECT pg_advisory_unlock(7263002)');
  });

  test('is taken anew when an artifact was collected while it was copied', async () => {
    const { store } = fixture.source;
    const collected = 'd'.repeat(64);
    const record = `INSERT INTO artifacts (digest, size, created_at) VALUES ('${collected}', 1, now())`;
    const collect = `DELETE FROM artifacts WHERE digest = '${collected}'`;
    let again = 0;
    const collecting = Object.assign(Object.create(store) as typeof store, {
      size: async (digest: string) => {
        // The snapshot has it; the rows of now don't.
        if (digest === collected) {
          again++;
          await fixture.query(fixture.source.url, collect);
        }
        return store.size(digest);
      },
    });
    await fixture.query(fixture.source.url, record);
    const { service } = await mesh({ place: { ...fixture.source, store: collecting } });
    expect(await service.make()).toMatchObject({ artifacts: 1, missing: 0 });
    expect(again).toBe(1);
  });

  test('is made without an artifact whose file was lost before, and says so', async () => {
    const lost = 'e'.repeat(64);
    await fixture.query(
      fixture.source.url,
      `INSERT INTO artifacts (digest, size, created_at) VALUES ('${lost}', 1, now())`,
    );
    const { service } = await mesh();
    expect(await service.make()).toMatchObject({ artifacts: 1, missing: 1 });
    expect(await service.drill('latest')).toMatchObject({ passed: true, artifacts: 1 });
    await fixture.query(fixture.source.url, `DELETE FROM artifacts WHERE digest = '${lost}'`);
  });
});

describe('a drill', () => {
  const drills = `SELECT count(*)::int AS n FROM pg_database WHERE datname LIKE 'devmesh\\_drill\\_%'`;

  test('restores into a scratch database, holds age and time to the aims, and leaves nothing', async () => {
    const { service, clock, home } = await mesh();
    const { name } = await service.make();
    clock.now += 3 * HOUR;
    const report = await service.drill('latest');
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report).toMatchObject({ name, passed: true, artifacts: 1, ageMs: 3 * HOUR });
    expect(report.checks.map((check) => check.name)).toEqual([
      'rows',
      'artifacts',
      'runs have heads',
      'last events',
      'unread rows',
      'RPO',
      'RTO',
    ]);
    expect(await fixture.query(fixture.source.url, drills)).toEqual([{ n: 0 }]);
    expect(await readdir(backupFolder(home))).toEqual([]);
  });

  test('does not pass when the newest backup is older than a day', async () => {
    const { service, clock } = await mesh();
    await service.make();
    clock.now += 25 * HOUR;
    const report = await service.drill('latest');
    expect(report.passed).toBe(false);
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([
      { name: 'RPO', ok: false, found: 'age 25.00 h, at most 24.00 h' },
    ]);
  });

  test('sees rows that do not go together', async () => {
    const broken = await fixture.empty('broken');
    const whole = { path: join(fixture.folder, 'whole.backup'), key };
    await dump(fixture.source, whole, new Date());
    const { restore } = await import('./restore.js');
    await restore(broken, whole);
    await fixture.query(broken.url, 'UPDATE run_heads SET last_seq = last_seq + 1, unread = 1');
    await fixture.query(broken.url, 'DELETE FROM runs WHERE id = (SELECT min(id::text)::uuid FROM runs)');
    const { service } = await mesh({ place: broken });
    await service.make();
    const { checks, passed } = await service.drill('latest');
    expect(passed).toBe(false);
    expect(checks.filter(({ ok }) => !ok)).toEqual([
      { name: 'runs have heads', ok: false, found: '1 broken' },
      { name: 'last events', ok: false, found: '2 broken' },
      { name: 'unread rows', ok: false, found: '2 broken' },
    ]);
  });
});

describe('a restore by name', () => {
  test('brings the newest, or the one that is named, into an empty place', async () => {
    const { service, clock, options } = await mesh();
    const { name } = await service.make();
    clock.now += 24 * HOUR;
    await service.make();
    const place = await fixture.empty('by-name');
    const restored = await new BackupService({ ...options, place }).restore(name);
    expect(restored).toMatchObject({ name, at: '2026-01-02T02:00:00.000Z', ageMs: 24 * HOUR });
    expect(await place.store.size(DIGEST)).not.toBeNull();
    await expect(service.restore('devmesh-1.backup')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('refuses one that is not what was put there, whatever the key', async () => {
    const { service, options, home } = await mesh();
    const { name } = await service.make();
    const path = join(home, 'target', name);
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, -1));
    const place = await fixture.empty('altered');
    const other = new BackupService({ ...options, place, key: Buffer.alloc(32, 9) });
    await expect(other.restore('latest')).rejects.toThrow(
      `${name} in ${join(home, 'target')} was truncated or altered`,
    );
    // Without its sum the seal has to do.
    await rm(`${path}.sha256`);
    await expect(new BackupService({ ...options, place }).restore('latest')).rejects.toThrow('truncated or altered');
    expect(await fixture.query(place.url, `SELECT to_regclass('runs') AS runs`)).toEqual([{ runs: null }]);
  });
});
