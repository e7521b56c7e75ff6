import { delimiter, join } from 'node:path';
import { cacheFolder, isCached, obtainAll, type Obtained } from './obtain-all.ts';
import { peers } from './peers.ts';

/** What the first call on a machine may take, minutes. What it leaves, the next call obtains. */
const MINUTES = 25;

/**
 * Gets the peers of these names, or every one, as far as this machine can have them, and puts them first on the PATH. Those that can't be
 * had, or were not asked for, are named to the tests, which skip what needs them; DEVMESH_PEERS_MINUTES bounds the time. Returns what is
 * wrong with those that were obtained and are broken, one line each: each counts as a failure.
 */
export async function obtainPeers(names: readonly string[], print: (line: string) => void): Promise<string[]> {
  const cache = cacheFolder(process.env);
  const minutes = Number(process.env['DEVMESH_PEERS_MINUTES'] ?? MINUTES);
  print(`kept in ${cache}`);
  const wanted = peers.filter(({ name }) => names.length === 0 || names.includes(name));
  const all = await obtainAll(wanted, cache, Date.now() + minutes * 60_000, process.env, (each) => print(line(each)));
  process.env['PATH'] = `${join(cache, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  const had = new Set(all.filter((each) => !('why' in each)).map(({ peer }) => peer.name));
  process.env['DEVMESH_PEERS_MISSING'] = peers
    .filter(({ name }) => !had.has(name))
    .flatMap(({ programs }) => programs)
    .join(' ');
  return all.flatMap((each) => (each.how === 'broken' ? [`${each.peer.name}: ${each.why}`] : []));
}

/** Says which there are, what each brings, where from, and whether it is in the cache already. */
export function listPeers(print: (line: string) => void): void {
  const cache = cacheFolder(process.env);
  for (const peer of peers) {
    const from = ['consul', 'own-go'].includes(peer.recipe.from) ? 'go' : peer.recipe.from;
    const kept = isCached(peer, cache) ? 'cached' : '-';
    print(
      `${peer.name.padEnd(15)} ${peer.version.padEnd(9)} ${from.padEnd(7)} ${kept.padEnd(7)} ${peer.programs.join(' ')}`,
    );
  }
}

function line(each: Obtained): string {
  const { peer, how, seconds } = each;
  const why = 'why' in each ? `: ${each.why}` : '';
  return `  ${peer.name.padEnd(13)} ${peer.version.padEnd(9)} ${seconds.toFixed(1).padStart(6)} s  ${how}${why}`;
}
