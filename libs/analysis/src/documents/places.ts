import { posix } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { folderOf, inFolder, isInside, relativeTo } from '../stack/manifest.js';
import { GENERATED_FOLDERS, VENDORED_FOLDERS } from '../tree/foreign-folders.js';
import type { SourceTree } from '../tree/source-tree.js';

/** What becomes of a path that a document names. `unknown`: it may be made by a build, or lies where the tree is not read. */
export type Presence = 'there' | 'missing' | 'unknown';

/** Folders whose content is not known from the tree. */
const MADE = new Set([
  ...VENDORED_FOLDERS,
  ...GENERATED_FOLDERS,
  '.git',
  'target',
  'build',
  'out',
  '_build',
  '_site',
  'site',
  'tmp',
  'logs',
  'data',
  'generated',
  '.devmesh',
  '.cache',
]);
const MAX_PATTERN = 200;

/** The paths of a tree, and what can be said of one that is not among them. */
export class Places {
  readonly #folders = new Set<string>(['.']);
  readonly #lower = new Map<string, string>();
  readonly #byName = new Map<string, string[]>();
  readonly #ignored = new Map<string, Ignore>();
  readonly #submodules: readonly string[];
  /**
   * Whether the tree is what a registry hands out rather than a repository: then tests, docs and sources may have been left out, and
   * no path is missing for certain.
   */
  readonly published: boolean;

  constructor(readonly tree: SourceTree) {
    let asRepository = tree.files.length === 0;
    for (const { path, utf8 } of tree.files) {
      if (!utf8) continue;
      const name = path.slice(path.lastIndexOf('/') + 1);
      this.#lower.set(path.toLowerCase(), path);
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), path]);
      for (let folder = folderOf(path); !this.#folders.has(folder); folder = folderOf(folder)) {
        this.#folders.add(folder);
        this.#lower.set(folder.toLowerCase(), folder);
      }
      if (name === '.gitignore') this.#readIgnored(path);
      if (/^(\.gitignore|\.gitattributes|\.github\/.*|\.gitlab-ci\.yml|\.pre-commit-config\.yaml)$/.test(path))
        asRepository = true;
    }
    this.published =
      tree.file('PKG-INFO') !== undefined ||
      (!asRepository && tree.file('package.json') !== undefined && !hasLock(tree));
    const modules = tree.text('.gitmodules', 64 * 1024) ?? '';
    this.#submodules = [...modules.matchAll(/^\s*path\s*=\s*(\S+)\s*$/gm)].map((match) => match[1] ?? '');
  }

  #readIgnored(path: string): void {
    const text = this.tree.text(path, 64 * 1024) ?? '';
    // A pattern becomes a regular expression: one with many stars could take for ever.
    const lines = text
      .split(/\r?\n/)
      .filter((line) => line.length <= MAX_PATTERN && (line.match(/\*/g) ?? []).length <= 4);
    this.#ignored.set(folderOf(path), ignore().add(lines));
  }

  isFolder(path: string): boolean {
    return this.#folders.has(path);
  }

  /** A normalised path relative to the root. */
  presence(path: string): Presence {
    if (path === '.' || this.#folders.has(path) || this.tree.exists(path)) return 'there';
    if (path.startsWith('..') || this.tree.truncated) return 'unknown';
    const parts = path.split('/');
    if (parts.some((part) => MADE.has(part.toLowerCase()))) return 'unknown';
    if (this.#submodules.some((module) => isInside(module, path))) return 'unknown';
    for (let end = 1; end < parts.length; end += 1) {
      const above = parts.slice(0, end).join('/');
      // Below a link.
      if (this.tree.exists(above) && this.tree.file(above) === undefined) return 'unknown';
    }
    return this.#isIgnored(path) || this.published ? 'unknown' : 'missing';
  }

  #isIgnored(path: string): boolean {
    for (const [folder, patterns] of this.#ignored) {
      if (!isInside(folder, path) || path === folder) continue;
      const inner = relativeTo(folder, path);
      if (patterns.ignores(inner) || patterns.ignores(`${inner}/`)) return true;
    }
    return false;
  }

  /** The same path in other letters: it works on some disks only. */
  inOtherLetters(path: string): string | undefined {
    const found = this.#lower.get(path.toLowerCase());
    return found === path ? undefined : found;
  }

  /** Files of this name, anywhere. */
  named(name: string): readonly string[] {
    return this.#byName.get(name) ?? [];
  }

  /** Whether any path ends in this one: documents often leave out the first folders. */
  endsSomewhere(path: string): boolean {
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (this.named(name).some((one) => one === path || one.endsWith(`/${path}`))) return true;
    for (const folder of this.#folders) if (folder === path || folder.endsWith(`/${path}`)) return true;
    return false;
  }

  /** The only file of this name, for a suggestion. */
  onlyOne(path: string): string | undefined {
    const found = this.named(path.slice(path.lastIndexOf('/') + 1));
    return found.length === 1 ? found[0] : undefined;
  }
}

function hasLock(tree: SourceTree): boolean {
  return ['package-lock.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lock'].some((name) => tree.exists(name));
}

/** A path as written in a document, from the root of the tree. */
export function fromDocument(document: string, path: string): string {
  return posix.normalize(inFolder(folderOf(document), path)).replace(/\/$/, '');
}
