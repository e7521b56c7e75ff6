import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import { showName } from './names.js';

/** Where a user's repository keeps what. All paths absolute. */
export interface RepositoryLocation {
  /** Top folder of the working tree. */
  readonly root: string;
  /** `HEAD` and `index` of this working tree. */
  readonly gitDir: string;
  /** Refs, config and objects; differs from `gitDir` in a linked worktree. */
  readonly commonDir: string;
  /** The repository's own object folder first, then the alternates it names, followed to their ends. */
  readonly objectDirs: readonly string[];
}

const MAX_SMALL_FILE_BYTES = 1024 ** 2;
const MAX_ALTERNATES = 50;

function invalid(message: string, cause?: unknown): DevmeshError {
  return new DevmeshError('invalid_repository', message, { cause });
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'none'> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? 'folder' : found.isFile() ? 'file' : 'none';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES') throw invalid(`${showName(path)} may not be read: give this user read access to it`, error);
    return 'none';
  }
}

/** Reads a small text file of a git directory; null when there is none. A pipe or a huge file is refused. */
export async function readSmallFile(path: string): Promise<Buffer | null> {
  try {
    const found = await stat(path);
    if (!found.isFile() || found.size > MAX_SMALL_FILE_BYTES) {
      throw invalid(
        `${showName(path)} is not a file of at most ${MAX_SMALL_FILE_BYTES} bytes, as git would write it: repair the repository`,
      );
    }
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    if (code === 'EACCES') throw invalid(`${showName(path)} may not be read: give this user read access to it`, error);
    throw error;
  }
}

async function looksLikeGitDir(dir: string): Promise<boolean> {
  if ((await kindOf(join(dir, 'HEAD'))) !== 'file') return false;
  const common = await commonDirOf(dir);
  return (await kindOf(join(common, 'objects'))) === 'folder' && (await kindOf(join(common, 'refs'))) === 'folder';
}

async function commonDirOf(gitDir: string): Promise<string> {
  const text = (await readSmallFile(join(gitDir, 'commondir')))?.toString().trim();
  if (text === undefined || text === '') return gitDir;
  return isAbsolute(text) ? text : resolve(gitDir, text);
}

async function gitDirAt(folder: string): Promise<string | null> {
  const dotGit = join(folder, '.git');
  const kind = await kindOf(dotGit);
  if (kind === 'folder') return (await looksLikeGitDir(dotGit)) ? dotGit : null;
  if (kind === 'none') return null;
  const target = /^gitdir: ?(.+?)\s*$/s.exec((await readSmallFile(dotGit))?.toString() ?? '')?.[1];
  if (target === undefined)
    throw invalid(`${showName(dotGit)} is a file that names no git folder: clone the repository again`);
  const gitDir = resolve(folder, target);
  if (!(await looksLikeGitDir(gitDir))) {
    throw invalid(
      `${showName(dotGit)} points to ${showName(gitDir)}, which is not a git folder: run "git worktree repair" in the main repository, or clone again`,
    );
  }
  return gitDir;
}

async function alternatesOf(objects: string, seen: Set<string>): Promise<string[]> {
  const text = (await readSmallFile(join(objects, 'info', 'alternates')))?.toString() ?? '';
  const found: string[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    let entry = line;
    if (line.startsWith('"')) {
      try {
        entry = String(JSON.parse(line));
      } catch {
        continue;
      }
    }
    const dir = resolve(objects, entry);
    if (seen.has(dir) || seen.size >= MAX_ALTERNATES || (await kindOf(dir)) !== 'folder') continue;
    seen.add(dir);
    found.push(dir, ...(await alternatesOf(dir, seen)));
  }
  return found;
}

/**
 * Finds the repository that holds `path` (a folder of its working tree), as git would, but without running git there.
 * Throws `invalid_repository` for a missing or unreadable path, a folder outside every repository, and a bare one.
 */
export async function locateRepository(path: string): Promise<RepositoryLocation> {
  const asked = resolve(path);
  let start: string;
  try {
    start = await realpath(asked);
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === 'EACCES'
        ? 'may not be read: give this user access to it'
        : 'does not exist: check the path';
    throw invalid(`${showName(asked)} ${why}`, error);
  }
  if ((await kindOf(start)) !== 'folder')
    throw invalid(`${showName(asked)} is not a folder: give the folder of a git working tree`);

  for (let folder = start; ; folder = dirname(folder)) {
    const gitDir = await gitDirAt(folder);
    if (gitDir !== null) {
      const commonDir = await realpath(await commonDirOf(gitDir));
      const objects = join(commonDir, 'objects');
      const objectDirs = [objects, ...(await alternatesOf(objects, new Set([objects])))];
      return { root: folder, gitDir: await realpath(gitDir), commonDir, objectDirs };
    }
    if (basename(folder) !== '.git' && (await looksLikeGitDir(folder))) {
      throw invalid(
        `${showName(folder)} is a bare repository (it has no working tree): clone it ("git clone ${showName(folder)} work") and give the clone`,
      );
    }
    if (dirname(folder) === folder) break;
  }
  throw invalid(
    `${showName(asked)} is not in a git repository: run "git init" and commit there, or give the path of a repository`,
  );
}
