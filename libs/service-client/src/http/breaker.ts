import { DevmeshError } from '@devmesh/contracts/errors';
import type { ServiceName } from '@devmesh/contracts/services';
import type { BreakerState } from '@devmesh/contracts/system-status';
import CircuitBreaker from 'opossum';
import { TransportError } from './transport-error.js';

export interface BreakerLimits {
  /** Consecutive failures after which it opens. */
  readonly failures: number;
  /** How long it stays open before one call probes, ms. */
  readonly openMs: number;
}

/** What holds for a service where the configuration says nothing. */
export const BREAKER_DEFAULTS: Readonly<Partial<Record<ServiceName, BreakerLimits>>> & {
  readonly default: BreakerLimits;
} = {
  'feature-dev': { failures: 5, openMs: 60_000 },
  'code-review': { failures: 3, openMs: 30_000 },
  default: { failures: 5, openMs: 10_000 },
};

/** What an error tells about the health of the service called. */
export function judge(error: unknown): 'failing' | 'answering' | 'nothing' {
  if (error instanceof TransportError) {
    return error.failure === 'timeout' || error.failure === 'broken' ? 'failing' : 'nothing';
  }
  if (!(error instanceof DevmeshError)) return 'nothing';
  // One that ends in order or is full says so itself, and is back soon.
  if (error.code === 'shutting_down' || error.code === 'unavailable') return 'nothing';
  return error.status >= 500 ? 'failing' : 'answering';
}

type Work = () => Promise<unknown>;

/** The breaker in front of one service, for all calls of this process to it. */
export class Breaker {
  readonly #service: string;
  readonly #limits: BreakerLimits;
  readonly #circuit: CircuitBreaker<[Work], unknown>;
  readonly #now: () => number;
  #inARow = 0;
  #opensUntil = 0;

  constructor(service: string, limits: BreakerLimits, now: () => number = Date.now) {
    this.#service = service;
    this.#limits = limits;
    this.#now = now;
    this.#circuit = new CircuitBreaker<[Work], unknown>((work) => work(), {
      name: service,
      timeout: false,
      resetTimeout: limits.openMs,
      // It opens after failures in a row, which are counted here, and not by a share of them in a window.
      volumeThreshold: Number.MAX_SAFE_INTEGER,
      errorFilter: (error: unknown) => judge(error) !== 'failing',
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rollingCountBuckets: 1,
    });
    this.#circuit.on('open', () => {
      this.#opensUntil = this.#now() + limits.openMs;
    });
  }

  get state(): BreakerState {
    if (this.#circuit.opened) return 'open';
    return this.#circuit.halfOpen ? 'half_open' : 'closed';
  }

  /** Runs `work`, or throws `circuit_open` without running it. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = (await this.#circuit.fire(work)) as T;
      this.#inARow = 0;
      return result;
    } catch (error) {
      if (CircuitBreaker.isOurError(error as Error)) throw this.#refusal();
      switch (judge(error)) {
        case 'failing':
          this.#inARow += 1;
          if (this.#inARow >= this.#limits.failures) this.#circuit.open();
          break;
        case 'answering':
          this.#inARow = 0;
          break;
        case 'nothing':
          // A probe that learned nothing closes the circuit, but the count stands: the next failure opens it again.
          break;
      }
      throw error;
    }
  }

  /** An instance says that it is there: calls go through again, without waiting for the time that they were to be held back. */
  passed(): void {
    this.#inARow = 0;
    if (this.state !== 'closed') this.#circuit.close();
  }

  close(): void {
    this.#circuit.shutdown();
  }

  #refusal(): DevmeshError {
    return new DevmeshError(
      'circuit_open',
      `${this.#service} failed ${this.#limits.failures} times in a row, so calls to it are held back for up to ${this.#limits.openMs / 1000} s: see its log`,
      { retryAfterMs: Math.max(0, this.#opensUntil - this.#now()) },
    );
  }
}
