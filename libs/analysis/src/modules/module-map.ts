import { languageOf } from '../parse/language.js';
import { folderOf, inFolder, isInside, relativeTo } from '../stack/manifest.js';
import { isTestPath } from '../stack/source-facts.js';
import type { Modules } from './modules.js';

/** Parts of a tree and who loads whom. Names are paths: a file, or a folder that stands for all in it. */
export interface ModuleMap {
  readonly nodes: readonly string[];
  readonly edges: readonly (readonly [string, string])[];
}

const MAX_NODES = 24;
const MAX_EDGES = 80;
const MAX_FILES = 5000;

/**
 * Who imports whom, from the imports of JavaScript, TypeScript and Python: files where there are few, else the folders of the deepest
 * level that has at most 24 of them. Tests are left out. `packages` are folders by the name that others import them by. Always the
 * same for the same tree; undefined where there is nothing to show. Throws `execution_cancelled` on abort.
 */
export async function moduleMap(
  modules: Modules,
  packages: ReadonlyMap<string, string>,
  signal?: AbortSignal,
): Promise<ModuleMap | undefined> {
  const { tree } = modules;
  const files = tree.files
    .filter(
      ({ path, utf8 }) =>
        utf8 && !isTestPath(path) && !/\.d\.[cm]?ts$|(^|\/)\.|\.config\.[cm]?[jt]s$|\.min\.js$/.test(path),
    )
    .map(({ path }) => path)
    .filter((path) => !['dockerfile', undefined].includes(languageOf(path)))
    .slice(0, MAX_FILES);
  const roots = [...packages.values()].sort((a, b) => b.length - a.length);
  const loads: [string, string][] = [];
  for (const path of files) {
    await tree.breathe(signal);
    const root = roots.find((one) => isInside(one, path)) ?? '.';
    for (const { module, names } of modules.importsOf(path)) {
      const inner = path.endsWith('.py')
        ? names.map((name) => `${module}${module.endsWith('.') ? '' : '.'}${name}`)
        : [];
      const target =
        [...inner, module].map((one) => modules.resolve(path, one, root)).find((one) => one !== undefined) ??
        ownPackage(packages, module);
      if (target !== undefined && target !== path) loads.push([path, target]);
    }
  }
  const nodeOf = grouping(files, roots);
  const edges = new Map<string, readonly [string, string]>();
  for (const [from, to] of loads) {
    const pair = [nodeOf(from), nodeOf(to)] as const;
    if (pair[0] !== undefined && pair[1] !== undefined && pair[0] !== pair[1])
      edges.set(pair.join('\n'), [pair[0], pair[1]]);
  }
  const sorted = [...edges.keys()]
    .sort()
    .flatMap((key) => [edges.get(key) ?? []])
    .filter((edge): edge is readonly [string, string] => edge.length === 2);
  const shown = sorted.slice(0, MAX_EDGES);
  const nodes = [...new Set(shown.flat())].sort();
  return nodes.length < 3 ? undefined : { nodes, edges: shown };
}

function ownPackage(packages: ReadonlyMap<string, string>, module: string): string | undefined {
  const name = /^(@[^/]+\/[^/]+|[^/]+)/.exec(module)?.[1] ?? '';
  const root = packages.get(name);
  return root === undefined ? undefined : inFolder(root, 'package.json');
}

/** Which node a path belongs to. */
function grouping(files: readonly string[], roots: readonly string[]): (path: string) => string | undefined {
  const inner = roots.filter((root) => root !== '.');
  // A workspace is shown by its packages.
  if (inner.length >= 3) return (path) => inner.find((root) => isInside(root, path));
  if (files.length <= MAX_NODES) return (path) => path;
  const common = commonFolder(files);
  const atDepth = (path: string, depth: number): string => {
    const parts = relativeTo(common, path).split('/').slice(0, -1).slice(0, depth);
    return parts.length === 0 ? common : inFolder(common, parts.join('/'));
  };
  let best = 1;
  for (let depth = 2; depth <= 4; depth += 1) {
    if (new Set(files.map((path) => atDepth(path, depth))).size > MAX_NODES) break;
    best = depth;
  }
  const kept = new Set([...new Set(files.map((path) => atDepth(path, best)))].sort().slice(0, MAX_NODES));
  return (path) => {
    const node = atDepth(path, best);
    return kept.has(node) ? node : undefined;
  };
}

function commonFolder(files: readonly string[]): string {
  let common = folderOf(files[0] ?? '');
  while (common !== '.' && !files.every((path) => isInside(common, path))) common = folderOf(common);
  return common;
}
