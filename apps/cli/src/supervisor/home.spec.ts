import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controlSocketPath } from './control-server.js';
import { homeAt, locateHome, openHome, readHomeFormat } from './home.js';
import { takeLock } from './lock.js';
import { openSecrets } from './secrets.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'devmesh-home-'));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

describe('locateHome', () => {
  it('is .devmesh in the clone, unless DEVMESH_HOME says otherwise', () => {
    expect(locateHome({}, '/clone').root).toBe('/clone/.devmesh');
    expect(locateHome({ DEVMESH_HOME: '' }, '/clone').root).toBe('/clone/.devmesh');
    expect(locateHome({ DEVMESH_HOME: '/data' }, '/clone').root).toBe('/data');
  });
});

describe('openHome', () => {
  it('makes the folder, for its owner alone, and may be called again', async () => {
    const home = homeAt(join(folder, 'a', 'b'));
    await openHome(home);
    await openHome(home);
    expect(statSync(home.root).mode & 0o777).toBe(0o700);
    expect(await readHomeFormat(home)).toBe(1);
  });

  it('refuses one of a newer version, and leaves it alone', async () => {
    const home = homeAt(folder);
    writeFileSync(home.versionFile, '2\n');
    await expect(openHome(home)).rejects.toThrow(
      /made by a newer Devmesh \(its format is 2, this one reads up to 1\): update this clone/,
    );
    expect(readFileSync(home.versionFile, 'utf8')).toBe('2\n');
  });

  it('refuses a version that is none', async () => {
    const home = homeAt(folder);
    writeFileSync(home.versionFile, 'banana');
    await expect(openHome(home)).rejects.toThrow(/holds no version number/);
  });

  it('refuses a file in its place', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(openHome(homeAt(join(folder, 'file')))).rejects.toThrow(/is not a folder/);
  });
});

describe('a folder that may not be written', () => {
  // Root may write everywhere: then the rights of an ordinary user are taken on for the attempt.
  async function asOrdinaryUser<T>(act: () => Promise<T>): Promise<T> {
    if (process.getuid?.() !== 0) return act();
    process.seteuid?.(65534);
    try {
      return await act();
    } finally {
      process.seteuid?.(0);
    }
  }

  it('is refused with who, where and the cure', async () => {
    chmodSync(folder, 0o555);
    const refused = asOrdinaryUser(() =>
      openHome(homeAt(join(folder, 'home'))).then(String, (error: Error) => error.message),
    );
    expect(await refused).toMatch(
      /may not write to the data folder .*home \(EACCES\): run this as the folder's owner, .* or set DEVMESH_HOME/,
    );
  });

  it('is refused when it was made by another user', async () => {
    const home = homeAt(join(folder, 'home'));
    await openHome(home);
    chmodSync(folder, 0o755);
    chmodSync(home.root, 0o755);
    if (process.getuid?.() !== 0) chmodSync(home.run, 0o500);
    const refused = asOrdinaryUser(() => openHome(home).then(String, (error: Error) => error.message));
    expect(await refused).toMatch(/may not write to the data folder/);
    chmodSync(home.run, 0o700);
  });
});

describe('secrets', () => {
  it('are made once, for the owner alone', async () => {
    const home = homeAt(folder);
    await openHome(home);
    const first = await openSecrets(home);
    expect(await openSecrets(home)).toEqual(first);
    expect(
      new Set([
        first.internalToken,
        first.databaseAdminPassword,
        first.databasePassword,
        first.queuePassword,
        first.apiKey,
      ]).size,
    ).toBe(5);
    for (const file of [home.apiKeyFile, first.internalTokenFile]) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(home.apiKeyFile, 'utf8').trim()).toBe(first.apiKey);
  });
});

describe('takeLock', () => {
  it('has one holder among processes, and is free when that one is killed', async () => {
    const file = join(folder, 'lock');
    const held = await takeLock(file);
    expect(held).not.toBeNull();
    const script = `const { DatabaseSync } = require('node:sqlite'); const d = new DatabaseSync(${JSON.stringify(file)}, { timeout: 0 });
      try { d.exec('BEGIN EXCLUSIVE'); console.log('taken'); process.kill(process.pid, 'SIGKILL'); } catch { console.log('held'); }`;
    const other = (): string => spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stdout.trim();
    expect(other()).toBe('held');
    held?.release();
    expect(other()).toBe('taken');
    const again = await takeLock(file);
    expect(again).not.toBeNull();
    again?.release();
  });
});

describe('controlSocketPath', () => {
  it('lies in the data folder while its path is short enough for a socket', () => {
    expect(controlSocketPath(homeAt('/short'))).toBe('/short/run/supervisor.sock');
    const long = homeAt(`/${'very-long/'.repeat(20)}`);
    const path = controlSocketPath(long, '/tmp');
    expect(path).toMatch(/^\/tmp\/devmesh-\d+\/[0-9a-f]{16}\.sock$/);
    expect(Buffer.byteLength(controlSocketPath(long, `/${'deep/'.repeat(30)}`))).toBeLessThan(100);
    expect(controlSocketPath(homeAt(`/${'other/'.repeat(30)}`), '/tmp')).not.toBe(path);
  });
});
