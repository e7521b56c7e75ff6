import { DevmeshError } from '@devmesh/contracts/errors';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import { contentOf } from '@devmesh/contracts/run';
import { LRUCache } from 'lru-cache';
import { UNKNOWN_DIGEST } from '../exports/run-import.js';
import type { RunAccessService } from '../runs/run-access.service.js';
import type { StatePort } from '../upstream/state.port.js';

const MAX_GRANTS = 100_000;
/** As many as one page of state-persistence holds. */
const RECENT_RUNS = 200;

/**
 * Which project may read which artifact. The store is shared by all projects and addressed by content, so knowing a
 * digest must not be enough. A project may read what it uploaded, what its runs' repositories are made of, and what
 * its runs list. state-persistence keeps the last two; of uploads only this process knows, and forgets them when it
 * ends: then an upload that no run names is uploaded again (the store keeps one copy).
 */
export class ArtifactAccessService {
  readonly #grants = new LRUCache<string, true>({ max: MAX_GRANTS });

  constructor(
    private readonly state: Pick<StatePort, 'runs' | 'runArtifacts'>,
    private readonly runs: Pick<RunAccessService, 'record'>,
  ) {}

  /** Puts on record that the project has shown that it holds these contents, or was given them. */
  grant(projectId: string, digests: Iterable<Digest>): void {
    for (const digest of digests) this.#grants.set(`${projectId}/${digest}`, true);
  }

  /** Throws `not_found`, as for an artifact that isn't there, unless the project may read it. `runId` narrows the search. */
  async assertReadable(projectId: string, digest: Digest, runId: RunId | undefined): Promise<void> {
    if (this.#granted(projectId, digest)) return;
    if (runId === undefined) await this.#grantRecentRepositories(projectId);
    else await this.#grantRun(projectId, runId);
    if (this.#granted(projectId, digest)) return;
    const where = runId === undefined ? 'name a run that lists it (?run=RUN), or upload it' : `run ${runId} lists none`;
    throw new DevmeshError('not_found', `no artifact ${digest} that this project may read: ${where}`);
  }

  /** Throws `invalid_repository` when a run of the project may not be built on this content. */
  async assertUsable(projectId: string, content: readonly Digest[]): Promise<void> {
    if (content.every((digest) => this.#granted(projectId, digest))) return;
    await this.#grantRecentRepositories(projectId);
    const missing = content.find((digest) => !this.#granted(projectId, digest));
    if (missing === undefined) return;
    throw new DevmeshError(
      'invalid_repository',
      `${missing} of the repository was not uploaded by this project: PUT /v1/artifacts/${missing} first`,
    );
  }

  /**
   * Throws `invalid_request` when what is submitted names content that the project may not read: an agent would fetch it. `runId`: of
   * the run that it goes on from.
   */
  async assertNameable(projectId: string, digests: ReadonlySet<Digest>, runId?: RunId): Promise<void> {
    if (digests.size === 0) return;
    await (runId === undefined ? this.#grantRecentRepositories(projectId) : this.#grantRun(projectId, runId));
    // The one that stands for content that nobody has opens nothing.
    const foreign = [...digests].find((digest) => digest !== UNKNOWN_DIGEST && !this.#granted(projectId, digest));
    if (foreign === undefined) return;
    throw new DevmeshError(
      'invalid_request',
      `${foreign} reads as the digest of an artifact, of none that this project may read: upload it (PUT /v1/artifacts/${foreign}), ` +
        `or look at a run that lists it (GET /v1/runs/RUN/artifacts), then submit again`,
    );
  }

  /** Those of the digests whose content the project has shown to have, or works on. */
  async known(projectId: string, digests: ReadonlySet<Digest>): Promise<Set<Digest>> {
    if (digests.size > 0) await this.#grantRecentRepositories(projectId);
    return new Set([...digests].filter((digest) => this.#granted(projectId, digest)));
  }

  #granted(projectId: string, digest: Digest): boolean {
    return this.#grants.get(`${projectId}/${digest}`) === true;
  }

  async #grantRun(projectId: string, runId: RunId): Promise<void> {
    const record = await this.runs.record(projectId, runId);
    const { items } = await this.state.runArtifacts(runId);
    this.grant(projectId, record.repository === null ? [] : contentOf(record.repository));
    this.grant(
      projectId,
      items.map((item) => item.digest),
    );
  }

  async #grantRecentRepositories(projectId: string): Promise<void> {
    const { items } = await this.state.runs({ projectId, limit: RECENT_RUNS });
    for (const run of items) this.grant(projectId, run.repository === null ? [] : contentOf(run.repository));
  }
}
