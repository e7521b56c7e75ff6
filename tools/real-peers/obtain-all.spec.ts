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

const LATER = Date.now() + 600_000;
const absent: Peer = {
  name: 'absent',
  version: '1',
  programs: ['no-such-program'],
  recipe: { from: 'go', module: 'devmesh.invalid/absent', sum: 'h1:right', package: '.', program: 'no-such-program' },
};

async function obtained(peers: readonly Peer[], deadline = LATER): Promise<Obtained[]> {
  const told: Obtained[] = [];
  const all = await obtainAll(peers, cache, deadline, process.env, (each) => told.push(each));
  expect(told).toEqual(all);
  return all;
}

describe('obtaining peers', () => {
  test('takes what is on the PATH', async () => {
    const there = { ...absent, programs: ['sh'] };
    expect(await obtained([there])).toMatchObject([{ how: 'on the PATH' }]);
    expect(await obtained([{ ...there, ownBuild: true }], 0)).toMatchObject([{ how: 'not to be had' }]);
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

  describe('with a scripted go', () => {
    /** One that hands over a module of this checksum, and builds a program that ends with this code. */
    function scripted(sum: string, code: number): NodeJS.ProcessEnv {
      const tools = join(cache, 'tools');
      const module = join(cache, 'module');
      mkdirSync(tools);
      mkdirSync(module);
      const answer = JSON.stringify({ Dir: module, Sum: sum });
      const script = `#!/bin/sh
case "$1" in
  mod) printf '%s' '${answer}' ;;
  build)
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\nexit ${code}\\n' >"$2"
    chmod +x "$2"
    ;;
esac
`;
      writeFileSync(join(tools, 'go'), script);
      chmodSync(join(tools, 'go'), 0o755);
      return { PATH: `${tools}:/usr/bin:/bin` };
    }
    const once = async (env: NodeJS.ProcessEnv): Promise<Obtained | undefined> =>
      (await obtainAll([absent], cache, LATER, env, () => {}))[0];

    test('builds one that has the checksum and runs', async () => {
      expect(await once(scripted('h1:right', 0))).toMatchObject({ how: 'obtained' });
    });

    test('says of another checksum that it is broken, and keeps nothing of it', async () => {
      expect(await once(scripted('h1:other', 0))).toMatchObject({
        how: 'broken',
        why: expect.stringContaining('came with the checksum h1:other, not h1:right') as string,
      });
      expect(isCached(absent, cache)).toBe(false);
    });

    test('says of one that does not run that it is broken', async () => {
      expect(await once(scripted('h1:right', 3))).toMatchObject({
        how: 'broken',
        why: expect.stringContaining('does not run') as string,
      });
      expect(isCached(absent, cache)).toBe(false);
    });

    test('goes without what there is no go for', async () => {
      expect(await once({ PATH: join(cache, 'nothing') })).toMatchObject({
        how: 'not to be had',
        why: expect.stringContaining('there is no go') as string,
      });
    });
  });

  test('keeps them outside the clone, where the environment says', () => {
    expect(cacheFolder({ DEVMESH_PEERS_CACHE: '/a' })).toBe('/a');
    expect(cacheFolder({ XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/b/devmesh/peers');
    expect(cacheFolder({ HOME: '/c' })).toBe('/c/.cache/devmesh/peers');
  });
});
