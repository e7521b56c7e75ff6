import type { ArtifactRef } from '@devmesh/contracts/artifact';
import { LRUCache } from 'lru-cache';
import { SearchIndex } from '../search-index/index-file.js';

/** How much of unpacked indexes is kept loaded, in bytes. */
const DEFAULT_BYTES = 256 * 1024 ** 2;

/** Indexes that were searched lately, by digest: content never changes under a digest, so nothing goes stale. */
export class LoadedIndexes {
  readonly #cache: LRUCache<string, SearchIndex>;
  readonly #loading = new Map<string, Promise<SearchIndex>>();

  constructor(maxBytes = DEFAULT_BYTES) {
    this.#cache = new LRUCache({ maxSize: maxBytes, sizeCalculation: (index) => Math.max(1, index.size) });
  }

  /** Searches at the same time share one load. An index over the limit is used and not kept. */
  async get(
    ref: Pick<ArtifactRef, 'digest'>,
    read: (ref: Pick<ArtifactRef, 'digest'>) => Promise<Buffer>,
  ): Promise<SearchIndex> {
    const { digest } = ref;
    const known = this.#cache.get(digest);
    if (known) return known;
    const underWay = this.#loading.get(digest);
    if (underWay) return underWay;
    const loading = read(ref).then((bytes) => SearchIndex.load(bytes));
    this.#loading.set(digest, loading);
    try {
      const index = await loading;
      this.#cache.set(digest, index);
      return index;
    } finally {
      this.#loading.delete(digest);
    }
  }
}
