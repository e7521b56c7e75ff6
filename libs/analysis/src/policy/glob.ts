/**
 * Whether a path matches a glob: `*` and `?` within a name, `**` for any folders, a trailing `/` for all below. Without a `/` inside, the
 * glob is about names at any depth. Time grows with the product of the lengths and no faster.
 */
export function matchesGlob(path: string, glob: string): boolean {
  const below = glob.endsWith('/') ? `${glob}**` : glob;
  const anchored = below.replace(/^\.?\//, '');
  const pattern = /\/(?!\*\*$)/.test(below) || below.startsWith('**') ? anchored : `**/${anchored}`;
  return matchesParts(path.split('/'), pattern.split('/'));
}

function matchesParts(names: readonly string[], globs: readonly string[]): boolean {
  // reachable[i]: the globs so far take the first i names.
  let reachable = names.map((_, i) => i === 0).concat(names.length === 0);
  for (const glob of globs) {
    const next = reachable.map(() => false);
    for (const [i, isReachable] of reachable.entries()) {
      if (!isReachable) continue;
      if (glob === '**') for (let to = i; to <= names.length; to += 1) next[to] = true;
      else if (i < names.length && matchesName(names[i] ?? '', glob)) next[i + 1] = true;
    }
    reachable = next;
  }
  return reachable.at(-1) === true;
}

function matchesName(name: string, glob: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let taken = 0;
  while (at < name.length) {
    if (from < glob.length && (glob[from] === '?' || glob[from] === name[at]) && glob[from] !== '*') {
      at += 1;
      from += 1;
    } else if (glob[from] === '*') {
      star = from;
      taken = at;
      from += 1;
    } else if (star >= 0) {
      taken += 1;
      at = taken;
      from = star + 1;
    } else return false;
  }
  while (glob[from] === '*') from += 1;
  return from === glob.length;
}
