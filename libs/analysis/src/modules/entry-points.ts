import { posix } from 'node:path';
import { isTestPath } from '../stack/source-facts.js';
import { inFolder } from '../stack/manifest.js';
import { sourceOf } from '../stack/node-entry.js';
import type { PythonManifest } from '../stack/python-manifest.js';
import type { SourceTree } from '../tree/source-tree.js';

/** What others import a package by, and the file that stands behind it. */
export interface EntryPoint {
  /** `shop`, `shop/client`. */
  readonly specifier: string;
  readonly path: string;
}

export interface EntryPoints {
  readonly entries: readonly EntryPoint[];
  /** Whether a specifier below the package's name may be imported. */
  allows(specifier: string): boolean;
}

/** The members of a package.json that say what can be imported. */
export interface PackageDoors {
  readonly name?: string | undefined;
  readonly main?: string | undefined;
  readonly module?: string | undefined;
  readonly types?: string | undefined;
  readonly typings?: string | undefined;
  readonly exports?: unknown;
}

const MAX_ENTRIES = 40;

/** Entry points of a package of Node.js, with the sources behind what is built. Undefined when it has no name. */
export function nodeEntryPoints(tree: SourceTree, root: string, fields: PackageDoors): EntryPoints | undefined {
  const { name } = fields;
  if (name === undefined) return undefined;
  const fileOf = (targets: readonly string[]): string | undefined => {
    for (const target of targets) {
      const path = posix.normalize(target);
      if (path.startsWith('..') || target.includes('*')) continue;
      const source = sourceOf(tree, root, path)?.path ?? (tree.file(inFolder(root, path)) && inFolder(root, path));
      if (source !== undefined && /\.[cm]?[jt]sx?$/.test(source)) return source;
    }
    return undefined;
  };
  const doors = fields.exports;
  if (doors === undefined || doors === null) {
    const path = fileOf(
      [fields.types, fields.typings, fields.module, fields.main, 'index.js', 'src/index.js'].filter(
        (one) => one !== undefined,
      ),
    );
    return { entries: path === undefined ? [] : [{ specifier: name, path }], allows: () => true };
  }
  const subpaths =
    isRecord(doors) && Object.keys(doors).every((key) => key.startsWith('.'))
      ? Object.entries(doors)
      : [['.', doors] as const];
  const entries = subpaths.slice(0, MAX_ENTRIES).flatMap(([subpath, target]): EntryPoint[] => {
    const path = subpath.includes('*') || target === null ? undefined : fileOf(targetsOf(target));
    return path === undefined ? [] : [{ specifier: posix.join(name, subpath), path }];
  });
  const keys = subpaths.filter(([, target]) => target !== null).map(([subpath]) => posix.join(name, subpath));
  return {
    entries,
    allows: (specifier) =>
      keys.some((key) => {
        const [before = '', after] = key.split('*');
        if (after === undefined) return key === specifier || (key.endsWith('/') && specifier.startsWith(key));
        return (
          specifier.startsWith(before) &&
          specifier.endsWith(after) &&
          specifier.length > before.length + after.length - 1
        );
      }),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The files of a target with conditions: sources first, then types, then the rest. */
function targetsOf(target: unknown, depth = 0): string[] {
  if (typeof target === 'string') return [target];
  if (depth > 5) return [];
  if (Array.isArray(target)) return target.flatMap((one) => targetsOf(one, depth + 1));
  if (!isRecord(target)) return [];
  const rank = (key: string): number => ['source', 'types', 'import', 'default'].indexOf(key) + 1 || 9;
  return Object.entries(target)
    .sort(([a], [b]) => rank(a) - rank(b))
    .flatMap(([, value]) => targetsOf(value, depth + 1));
}

/** The packages that a Python project hands out: folders with `__init__.py`, or a single module, named like it or lying alone. */
export function pythonEntryPoints(tree: SourceTree, { root, name, hasProject }: PythonManifest): EntryPoint[] {
  if (!hasProject || name === undefined) return [];
  const tops = [root, inFolder(root, 'src')].flatMap((base) =>
    tree.files
      .filter(
        ({ path, utf8 }) =>
          utf8 && !isTestPath(path) && (posix.dirname(path) === base || posix.dirname(posix.dirname(path)) === base),
      )
      .flatMap(({ path }) => {
        const inner = base === '.' ? path : path.slice(base.length + 1);
        const module = /^([A-Za-z]\w*)\/__init__\.py$/.exec(inner)?.[1] ?? /^([A-Za-z]\w*)\.py$/.exec(inner)?.[1];
        return module === undefined ||
          /^(setup|conftest|noxfile|tasks|manage|tests?|docs?|examples?|scripts|tools|benchmarks?)$/.test(module)
          ? []
          : [{ specifier: module, path }];
      }),
  );
  const wanted = name.toLowerCase().replace(/[-.]/g, '_');
  const named = tops.filter(({ specifier }) => specifier.toLowerCase() === wanted);
  const packages = tops.filter(({ path }) => path.endsWith('__init__.py'));
  return named.length > 0 ? named : packages.length === 1 ? packages : [];
}
