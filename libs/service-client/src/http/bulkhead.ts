import { DevmeshError } from '@devmesh/contracts/errors';

export interface BulkheadLimits {
  /** Most calls at once. */
  readonly concurrent: number;
  /** Most calls that wait for a place. */
  readonly waiting: number;
}

/** Keeps one slow service from taking every connection and all memory of its callers. */
export class Bulkhead {
  readonly #service: string;
  readonly #limits: BulkheadLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(service: string, limits: BulkheadLimits) {
    this.#service = service;
    this.#limits = limits;
  }

  /** Runs `work` when there is a place. Throws `unavailable`, before anything was sent, when too many wait already. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limits.concurrent) await this.#place();
    else this.#running += 1;
    try {
      return await work();
    } finally {
      // The place is handed over, not freed, so that nobody slips in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #place(): Promise<void> {
    if (this.#waiting.length >= this.#limits.waiting) {
      throw new DevmeshError(
        'unavailable',
        `${this.#limits.concurrent} calls to ${this.#service} are under way and ${this.#limits.waiting} wait: try again later`,
        { retryAfterMs: 1_000 },
      );
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
