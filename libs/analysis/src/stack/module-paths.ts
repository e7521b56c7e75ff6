import { posix } from 'node:path';
import type { Ecosystem } from './services.js';
import { inFolder } from './manifest.js';

const EXTENSIONS = ['ts', 'tsx', 'mts', 'cts', 'js', 'jsx', 'mjs', 'cjs'];

/** A JavaScript path with its extension left to find: `./db` is `db.ts`, and `./db.js` may be `db.ts` too. */
export function findScript(path: string, has: (path: string) => boolean): string | undefined {
  const bare = path.replace(/\.[cm]?[jt]sx?$/, '');
  const candidates = [
    path,
    ...EXTENSIONS.map((one) => `${bare}.${one}`),
    ...EXTENSIONS.map((one) => `${path}/index.${one}`),
  ];
  return candidates.find((candidate) => has(candidate));
}

/** The file of the tree that an import in `from` loads; undefined for packages and what isn't there. */
export function resolveModule(
  ecosystem: Ecosystem,
  from: string,
  module: string,
  root: string,
  has: (path: string) => boolean,
): string | undefined {
  if (ecosystem === 'node') {
    if (!/^\.\.?(\/|$)/.test(module)) return undefined;
    return findScript(posix.join(posix.dirname(from), module), has);
  }
  // What else these import is told by its package, not by its file.
  if (ecosystem !== 'python') return undefined;
  const dots = /^\.*/.exec(module)?.[0].length ?? 0;
  const path = module.slice(dots).replaceAll('.', '/');
  const bases =
    dots > 0
      ? [posix.join(posix.dirname(from), ...Array<string>(dots - 1).fill('..'))]
      : [root, inFolder(root, 'src'), '.', posix.dirname(from)];
  for (const base of bases) {
    const at = path === '' ? base : inFolder(base, path);
    const found = [`${at}.py`, `${at}/__init__.py`].find((candidate) => has(candidate));
    if (found !== undefined) return found;
  }
  return undefined;
}
