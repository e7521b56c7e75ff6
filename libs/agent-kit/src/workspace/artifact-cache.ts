import { chmod, mkdir, readdir, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '@devmesh/contracts/ids';
import type { StateClient } from '@devmesh/service-client/state.client';

export interface ArtifactCacheOptions {
  /** A folder of this process's service alone. Made when first used. */
  readonly root: string;
  readonly artifacts: Pick<StateClient['artifacts'], 'getFile'>;
  /** Most bytes kept; default 2 GiB. */
  readonly maxBytes?: number;
}

/** A file that was used this recently is never removed, ms: somebody may be reading it. */
const IN_USE_MS = 10 * 60_000;

/** Artifacts as local read-only files, fetched once. */
export class ArtifactCache {
  readonly #options: ArtifactCacheOptions;
  readonly #pending = new Map<Digest, Promise<string>>();

  constructor(options: ArtifactCacheOptions) {
    this.#options = options;
  }

  /** A file with the content of the digest. Throws what the store throws. */
  file(digest: Digest): Promise<string> {
    let pending = this.#pending.get(digest);
    if (pending === undefined) {
      pending = this.#fetch(digest).finally(() => this.#pending.delete(digest));
      this.#pending.set(digest, pending);
    }
    return pending;
  }

  async #fetch(digest: Digest): Promise<string> {
    const { root, artifacts } = this.#options;
    const path = join(root, digest);
    const now = new Date();
    try {
      await utimes(path, now, now);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await mkdir(root, { recursive: true, mode: 0o700 });
    const size = await artifacts.getFile(digest, path);
    await chmod(path, 0o400);
    await this.#evict(size);
    return path;
  }

  /** Removes what was not used for longest until the bound holds. */
  async #evict(added: number): Promise<void> {
    const { root, maxBytes = 2 * 1024 ** 3 } = this.#options;
    if (added === 0) return;
    const found = await Promise.all(
      (await readdir(root)).map(async (name) => {
        const file = await stat(join(root, name)).catch(() => undefined);
        return { name, bytes: file?.size ?? 0, usedAt: file?.mtimeMs ?? 0 };
      }),
    );
    let bytes = found.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of found.sort((a, b) => a.usedAt - b.usedAt)) {
      if (bytes <= maxBytes || Date.now() - file.usedAt < IN_USE_MS) return;
      await rm(join(root, file.name), { force: true });
      bytes -= file.bytes;
    }
  }
}
