import { constants } from 'node:fs';
import { mkdir, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { CommitId } from '@devmesh/contracts/ids';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { git, GitFailure } from './git.js';
import { decodePath, showName } from './names.js';
import { removeTree } from './remove-tree.js';
import { listTree, type TreeEntry } from './tree.js';

const DEFAULT_READ_BYTES = 16 * 1024 ** 2;

function asBytes(relPath: string | Buffer): Buffer {
  const bytes = typeof relPath === 'string' ? Buffer.from(relPath) : relPath;
  if (bytes.length === 0 || bytes.includes(0) || bytes[0] === 0x2f) {
    throw new DevmeshError(
      'invalid_input',
      `${showName(decodePath(bytes).path)} is not a path relative to the workspace`,
    );
  }
  return bytes;
}

/**
 * A private checkout of one commit, byte for byte: no filter, no change of line ends or encodings, links made and never followed. The git
 * directory lies beside the tree, not in it, and belongs to us: tools that run in the tree find no repository there.
 */
export class Workspace {
  readonly #dir: string;
  readonly #realPath: Buffer;
  readonly ref: RepositoryRef;

  private constructor(dir: string, realPath: Buffer, ref: RepositoryRef) {
    this.#dir = dir;
    this.#realPath = realPath;
    this.ref = ref;
  }

  /** Fills `dir/tree` from `dir/git`, which holds the commit's objects. Used by `RepositoryCache`. */
  static async checkOut(dir: string, ref: RepositoryRef, signal?: AbortSignal): Promise<Workspace> {
    const tree = join(dir, 'tree');
    await mkdir(tree);
    try {
      await git(['read-tree', '--reset', '-u', ref.commit], {
        gitDir: join(dir, 'git'),
        workTree: tree,
        timeoutMs: 600_000,
        signal,
      });
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error;
      throw new DevmeshError(
        'invalid_repository',
        `commit ${ref.commit} can't be checked out of its ${ref.bundles.length} bundle(s): ${error.stderr.trim().slice(0, 300)}; pack the repository again`,
        { cause: error },
      );
    }
    return new Workspace(dir, await realpath(tree, { encoding: 'buffer' }), ref);
  }

  /** Absolute path of the tree. */
  get path(): string {
    return join(this.#dir, 'tree');
  }

  get gitDir(): string {
    return join(this.#dir, 'git');
  }

  get commit(): CommitId {
    return this.ref.commit;
  }

  /** What the commit holds, whatever has happened to the tree since. */
  async listFiles(signal?: AbortSignal): Promise<TreeEntry[]> {
    return listTree(this.gitDir, this.commit, signal);
  }

  /**
   * Content of a file of the tree. A link is followed only while it stays in the tree.
   * Throws `forbidden` (leaves the tree, or not a regular file), `not_found`, `payload_too_large` (over `maxBytes`, default 16 MiB).
   */
  async safeRead(relPath: string | Buffer, maxBytes = DEFAULT_READ_BYTES): Promise<Buffer> {
    const bytes = asBytes(relPath);
    const shown = showName(decodePath(bytes).path);
    const real = await this.#resolve(bytes);
    if (real === null) throw new DevmeshError('not_found', `${shown} does not exist in the workspace`);
    // Without waiting, should it be a pipe; without following, should the file have become a link since.
    const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile()) throw new DevmeshError('forbidden', `${shown} is not a regular file`);
      if (found.size > maxBytes)
        throw new DevmeshError('payload_too_large', `${shown} has ${found.size} bytes; at most ${maxBytes} are read`);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  }

  /**
   * Writes a file of the tree, with the folders it needs. Refuses with `forbidden` where a link would lead the write out of the
   * tree, or into its place; an executable file stays one.
   */
  async safeWrite(relPath: string | Buffer, content: Buffer | string): Promise<void> {
    const bytes = asBytes(relPath);
    const shown = showName(decodePath(bytes).path);
    const parts = bytes.toString('latin1').split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git')) {
      throw new DevmeshError('forbidden', `${shown} may not be written: give a plain path inside the workspace`);
    }
    let folder = this.#realPath;
    for (const part of parts.slice(0, -1)) {
      const step = Buffer.concat([folder, Buffer.from('/'), Buffer.from(part, 'latin1')]);
      await mkdir(step).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      });
      folder = await realpath(step, { encoding: 'buffer' });
      if (!this.#holds(folder))
        throw new DevmeshError('forbidden', `${shown} may not be written: a link leads out of the workspace`);
    }
    const file = Buffer.concat([folder, Buffer.from('/'), Buffer.from(parts.at(-1) ?? '', 'latin1')]);
    try {
      const handle = await open(
        file,
        constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK,
        0o644,
      );
      await handle.writeFile(content).finally(() => handle.close());
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ELOOP') throw new DevmeshError('forbidden', `${shown} may not be written: it is a link`);
      if (code === 'ENOSPC') throw new DevmeshError('storage_full', `no space left to write ${shown}: free some`);
      if (code === 'EISDIR' || code === 'ENXIO')
        throw new DevmeshError('forbidden', `${shown} may not be written: it is not a regular file`);
      throw error;
    }
  }

  /** Removes the checkout. May be called twice. */
  async dispose(): Promise<void> {
    await removeTree(this.#dir);
  }

  #holds(real: Buffer): boolean {
    const root = this.#realPath;
    return real.equals(root) || (real.subarray(0, root.length).equals(root) && real[root.length] === 0x2f);
  }

  /** The real path of an existing file; null when there is none. Throws `forbidden` when it lies outside. */
  async #resolve(bytes: Buffer): Promise<Buffer | null> {
    let real: Buffer;
    try {
      real = await realpath(Buffer.concat([this.#realPath, Buffer.from('/'), bytes]), { encoding: 'buffer' });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      if (code === 'ELOOP')
        throw new DevmeshError('forbidden', `${showName(decodePath(bytes).path)} is a link that leads to itself`);
      throw error;
    }
    if (!this.#holds(real))
      throw new DevmeshError(
        'forbidden',
        `${showName(decodePath(bytes).path)} leads out of the workspace and is not read`,
      );
    return real;
  }
}
