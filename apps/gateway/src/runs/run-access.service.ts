import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunId } from '@devmesh/contracts/ids';
import type { RunRecord } from '@devmesh/contracts/state-api';
import { LRUCache } from 'lru-cache';
import type { StatePort } from '../upstream/state.port.js';

const MAX_OWNERS = 50_000;

/** Keeps projects apart: a run of another project is a run that isn't there. */
export class RunAccessService {
  // Whose run it is never changes, so it is asked once.
  readonly #owners = new LRUCache<RunId, string>({ max: MAX_OWNERS });

  constructor(private readonly state: Pick<StatePort, 'run'>) {}

  /** The run's record; throws `not_found` when the project has no such run. */
  async record(projectId: string, runId: RunId): Promise<RunRecord> {
    if ((this.#owners.get(runId) ?? projectId) !== projectId) throw noSuchRun(runId);
    const record = await this.#read(runId);
    this.#owners.set(runId, record.projectId);
    if (record.projectId !== projectId) throw noSuchRun(runId);
    return record;
  }

  /** As `record`, for who needs no record. */
  async assertOwn(projectId: string, runId: RunId): Promise<void> {
    const owner = this.#owners.get(runId);
    if (owner === undefined) await this.record(projectId, runId);
    else if (owner !== projectId) throw noSuchRun(runId);
  }

  async #read(runId: RunId): Promise<RunRecord> {
    try {
      return await this.state.run(runId);
    } catch (error) {
      // In the same words as for another project's run, so that the answer does not tell the two apart.
      if (error instanceof DevmeshError && error.code === 'not_found') throw noSuchRun(runId);
      throw error;
    }
  }
}

function noSuchRun(runId: RunId): DevmeshError {
  return new DevmeshError('not_found', `no run ${runId} in this project: GET /v1/runs lists what there is`);
}
