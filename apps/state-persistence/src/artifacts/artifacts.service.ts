import type { ReadStream } from 'node:fs';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunArtifact } from '@devmesh/contracts/run';
import { databaseError } from '../database/database.js';
import type { ArtifactStore } from './artifact.store.js';
import type { ArtifactsRepository } from './artifacts.repository.js';

export interface ArtifactsServiceOptions {
  readonly store: ArtifactStore;
  readonly repository: ArtifactsRepository;
  /** Unix ms. */
  readonly now: () => number;
}

/** Files that executions produced, by digest. */
export class ArtifactsService {
  constructor(private readonly options: ArtifactsServiceOptions) {}

  /** Stores the bytes, which must have this digest. Storing them again changes nothing. */
  async put(digest: string, source: AsyncIterable<Uint8Array>): Promise<{ digest: string; size: number }> {
    const { store, repository, now } = this.options;
    const size = await store.write(digest, source);
    await repository.add(digest, size, now()).catch(rethrow);
    return { digest, size };
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
    const items = await this.options.repository.ofRun(runId).catch(rethrow);
    if (items === null) throw new DevmeshError('not_found', `there is no run ${runId}`);
    return items;
  }
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
