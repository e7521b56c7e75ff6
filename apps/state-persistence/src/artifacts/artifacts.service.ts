import type { ReadStream } from 'node:fs';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunArtifact } from '@devmesh/contracts/run';
import { databaseError } from '../database/database.js';
import { prunedError } from '../runs/pruned.js';
import type { ArtifactStore } from './artifact.store.js';
import type { ArtifactsRepository } from './artifacts.repository.js';

export interface ArtifactsServiceOptions {
  readonly store: ArtifactStore;
  readonly repository: ArtifactsRepository;
  /** How long an artifact is kept to which nothing refers yet, ms. */
  readonly uploadGraceMs: number;
  /** Unix ms. */
  readonly now: () => number;
}

/** Files that executions produced, by digest. */
export class ArtifactsService {
  constructor(private readonly options: ArtifactsServiceOptions) {}

  /** Stores the bytes, which must have this digest. Storing them again changes nothing. */
  async put(digest: string, source: AsyncIterable<Uint8Array>): Promise<{ digest: string; size: number }> {
    const { store, repository, now, uploadGraceMs } = this.options;
    // The row first: it waits for whoever removes this very artifact, and from then on nobody does.
    const size = await store.write(digest, source, async (bytes) => {
      await repository.add(digest, bytes, now(), now() + uploadGraceMs).catch(rethrow);
    });
    return { digest, size };
  }

  /** Size in bytes, of one that is kept from here on for as long as an upload would be. Throws `not_found`. */
  async announce(digest: string): Promise<number> {
    const { repository, now, uploadGraceMs } = this.options;
    await repository.keep(digest, now() + uploadGraceMs).catch(rethrow);
    return this.size(digest);
  }

  /** Size in bytes. Throws `not_found`. */
  async size(digest: string): Promise<number> {
    const size = await this.options.store.size(digest);
    if (size === null)
      throw new DevmeshError('not_found', `there is no artifact ${digest}; it was never uploaded, or removed`);
    return size;
  }

  read(digest: string): ReadStream {
    return this.options.store.read(digest);
  }

  async ofRun(runId: string): Promise<RunArtifact[]> {
    const found = await this.options.repository.ofRun(runId).catch(rethrow);
    if (found === null) throw new DevmeshError('not_found', `there is no run ${runId}`);
    if (found.prunedAt !== null) throw prunedError(runId, found.prunedAt);
    return found.items;
  }
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
