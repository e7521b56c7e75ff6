import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunId } from '@devmesh/contracts/ids';
import { LRUCache } from 'lru-cache';

const RUNS = 50_000;

/** Refuses owners of a run that others have taken over from. Losing its memory is harmless: their appends are refused anyway. */
export class EpochFence {
  readonly #highest = new LRUCache<RunId, number>({ max: RUNS });

  /** Throws `stale_epoch` for an epoch lower than the highest seen of the run. */
  admit(runId: RunId, epoch: number): void {
    const highest = this.#highest.get(runId) ?? 0;
    if (epoch < highest) {
      throw new DevmeshError('stale_epoch', `epoch ${epoch} of run ${runId} is over: epoch ${highest} has taken over`);
    }
    this.#highest.set(runId, epoch);
  }
}
