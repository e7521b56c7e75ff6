import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '@devmesh/contracts/ids';
import { RepositoryRef } from '@devmesh/contracts/repository';
import type { PackedRepository } from '../pack.js';
import { packRepository } from '../pack.js';
import { RepositoryCache, type RepositoryCacheOptions } from '../store.js';
import { removeAll } from './sample-git.js';

/** The artifact store's part in tests: keeps bundles by digest in a folder of its own, and a cache that reads from it. */
export class BundleShelf {
  readonly folder = mkdtempSync(join(tmpdir(), 'devmesh-shelf-'));
  /** Digests asked for, in order. */
  readonly fetched: Digest[] = [];

  put(file: string): Digest {
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
    copyFileSync(file, join(this.folder, digest));
    return digest;
  }

  readonly fetch = (digest: Digest): Promise<string> => {
    this.fetched.push(digest);
    return Promise.resolve(join(this.folder, digest));
  };

  cache(options: Partial<RepositoryCacheOptions> = {}): RepositoryCache {
    return new RepositoryCache({ root: join(this.folder, 'cache'), fetchBundle: this.fetch, ...options });
  }

  /** Packs a repository as the command would, and returns what the mesh passes around. */
  async submit(path: string, ref?: string): Promise<{ packed: PackedRepository; ref: RepositoryRef }> {
    const packed = await packRepository(path, {
      outFile: this.file('submitted'),
      ...(ref === undefined ? {} : { ref }),
    });
    const { base, commit, shallow } = packed;
    return { packed, ref: RepositoryRef.parse({ bundles: [this.put(packed.file)], base, commit, shallow }) };
  }

  file(name: string): string {
    return join(this.folder, `${name}.bundle`);
  }

  /** Names of what lies in the cache's folder for half-done work and checkouts. */
  leftovers(): string[] {
    return ['tmp', 'work']
      .map((name) => join(this.folder, 'cache', name))
      .flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
  }

  remove(): void {
    removeAll(this.folder);
  }
}
