import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, readdir, rename, stat, utimes } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Digest } from '@devmesh/contracts/ids';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { packNames, readBundleHeader, unpackBundle } from './bundle.js';
import { writeGitDir, type ObjectFormat } from './git-dir.js';
import { removeTree } from './remove-tree.js';
import { Workspace } from './workspace.js';

export interface RepositoryCacheOptions {
  /** A folder of this cache alone, on the disk where workspaces shall be. Made if missing. */
  readonly root: string;
  /** Gives a local file with the bundle of this digest. The file stays the port's: it is read, never removed. */
  readonly fetchBundle: (digest: Digest) => Promise<string>;
  /** Most repositories kept; default 64. */
  readonly maxEntries?: number;
  /** Most bytes of packs kept; default 8 GiB. The newest stays even if it is larger. */
  readonly maxBytes?: number;
}

/** A git directory that holds a `RepositoryRef` and no checkout. Enough for `integrate`. */
export interface Scratch {
  readonly gitDir: string;
  readonly ref: RepositoryRef;
  dispose(): Promise<void>;
}

const DEFAULT_MAX_ENTRIES = 64;
const DEFAULT_MAX_BYTES = 8 * 1024 ** 3;
/** A repository can be evicted between two steps; each try makes it again. */
const TRIES = 3;

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function shareFile(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    // Another disk, or one without hard links.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
    await copyFile(from, to);
  }
}

