import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Peer } from './peers.ts';
import { obtain, PeerBroken } from './recipes.ts';

export type Obtained =
  | { readonly peer: Peer; readonly how: 'on the PATH' | 'cached' | 'obtained'; readonly seconds: number }
  /** `broken`: obtained, and not what it should be. That is a failure; what is not to be had is none. */
  | { readonly peer: Peer; readonly how: 'not to be had' | 'broken'; readonly why: string; readonly seconds: number };

/** The folder where peers are kept: outside the clone, so that all clones share them. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  return (
    env['DEVMESH_PEERS_CACHE'] ??
    join(env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? homedir(), '.cache'), 'devmesh/peers')
  );
}

const folderOf = (peer: Peer, cache: string): string => join(cache, `${peer.name}-${peer.version}`);

/** Written when it is whole: where each of its programs is. */
const DONE = 'programs.json';

export const isCached = (peer: Peer, cache: string): boolean => existsSync(join(folderOf(peer, cache), DONE));

/** One after the other, as a build takes all cores; those that `deadline` (Unix ms) leaves no time for are not to be had. */
export async function obtainAll(
  peers: readonly Peer[],
  cache: string,
  deadline: number,
  env: NodeJS.ProcessEnv,
  onEach: (each: Obtained) => void,
): Promise<Obtained[]> {
  const bin = join(cache, 'bin');
  mkdirSync(bin, { recursive: true });
  const all: Obtained[] = [];
  for (const peer of peers) {
    const start = performance.now();
    const outcome = await obtainOne(peer, cache, bin, deadline, env);
    const each = { peer, ...outcome, seconds: (performance.now() - start) / 1000 } as Obtained;
    all.push(each);
    onEach(each);
  }
  return all;
}

type Outcome = { how: 'on the PATH' | 'cached' | 'obtained' } | { how: 'not to be had' | 'broken'; why: string };

async function obtainOne(
  peer: Peer,
  cache: string,
  bin: string,
  deadline: number,
  env: NodeJS.ProcessEnv,
): Promise<Outcome> {
  if (peer.ownBuild !== true && peer.programs.every((program) => onPath(program, env))) return { how: 'on the PATH' };
  const folder = folderOf(peer, cache);
  const done = join(folder, DONE);
  if (existsSync(done)) {
    link(new Map(Object.entries(JSON.parse(readFileSync(done, 'utf8')) as Record<string, string>)), bin);
    return { how: 'cached' };
  }
  const left = deadline - Date.now();
  if (left <= 0)
    return { how: 'not to be had', why: 'the time for obtaining peers was over; another call goes on from here' };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const log = join(folder, 'log.txt');
  writeFileSync(log, '');
  try {
    const kitchen = {
      folder,
      shared: join(cache, 'shared'),
      version: peer.version,
      log,
      signal: AbortSignal.timeout(left),
      env,
    };
    const programs = await obtain(peer.recipe, peer.programs, kitchen);
    rmSync(join(folder, 'source'), { recursive: true, force: true });
    writeFileSync(done, JSON.stringify(Object.fromEntries(programs)));
    link(programs, bin);
    return { how: 'obtained' };
  } catch (error) {
    const why =
      error instanceof Error ? (error.name === 'AbortError' ? 'it took too long' : error.message) : String(error);
    return { how: error instanceof PeerBroken ? 'broken' : 'not to be had', why: `${why} (${log})` };
  }
}

function link(programs: ReadonlyMap<string, string>, bin: string): void {
  for (const [program, path] of programs) {
    rmSync(join(bin, program), { force: true });
    symlinkSync(path, join(bin, program));
  }
}

function onPath(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
