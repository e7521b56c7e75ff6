import { DevmeshError } from '@devmesh/contracts/errors';
import type { ClaimReply, ClaimRequest, ClaimResult, Heartbeats, OrphansRequest } from '@devmesh/contracts/state-api';
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

  /** Throws `run_ended`, `execution_cancelled`: nothing may be done under this key. */
  async claim(request: ClaimRequest): Promise<ClaimReply> {
    const reply = await this.options.repository.claim(request, this.options.now()).catch(rethrow);
    if (reply === 'pruned')
      throw new DevmeshError('run_ended', `the run of ${request.key} ended long ago; nothing may act for it`);
    if (reply === 'barred')
      throw new DevmeshError('execution_cancelled', `${request.key} counts no longer: its run went on without it`);
    return reply;
  }

  async recordOutcome(result: ClaimResult): Promise<void> {
    if (await this.options.repository.recordOutcome(result).catch(rethrow)) return;
    throw new DevmeshError(
      'conflict',
      `instance ${result.instance} does not hold the claim of ${result.key}; whoever took it over answers for it`,
    );
  }

  /** Has the runs of executions whose agents are gone looked at now, instead of when their leases end. */
  async orphan({ present }: OrphansRequest): Promise<void> {
    const { repository, signals, now } = this.options;
    const at = now();
    if (await repository.orphan(present, at).catch(rethrow)) signals.dueAt(at);
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
