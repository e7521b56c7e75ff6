import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cacheFolder, isCached, obtainAll, type Obtained } from './obtain-all.ts';
import type { Peer } from './peers.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'devmesh peers '));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const LATER = Number.MAX_SAFE_INTEGER;
const absent: Peer = {
  name: 'absent',
  version: '1',
  programs: ['no-such-program'],
  recipe: { from: 'go', module: 'devmesh.invalid/absent', package: '.', program: 'no-such-program' },
};

async function obtained(peers: readonly Peer[], deadline = LATER): Promise<Obtained[]> {
  const told: Obtained[] = [];
  const all = await obtainAll(peers, cache, deadline, process.env, (each) => told.push(each));
  expect(told).toEqual(all);
  return all;
}

describe('obtaining peers', () => {
  test('takes what is on the PATH', async () => {
    expect(await obtained([{ ...absent, programs: ['sh'] }])).toMatchObject([{ how: 'on the PATH' }]);
  });

  test('says of one that time was over for it, and asks for nothing', async () => {
    expect(await obtained([absent], 0)).toMatchObject([
      { how: 'not to be had', why: expect.stringMatching(/time/) as string },
    ]);
  });

  test('links what it has in the cache', async () => {
    const program = join(cache, 'program');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    expect(isCached(absent, cache)).toBe(false);
    mkdirSync(join(cache, 'absent-1'));
    writeFileSync(join(cache, 'absent-1', 'programs.json'), JSON.stringify({ 'no-such-program': program }));
    expect(await obtained([absent])).toMatchObject([{ how: 'cached' }]);
    expect(isCached(absent, cache)).toBe(true);
    expect(readFileSync(join(cache, 'bin/no-such-program'), 'utf8')).toContain('#!/bin/sh');
  });

  test('keeps them outside the clone, where the environment says', () => {
    expect(cacheFolder({ DEVMESH_PEERS_CACHE: '/a' })).toBe('/a');
    expect(cacheFolder({ XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/b/devmesh/peers');
    expect(cacheFolder({ HOME: '/c' })).toBe('/c/.cache/devmesh/peers');
  });
});
