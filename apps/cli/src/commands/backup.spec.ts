import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupReport, DrillReport } from '@devmesh/contracts/backup';
import { afterEach, describe, expect, it } from 'vitest';
import type { BackupProgram } from '../backup/program.js';
import { fakeContext, type FakeContext } from '../testing/fake-context.js';
import { backup, restore } from './backup.js';

const NAME = 'devmesh-2026-01-02T02-00-00Z.backup';
const AT = '2026-01-02T02:00:00.000Z';
const MADE: BackupReport = {
  name: NAME,
  at: AT,
  targets: ['/mnt/a', 'https://fra1.example.org/b'],
  rows: 12,
  artifacts: 1,
  missing: 2,
  size: 2048,
  tookMs: 500,
  removed: ['old'],
};
const DRILLED: DrillReport = {
  name: NAME,
  at: AT,
  target: '/mnt/a',
  rows: 12,
  artifacts: 1,
  tookMs: 500,
  ageMs: 3600_000,
  checks: [{ name: 'rows', ok: false, found: '11 of 12' }],
  passed: false,
};

let made: FakeContext[] = [];
afterEach(() => {
  for (const { home } of made) rmSync(home.root, { recursive: true, force: true });
  made = [];
});

function mesh(reply: unknown, options: Parameters<typeof fakeContext>[0] = {}) {
  const cli = fakeContext(options);
  made.push(cli);
  mkdirSync(cli.home.secrets, { recursive: true });
  const asked: { args: readonly string[]; settings: Readonly<Record<string, string>> }[] = [];
  const program: BackupProgram = async (_context, args, settings, schema) => {
    asked.push({ args, settings });
    return { report: schema.parse(reply) };
  };
  return { cli, program, asked };
}

describe('backup', () => {
  it('says what was made, and that a new key wants a copy; once', async () => {
    const { cli, program, asked } = mesh(MADE);
    const keyFile = join(cli.home.secrets, 'backup-key');
    expect(await backup(cli, undefined, {}, program)).toBe(0);
    expect(cli.out.text()).toContain(`✔ ${NAME}: 12 rows, 1 artifact, 2.0 KB in 0.5 s`);
    expect(cli.out.text()).toMatch(/missing +2 artifacts on record without a file/);
    expect(cli.err.text()).toContain('keep a copy elsewhere');
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(asked).toEqual([
      {
        args: ['make'],
        settings: { DEVMESH_BACKUP_TARGET: join(cli.home.root, 'backups'), DEVMESH_BACKUP_KEY_FILE: keyFile },
      },
    ]);
    const key = readFileSync(keyFile, 'utf8');
    await backup(cli, undefined, {}, program);
    expect(readFileSync(keyFile, 'utf8')).toBe(key);
    expect(cli.err.text().match(/new key/g)).toHaveLength(1);
    expect(cli.out.text() + JSON.stringify(asked)).not.toContain(key.trim());
  });

  it('takes places and key file from options before the environment, folders from where it is called', async () => {
    const env = { DEVMESH_BACKUP_TARGET: 'https://one.example.org/a', DEVMESH_BACKUP_KEY_FILE: '/etc/key' };
    const { cli, program, asked } = mesh(MADE, { env, cwd: '/srv' });
    await backup(cli, undefined, { json: true, copyTo: 'https://two.example.org/b' }, program);
    await backup(cli, undefined, { json: true, target: 'kept', keyFile: 'own.key' }, program);
    expect(asked.map(({ settings }) => settings)).toEqual([
      { ...env, DEVMESH_BACKUP_COPY_TARGET: 'https://two.example.org/b' },
      { DEVMESH_BACKUP_TARGET: '/srv/kept', DEVMESH_BACKUP_KEY_FILE: '/srv/own.key' },
    ]);
    expect(existsSync('/srv/own.key')).toBe(false);
    expect(JSON.parse(cli.out.text().split('\n')[0] ?? '')).toEqual(MADE);
  });

  it('ends with 1 when a drill does not pass, and shows why', async () => {
    const { cli, program } = mesh(DRILLED);
    expect(await backup(cli, 'drill', {}, program)).toBe(1);
    expect(cli.out.text()).toMatch(/^✖ rows +11 of 12$/m);
    expect(cli.out.text()).toContain('and not as it must be');
  });

  it('lists what there is', async () => {
    const { cli, program } = mesh({ target: '/mnt/a', backups: [] });
    expect(await backup(cli, 'list', {}, program)).toBe(0);
    expect(cli.out.text()).toBe('no backup is in /mnt/a\n');
    await expect(backup(cli, 'frob', {}, program)).rejects.toThrow('backup has no verb frob');
  });
});

describe('restore', () => {
  it('brings the newest, or the one that is named', async () => {
    const { cli, program, asked } = mesh(DRILLED);
    await restore(cli, undefined, {}, program);
    await restore(cli, NAME, {}, program);
    expect(asked.map(({ args }) => args)).toEqual([
      ['restore', 'latest'],
      ['restore', NAME],
    ]);
    expect(cli.out.text()).toContain(`✔ ${NAME} of 1 h 00 m ago is back: 12 rows, 1 artifact`);
    expect(existsSync(join(cli.home.secrets, 'backup-key'))).toBe(false);
  });

  it('says that the mesh has to be up, by itself', async () => {
    const { cli } = mesh(null);
    await expect(restore(cli, undefined, {})).rejects.toMatchObject({ code: 'unavailable' });
  });
});
