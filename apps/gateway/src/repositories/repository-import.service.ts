import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { ImportRepository } from '@devmesh/contracts/gateway-api';
import { contentOf, type RunRepository } from '@devmesh/contracts/run';
import { redactUrl, type cloneRepository, type CloneOptions } from '@devmesh/repository/clone';
import type { z } from 'zod';
import type { Caller } from '../api-keys/caller.js';
import type { ArtifactAccessService } from '../artifacts/artifact-access.service.js';
import type { StatePort } from '../upstream/state.port.js';

export interface ImportSettings {
  readonly protocols: NonNullable<CloneOptions['allowProtocols']>;
  /** For a whole clone, ms. */
  readonly timeoutMs: number;
  /** How many clones run at once; more are refused and may come back. */
  readonly concurrency: number;
  /** Where clones are put while they last. */
  readonly folder: string;
}

const BUSY_RETRY_MS = 5_000;

/** Brings a repository by URL into the store, so that from there on it is as if its owner had uploaded it. */
export class RepositoryImportService {
  #running = 0;

  constructor(
    private readonly settings: ImportSettings,
    private readonly clone: typeof cloneRepository,
    private readonly state: Pick<StatePort, 'storeFile'>,
    private readonly access: Pick<ArtifactAccessService, 'grant'>,
  ) {}

  /**
   * Clones, stores the bundle and what led to it, and forgets the clone. Throws `clone_failed`, `clone_timeout`, `invalid_repository`,
   * `rate_limited`. Credentials in the URL are used and kept nowhere: neither in the answer nor in an error.
   */
  async import(
    caller: Caller,
    request: z.output<typeof ImportRepository>,
    signal?: AbortSignal,
  ): Promise<RunRepository> {
    if (this.#running >= this.settings.concurrency) {
      throw new DevmeshError(
        'rate_limited',
        `${this.#running} repositories are being cloned already, and this mesh clones no more at once: try again in ${BUSY_RETRY_MS / 1000} s`,
        { retryAfterMs: BUSY_RETRY_MS },
      );
    }
    this.#running += 1;
    try {
      await mkdir(this.settings.folder, { recursive: true, mode: 0o700 });
      const dir = await mkdtemp(join(this.settings.folder, 'import-'));
      try {
        return await this.#importInto(dir, caller, request, signal);
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    } finally {
      this.#running -= 1;
    }
  }

  async #importInto(
    dir: string,
    caller: Caller,
    request: z.output<typeof ImportRepository>,
    signal: AbortSignal | undefined,
  ): Promise<RunRepository> {
    const cloned = await this.clone(request.url, {
      outDir: dir,
      timeoutMs: this.settings.timeoutMs,
      allowProtocols: this.settings.protocols,
      ...(request.ref === undefined ? {} : { ref: request.ref }),
      ...(signal === undefined ? {} : { signal }),
    });
    const { digest } = await this.state.storeFile(cloned.file, signal);
    const repository: RunRepository = {
      ref: { bundles: [digest], commit: cloned.commit, base: cloned.base, shallow: cloned.shallow },
      origin: redactUrl(request.url),
      notices: [...cloned.notices],
    };
    if (cloned.history !== undefined) {
      const file = join(dir, 'history.json');
      await writeFile(file, JSON.stringify(cloned.history));
      repository.history = (await this.state.storeFile(file, signal)).digest;
    }
    this.access.grant(caller.projectId, contentOf(repository));
    return repository;
  }
}
