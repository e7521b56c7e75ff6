import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TreeChange } from '../change/review-change.js';
import { decode } from '../findings/read-text.js';
import type { PolicyProblem } from './located-yaml.js';

/** Largest file of `.devmesh/` that is read, in bytes (4 MiB). */
export const SETTINGS_FILE_BYTES = 4 * 1024 ** 2;

const FOLDER = '.devmesh/';
const MAX_FILES = 500;

/** The files of a project's `.devmesh/` by path, as text, and those that can't be read. */
export interface SettingsFiles {
  readonly texts: ReadonlyMap<string, string>;
  readonly problems: readonly PolicyProblem[];
}

/**
 * The settings of a tree. With a change, those of its base: what a change says of its own review doesn't count. Links are not followed.
 */
export function settingsFiles(root: string, change?: TreeChange): SettingsFiles {
  const texts = new Map<string, string>();
  const problems = new Map<string, PolicyProblem>();
  for (const folder of ['.devmesh', '.devmesh/rules']) readFolder(root, folder, texts, problems);
  for (const { path, basePath } of change?.files ?? []) {
    if (path?.startsWith(FOLDER) === true) {
      texts.delete(path);
      problems.delete(path);
    }
    if (basePath?.startsWith(FOLDER) !== true) continue;
    const content = change?.baseContents.get(basePath);
    if (content) texts.set(basePath, decode(content).text);
    else if (isSetting(basePath)) problems.set(basePath, unreadable(basePath));
  }
  return { texts, problems: [...problems.values()] };
}

const isSetting = (path: string): boolean => /^\.devmesh\/(review\.yaml|[\w.-]+\.json|rules\/[^/]+\.ya?ml)$/.test(path);

function unreadable(path: string): PolicyProblem {
  return {
    path,
    line: 1,
    column: 1,
    message: `it can't be read: it must be a file, not a link, of at most ${SETTINGS_FILE_BYTES / 1024 ** 2} MiB`,
  };
}

function readFolder(
  root: string,
  folder: string,
  texts: Map<string, string>,
  problems: Map<string, PolicyProblem>,
): void {
  let names: string[];
  try {
    if (!lstatSync(join(root, folder)).isDirectory()) {
      problems.set(folder, unreadable(folder));
      return;
    }
    names = readdirSync(join(root, folder))
      .filter((name) => isSetting(`${folder}/${name}`))
      .sort();
    if (names.length > MAX_FILES) {
      const message = `at most ${MAX_FILES} files of settings are read here: put several rules into one`;
      problems.set(folder, { path: folder, line: 1, column: 1, message });
      return;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') problems.set(folder, unreadable(folder));
    return;
  }
  for (const name of names) {
    const path = `${folder}/${name}`;
    try {
      const handle = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const { size } = fstatSync(handle);
        if (!fstatSync(handle).isFile() || size > SETTINGS_FILE_BYTES) problems.set(path, unreadable(path));
        else texts.set(path, decode(readFileSync(handle)).text);
      } finally {
        closeSync(handle);
      }
    } catch {
      problems.set(path, unreadable(path));
    }
  }
}
