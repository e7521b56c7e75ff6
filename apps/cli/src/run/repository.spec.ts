import { spawnSync } from 'node:child_process';
import { mkdtempSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { homeAt } from '../supervisor/home.js';
import { chooseRepository, packForRun } from './repository.js';

const cwd = mkdtempSync(join(tmpdir(), 'devmesh-choose-'));
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

describe('chooseRepository', () => {
  it.each([
    ['https://example.org/a.git', { kind: 'url', url: 'https://example.org/a.git' }],
    ['ssh://git@example.org/a', { kind: 'url', url: 'ssh://git@example.org/a' }],
    ['git@example.org:team/a.git', { kind: 'url', url: 'ssh://git@example.org/team/a.git' }],
    ['example.org:/srv/a.git', { kind: 'url', url: 'ssh://example.org/srv/a.git' }],
    ['.', { kind: 'path', path: cwd }],
    ['sub/folder', { kind: 'path', path: join(cwd, 'sub/folder') }],
    ['/abs olute', { kind: 'path', path: '/abs olute' }],
  ])('%s', (given, choice) => expect(chooseRepository(given, cwd)).toEqual(choice));

  it('takes a folder for a folder, though it looks like ssh', () => {
    mkdirSync(join(cwd, 'odd:name'));
    expect(chooseRepository('odd:name', cwd)).toEqual({ kind: 'path', path: join(cwd, 'odd:name') });
  });
});

describe('packForRun', () => {
  it('removes what calls that were killed left in the data folder, and nothing of those under way', async () => {
    const home = homeAt(join(cwd, 'data'));
    mkdirSync(home.cache, { recursive: true });
    const gone = spawnSync('true').pid;
    const names = [
      `pack-${gone}-00000000.bundle`,
      `pack-${gone}-11111111.bundle.lock`,
      `pack-${process.pid}-22222222.bundle`,
    ];
    for (const name of names) writeFileSync(join(home.cache, name), '');
    await expect(packForRun(home, join(cwd, 'nowhere'), undefined, new AbortController().signal)).rejects.toMatchObject(
      {
        code: 'invalid_repository',
      },
    );
    expect(readdirSync(home.cache)).toEqual([`pack-${process.pid}-22222222.bundle`]);
  });
});
