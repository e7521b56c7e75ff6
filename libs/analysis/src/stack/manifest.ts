import type { Ecosystem } from './services.js';

export interface Dependency {
  /** The requirement as written; empty when there is none. */
  readonly version: string;
  readonly development: boolean;
  readonly path: string;
  readonly line: number | undefined;
}

export interface Script {
  readonly command: string;
  readonly line: number | undefined;
}

/** What the manifests of one folder declare. Names of Python packages are normalised (PEP 503). */
export interface Manifest {
  readonly ecosystem: Ecosystem;
  /** Folder, relative; "." for the root. */
  readonly root: string;
  /** Manifest files, the most telling first. */
  readonly paths: readonly string[];
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly dependencies: ReadonlyMap<string, Dependency>;
  readonly scripts: ReadonlyMap<string, Script>;
  /** Version of the runtime that is asked for, as written. */
  readonly runtime: { readonly range: string; readonly path: string; readonly line: number | undefined } | undefined;
}

/** Path of a file in a folder that may be ".". */
export function inFolder(folder: string, name: string): string {
  return folder === '.' ? name : `${folder}/${name}`;
}

export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}

/** Whether `path` lies in `folder`. */
export function isInside(folder: string, path: string): boolean {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`);
}

/** A path below `folder`, relative to it. */
export function relativeTo(folder: string, path: string): string {
  return folder === '.' ? path : path.slice(folder.length + 1);
}
