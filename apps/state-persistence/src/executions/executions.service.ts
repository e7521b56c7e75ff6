import { DevmeshError } from '@devmesh/contracts/errors';
import type { ClaimReply, ClaimRequest, ClaimResult, Heartbeats } from '@devmesh/contracts/state-api';
import { databaseError } from '../database/database.js';
import type { RunSignals } from '../runs/run-signals.js';
import type { ExecutionsRepository } from './executions.repository.js';

export interface ExecutionsServiceOptions {
  readonly repository: ExecutionsRepository;
  readonly signals: RunSignals;
  /** Unix ms. */
  readonly now: () => number;
}

/** What agents say of executions. */
export class ExecutionsService {
  constructor(private readonly options: ExecutionsServiceOptions) {}

  async claim(request: ClaimRequest): Promise<ClaimReply> {
    return this.options.repository.claim(request, this.options.now()).catch(rethrow);
  }

  async recordOutcome(result: ClaimResult): Promise<void> {
    if (await this.options.repository.recordOutcome(result).catch(rethrow)) return;
    throw new DevmeshError(
      'conflict',
      `instance ${result.instance} does not hold the claim of ${result.key}; whoever took it over answers for it`,
    );
  }

  /** Answers the keys whose run has ended. */
  async heartbeat(heartbeats: Heartbeats): Promise<string[]> {
    const { repository, signals, now } = this.options;
    const { ended, changed } = await repository.heartbeat(heartbeats, now()).catch(rethrow);
    for (const runId of changed) signals.changed(runId);
    return ended;
  }
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
