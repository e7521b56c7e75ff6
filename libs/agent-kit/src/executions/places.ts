import { DevmeshError } from '@devmesh/contracts/errors';

export interface PlaceLimits {
  readonly concurrency: number;
  readonly queued: number;
}

/** How long a caller is asked to stay away from an agent that is full, ms. */
const FULL_RETRY_MS = 1_000;

/** So many executions run at once, so many wait; more are refused before anything was started. */
export class Places {
  readonly #limits: PlaceLimits;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Throws `unavailable` when the queue is full. */
  checkRoom(): void {
    if (this.#running < this.#limits.concurrency || this.#queue.length < this.#limits.queued) return;
    throw new DevmeshError(
      'unavailable',
      `${this.#running} executions run and ${this.#queue.length} wait here: try another instance, or later`,
      { retryAfterMs: FULL_RETRY_MS },
    );
  }

  /** Runs `work` when there is a place; not at all when `signal` fires first. */
  async run(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    if (this.#running >= this.#limits.concurrency) {
      if (!(await this.#wait(signal))) return;
    } else this.#running += 1;
    try {
      await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  /** True with a place; false when the signal came first. */
  #wait(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const take = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      const leave = (): void => {
        const place = this.#queue.indexOf(take);
        if (place >= 0) this.#queue.splice(place, 1);
        resolve(false);
      };
      if (signal.aborted) {
        resolve(false);
        return;
      }
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.push(take);
    });
  }
}
