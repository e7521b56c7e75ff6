import { posix } from 'node:path';
import { isJavaScript, languageOf } from '../parse/language.js';

/** How many imports away a file may be whose data reaches a change, as deep as calls are followed by a walk. */
const MAX_DISTANCE = 4;

const JAVASCRIPT_IMPORT = /(?:\bfrom|\bimport|\brequire\s*\(|\bimport\s*\()\s*["'](\.[^"'\n]{0,300})["']/g;
const PYTHON_IMPORT =
  /^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import[ \t]+([^\n#]{1,500})|import[ \t]+([\w., \t]{1,500}))/gm;

/** A module by its path without extension: a folder stands for its index. */
function stemOf(path: string): string {
  return path.replace(/\.[cm]?[jt]sx?$|\.pyw?$/, '').replace(/(^|\/)(index|__init__)$/, '') || '.';
}

function pythonImports(path: string, text: string): string[] {
  return [...text.matchAll(PYTHON_IMPORT)].flatMap(([, dots = '', module = '', names = '', plain]) => {
    if (plain !== undefined)
      return plain.split(',').map((name) => name.trim().split(/\s/)[0]?.replaceAll('.', '/') ?? '');
    const inside = module.replaceAll('.', '/');
    const each = names
      .replace(/[()\\]/g, '')
      .split(',')
      .map((name) => name.trim().split(/\s/)[0] ?? '');
    let folder = posix.dirname(path);
    for (let i = 1; i < dots.length; i += 1) folder = posix.dirname(folder);
    const start = dots === '' ? inside : posix.join(folder, inside);
    return [start, ...each.filter((name) => /^\w+$/.test(name)).map((name) => posix.join(start, name))];
  });
}

function imports(path: string, text: string): string[] {
  const language = languageOf(path);
  if (language === 'python') return pythonImports(path, text);
  if (language === undefined || !isJavaScript(language)) return [];
  return [...text.matchAll(JAVASCRIPT_IMPORT)].map(([, specifier = '']) =>
    stemOf(posix.join(posix.dirname(path), specifier)),
  );
}

/**
 * The files from which data may come to one of `changed`: those that import it, and those that import them. Absolute names of
 * Python are matched by their end, so it is rather one too many than one too few; at most `limit`, the nearest first.
 */
export function dependentsOf(
  changed: readonly string[],
  files: Iterable<string>,
  read: (path: string) => string | undefined,
  limit: number,
): string[] {
  const wanted = new Set(changed.map(stemOf));
  if (wanted.size === 0) return [];
  const importers = new Map<string, string[]>();
  const note = (stem: string, path: string): void => {
    const known = importers.get(stem);
    if (known) known.push(path);
    else importers.set(stem, [path]);
  };
  // A module of Python is named from any folder on the search path.
  const pythonEnds = new Map<string, string[]>();
  const all = [...files];
  for (const path of all) {
    if (languageOf(path) !== 'python') continue;
    const stem = stemOf(path);
    const end = stem.slice(stem.lastIndexOf('/') + 1);
    pythonEnds.set(end, [...(pythonEnds.get(end) ?? []), stem]);
  }
  for (const path of all) {
    const language = languageOf(path);
    if (language === undefined || language === 'dockerfile') continue;
    const text = read(path);
    if (text === undefined) continue;
    for (const name of new Set(imports(path, text))) {
      if (language !== 'python') note(name, path);
      else
        for (const stem of pythonEnds.get(name.slice(name.lastIndexOf('/') + 1)) ?? [])
          if (stem === name || stem.endsWith(`/${name}`)) note(stem, path);
    }
  }
  const seen = new Set(changed);
  const found: string[] = [];
  let layer = [...wanted];
  for (let distance = 0; distance < MAX_DISTANCE && layer.length > 0; distance += 1) {
    const next: string[] = [];
    for (const path of layer.flatMap((stem) => importers.get(stem) ?? [])) {
      if (seen.has(path)) continue;
      seen.add(path);
      found.push(path);
      if (found.length >= limit) return found;
      next.push(stemOf(path));
    }
    layer = next;
  }
  return found;
}
