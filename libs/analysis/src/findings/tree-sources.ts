import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { SourceFiles } from '../flow/module-store.js';
import { decode, MAX_FILE_BYTES } from './read-text.js';
import type { TreeFile } from './walk.js';

/** The files of a checkout for those who ask for one by its path. What can't be read is not there. */
export class TreeSources implements SourceFiles {
  readonly #files: ReadonlyMap<string, TreeFile>;

  #folders: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(files: readonly TreeFile[]) {
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  list(folder: string): readonly string[] {
    this.#folders ??= byFolder(this.#files.keys());
    return this.#folders.get(folder) ?? [];
  }

  has(path: string): boolean {
    return this.#files.has(path);
  }

  read(path: string): string | undefined {
    const file = this.#files.get(path);
    if (!file) return undefined;
    try {
      const handle = openSync(file.bytes, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        return fstatSync(handle).size > MAX_FILE_BYTES ? undefined : decode(readFileSync(handle)).text;
      } finally {
        closeSync(handle);
      }
    } catch {
      return undefined;
    }
  }

  get(path: string): string | undefined {
    return this.read(path);
  }
}

/** Paths by the folder that they are directly in; `.` is the root. */
export function byFolder(paths: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  return Map.groupBy(paths, (path) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.'));
}