/** Links every pack of `from` into `to`: objects are shared on disk, and each side may be removed alone. */
async function sharePacks(from: string, to: string): Promise<void> {
  const source = join(from, 'objects', 'pack');
  const names = (await readdir(source)).filter((name) => /\.(pack|idx)$/.test(name));
  await Promise.all(names.map((name) => shareFile(join(source, name), join(to, 'objects', 'pack', name))));
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/**
 * Turns references into repositories on this disk. Bundles are unpacked once and shared by hard links; a result that adds a
 * bundle to a known repository costs only that bundle. Safe for concurrent calls and for several processes on one root: what
 * is half done lies in `tmp` and becomes visible by one rename.
 */
export class RepositoryCache {
  readonly #options: RepositoryCacheOptions;
  readonly #pending = new Map<string, Promise<string>>();
  #ready: Promise<void> | undefined;

  constructor(options: RepositoryCacheOptions) {
    // git runs in other folders than this process.
    this.#options = { ...options, root: resolve(options.root) };
  }

  /**
   * A private checkout of exactly `ref.commit`; the caller disposes it. Throws `invalid_repository` for bundles that are damaged or
   * don't hold the commit, `bad_reply` for a file with another digest, and what `fetchBundle` throws.
   */
  async workspace(ref: RepositoryRef, signal?: AbortSignal): Promise<Workspace> {
    const dir = await this.#privateDir(ref, signal);
    try {
      return await Workspace.checkOut(dir, ref, signal);
    } catch (error) {
      await removeTree(dir);
      throw error;
    }
  }

  /** As `workspace`, without files. */
  async scratch(ref: RepositoryRef, signal?: AbortSignal): Promise<Scratch> {
    const dir = await this.#privateDir(ref, signal);
    return { gitDir: join(dir, 'git'), ref, dispose: () => removeTree(dir) };
  }

  /** Removes what processes that are gone have left behind. Done by itself before the first use. */
  #prepare(): Promise<void> {
    return (this.#ready ??= (async () => {
      const { root } = this.#options;
      for (const name of ['repositories', 'tmp', 'work']) await mkdir(join(root, name), { recursive: true });
      for (const folder of ['tmp', 'work']) {
        for (const name of await readdir(join(root, folder))) {
          const [owner, incarnation] = name.split('-');
          const alive = Number(owner) === process.pid ? incarnation === INCARNATION : isAlive(Number(owner));
          if (!alive) await removeTree(join(root, folder, name));
        }
      }
    })());
  }

  async #privateDir(ref: RepositoryRef, signal?: AbortSignal): Promise<string> {
    await this.#prepare();
    for (let attempt = 1; ; attempt++) {
      const repository = await this.#materialise(ref.bundles, ref.shallow, signal);
      const dir = await this.#temporary('work');
      try {
        const gitDir = join(dir, 'git');
        await writeGitDir(gitDir, {
          objectFormat: formatOf(ref),
          head: ref.commit,
          shallow: ref.shallow,
          plainBytes: true,
        });
        await sharePacks(repository, gitDir);
        return dir;
      } catch (error) {
        await removeTree(dir);
        if (!isMissing(error) || attempt >= TRIES) throw error;
      }
    }
  }

  #temporary(folder: 'tmp' | 'work'): Promise<string> {
    return mkdtemp(join(this.#options.root, folder, `${process.pid}-${INCARNATION}-`));
  }

  /** The cached bare repository of these bundles; concurrent callers share one piece of work. */
  async #materialise(bundles: readonly Digest[], shallow: readonly string[], signal?: AbortSignal): Promise<string> {
    const key = createHash('sha256')
      .update(JSON.stringify([bundles, shallow]))
      .digest('hex');
    const target = join(this.#options.root, 'repositories', key);
    const now = new Date();
    try {
      await utimes(target, now, now);
      return target;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      // The work isn't tied to one caller's signal: others may wait for it too.
      pending = this.#build(target, bundles, shallow).finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
      pending.catch(() => undefined);
    }
    return signal === undefined ? pending : Promise.race([pending, aborted(signal)]);
  }

  async #build(target: string, bundles: readonly Digest[], shallow: readonly string[]): Promise<string> {
    const digest = bundles.at(-1);
    if (digest === undefined)
      throw new DevmeshError('invalid_repository', 'a repository reference names no bundle: pack the repository again');
    const dir = await this.#temporary('tmp');
    try {
      const what = `bundle ${digest}`;
      const file = await this.#options.fetchBundle(digest);
      const header = await readBundleHeader(file, what);
      if ((await digestOf(file)) !== digest) {
        throw new DevmeshError('bad_reply', `${what} arrived with other content than its digest says: fetch it again`, {
          retryable: true,
        });
      }
      await writeGitDir(dir, { objectFormat: header.objectFormat, head: 'ref: refs/heads/none', shallow });
      if (bundles.length > 1) {
        const before = bundles.slice(0, -1);
        for (let attempt = 1; ; attempt++) {
          try {
            await sharePacks(await this.#materialise(before, shallow), dir);
            break;
          } catch (error) {
            if (!isMissing(error) || attempt >= TRIES) throw error;
          }
        }
      }
      await unpackBundle(dir, file, header, what);
      await publish(dir, target);
    } finally {
      await removeTree(dir);
    }
    await this.#evict(target);
    return target;
  }

  /** Drops the least recently used repositories over the bounds. Workspaces hold links of their own and live on. */
  async #evict(keep: string): Promise<void> {
    const folder = join(this.#options.root, 'repositories');
    const entries = await Promise.all((await readdir(folder)).map((name) => measure(join(folder, name))));
    const byAge = entries.filter((entry) => entry !== null).sort((a, b) => b.usedAt - a.usedAt);
    let count = 1;
    let bytes = byAge.find((entry) => entry.path === keep)?.bytes ?? 0;
    for (const entry of byAge) {
      if (entry.path === keep) continue;
      count += 1;
      bytes += entry.bytes;
      if (
        count <= (this.#options.maxEntries ?? DEFAULT_MAX_ENTRIES) &&
        bytes <= (this.#options.maxBytes ?? DEFAULT_MAX_BYTES)
      )
        continue;
      const grave = await this.#temporary('tmp');
      // Renamed first, so that nobody finds a repository with half of its packs.
      await rename(entry.path, join(grave, 'evicted')).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
      await removeTree(grave);
    }
  }
}

/** Tells this process's folders from those of an earlier one with the same id, as in a container. */
const INCARNATION = randomBytes(4).toString('hex');

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function formatOf(ref: RepositoryRef): ObjectFormat {
  return ref.commit.length === 64 ? 'sha256' : 'sha1';
}

function aborted(signal: AbortSignal): Promise<never> {
  const error = (): DevmeshError => new DevmeshError('execution_cancelled', 'fetching the repository was cancelled');
  if (signal.aborted) return Promise.reject(error());
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(error()), { once: true }));
}

async function publish(dir: string, target: string): Promise<void> {
  try {
    await rename(dir, target);
  } catch (error) {
    // Another process was first; its copy is as good.
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

async function measure(path: string): Promise<{ path: string; usedAt: number; bytes: number } | null> {
  try {
    const usedAt = (await stat(path)).mtimeMs;
    const sizes = await Promise.all(
      (await packNames(path)).map(async (name) => (await stat(join(path, 'objects', 'pack', `${name}.pack`))).size),
    );
    return { path, usedAt, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}
