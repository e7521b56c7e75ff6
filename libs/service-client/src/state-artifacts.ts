import type { Digest } from '@devmesh/contracts/ids';
import { z } from 'zod';
import { DevmeshError } from '@devmesh/contracts/errors';
import { download, downloadFile, upload, type ArtifactContent, type Stored } from './artifact-transfer.js';
import type { CallOptions, ServiceCaller } from './http/service-caller.js';
import { pathOf } from './path.js';

/** Most bytes that are read into memory where the caller says nothing. */
const DEFAULT_MAX_BYTES = 64 * 1024 ** 2;

/** The artifact store of state-persistence: content by SHA-256, streamed and checked. */
export class StateArtifacts {
  readonly #caller: ServiceCaller;

  constructor(caller: ServiceCaller) {
    this.#caller = caller;
  }

  put(content: ArtifactContent, options?: CallOptions): Promise<Stored> {
    return upload(this.#caller, content, options);
  }

  get(digest: Digest, options?: CallOptions & { maxBytes?: number }): Promise<Buffer> {
    return download(this.#caller, digest, options?.maxBytes ?? DEFAULT_MAX_BYTES, options);
  }

  /** Gives its size in bytes. */
  getFile(digest: Digest, target: string, options?: CallOptions): Promise<number> {
    return downloadFile(this.#caller, digest, target, options);
  }

  async has(digest: Digest, options: CallOptions = {}): Promise<boolean> {
    try {
      await this.#caller.call({ method: 'HEAD', path: pathOf`/v1/artifacts/${digest}`, ...options }, z.unknown());
      return true;
    } catch (error) {
      // The answer to HEAD has no body that could name the code.
      if (
        error instanceof DevmeshError &&
        (error.code === 'not_found' || error.code === 'gone' || error.code === 'bad_reply')
      )
        return false;
      throw error;
    }
  }
}
