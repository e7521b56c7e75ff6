import { constants } from 'node:fs';
import { open, readdir, type FileHandle } from 'node:fs/promises';
import { GENERATED_FOLDERS, VENDORED_FOLDERS } from '../tree/foreign-folders.js';

/** Why a file is not reviewed. */
export const SKIP_REASONS = [
  'link',
  'special',
  'too-large',
  'binary',
  'minified',
  'vendored',
  'generated',
  'unreadable',
] as const;
export type SkipReason = (typeof SKIP_REASONS)[number];

/** A file of a checkout. `path` is relative with "/"; `exact` is false where its name is not UTF-8 and `path` only resembles it. */
export interface TreeFile {
  readonly path: string;
  readonly exact: boolean;
  /** The real name, absolute. */
  readonly bytes: Buffer;
}

export type WalkEntry = { readonly file: TreeFile } | { readonly skipped: SkipReason; readonly path: string };

const SLASH = Buffer.from('/');

/**
 * Every file below `root`, in byte order of their names, so that two walks of the same tree agree. Links are never followed, `.git`
 * and nested repositories are left alone, folders of others' code are counted as one entry each.
 */
export async function* walk(root: string): AsyncGenerator<WalkEntry> {
  yield* walkFolder(Buffer.from(root), '', true);
}

async function* walkFolder(folder: Buffer, prefix: string, exact: boolean): AsyncGenerator<WalkEntry> {
  const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  // A folder with its own `.git` is another repository; the root's is ours.
  if (prefix !== '' && entries.some((entry) => entry.name.toString() === '.git')) return;
  for (const entry of entries) {
    const name = entry.name.toString('utf8');
    if (name === '.git') continue;
    const path = prefix + name;
    const isExact = exact && Buffer.from(name).equals(entry.name);
    const bytes = Buffer.concat([folder, SLASH, entry.name]);
    if (entry.isSymbolicLink()) yield { skipped: 'link', path };
    else if (entry.isDirectory()) {
      const lower = name.toLowerCase();
      if (VENDORED_FOLDERS.has(lower)) yield { skipped: 'vendored', path };
      else if (GENERATED_FOLDERS.has(lower)) yield { skipped: 'generated', path };
      else yield* walkFolder(bytes, `${path}/`, isExact);
    } else if (entry.isFile()) yield { file: { path, exact: isExact, bytes } };
    else yield { skipped: 'special', path };
  }
}

/** Opens a file for reading, and fails when it has become a link meanwhile. */
export function openFile(file: TreeFile): Promise<FileHandle> {
  return open(file.bytes, constants.O_RDONLY | constants.O_NOFOLLOW);
}
