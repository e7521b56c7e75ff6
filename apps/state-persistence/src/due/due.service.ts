import { DevmeshError } from '@devmesh/contracts/errors';
import type { DueRun } from '@devmesh/contracts/state-api';
import { databaseError } from '../database/database.js';
import type { RunSignals } from '../runs/run-signals.js';
import type { DueRepository } from './due.repository.js';

/** How often a waiting poll looks again by itself, ms: what other instances of this service wrote is found so. */
export const LOOK_AGAIN_MS = 1_000;

export interface DueServiceOptions {
  readonly repository: DueRepository;
  readonly signals: RunSignals;
  /** Unix ms. */
  readonly now: () => number;
}

/** Handing out runs that want a turn, and what makes them want one. */
export class DueService {
  constructor(private readonly options: DueServiceOptions) {}

  /** Waits up to `waitMs` for a run to become due. Answers nothing when the time is over, or `signal` fires. */
  async poll(request: { limit: number; leaseMs: number; waitMs: number }, signal?: AbortSignal): Promise<DueRun[]> {
    const { repository, signals, now } = this.options;
    const deadline = now() + request.waitMs;
    try {
      for (;;) {
        const listener = signals.listenForDue();
        try {
          const runs = await repository.take(request.limit, request.leaseMs, now());
          const left = deadline - now();
          if (runs.length > 0 || left <= 0 || signal?.aborted === true) return runs;
          const next = await repository.nextWake();
          if (next !== null) listener.wakeAt(next);
          await listener.wait(Math.min(left, LOOK_AGAIN_MS), signal);
        } finally {
          listener.close();
        }
      }
    } catch (error) {
      throw databaseError(error);
    }
  }

  async recover(owner: string): Promise<number> {
    const { repository, signals, now } = this.options;
    const at = now();
    const runs = await repository.recover(owner, at).catch(rethrow);
    if (runs > 0) signals.dueAt(at);
    return runs;
  }

  async turnFailed(runId: string, epoch: number | null, error: string): Promise<{ failures: number; stuck: boolean }> {
    const { repository, now } = this.options;
    const counted = await repository.countTurnFailure(runId, epoch, error, now()).catch(rethrow);
    if (counted === null) throw new DevmeshError('not_found', `there is no run ${runId}`);
    return counted;
  }

  async resume(runId: string): Promise<void> {
    const { repository, signals, now } = this.options;
    const at = now();
    const resumed = await repository.resume(runId, at).catch(rethrow);
    if (resumed === null) throw new DevmeshError('not_found', `there is no run ${runId}`);
    if (!resumed) throw new DevmeshError('run_ended', `run ${runId} has ended; start a new one instead`);
    signals.dueAt(at);
  }
}

function rethrow(error: unknown): never {
  throw databaseError(error);
}
