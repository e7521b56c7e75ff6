/** Everything that decides about a retry; no clock and no randomness of its own. Times in ms. */
export interface RetrySituation {
  /** How many attempts were made, 1 or more. */
  readonly attempts: number;
  /** Whether doing it twice is doing it once: an idempotent method, or a key. */
  readonly keyed: boolean;
  /** Whether the failure says that the same request may succeed later. */
  readonly retryable: boolean;
  /** What the callee asked for, if it did. */
  readonly retryAfterMs: number | undefined;
  /** Whether the budget has a retry left. */
  readonly budgetLeft: boolean;
  readonly now: number;
  /** Unix ms; undefined: none. */
  readonly deadlineAt: number | undefined;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: number;
}

export interface RetryLimits {
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** An attempt with less time than this is not worth making. */
  readonly minAttemptMs: number;
  /** A callee that asks for more patience than this is not waited for. */
  readonly maxRetryAfterMs: number;
}

export const RETRY_LIMITS: RetryLimits = {
  maxAttempts: 3,
  baseDelayMs: 50,
  maxDelayMs: 2_000,
  minAttemptMs: 20,
  maxRetryAfterMs: 10_000,
};

export type RetryDecision =
  | { readonly retry: true; readonly delayMs: number }
  | {
      readonly retry: false;
      readonly because: 'not keyed' | 'not retryable' | 'attempts' | 'budget' | 'patience' | 'deadline';
    };

/**
 * Whether and when to try again. The delay is full jitter over an exponential bound ("Exponential Backoff And Jitter", AWS
 * Architecture Blog), never less than the callee asked for. Whether the next attempt still fits the deadline is asked before the wait.
 */
export function decideRetry(situation: RetrySituation, limits: RetryLimits = RETRY_LIMITS): RetryDecision {
  const no = (because: Extract<RetryDecision, { retry: false }>['because']): RetryDecision => ({
    retry: false,
    because,
  });
  if (!situation.keyed) return no('not keyed');
  if (!situation.retryable) return no('not retryable');
  if (situation.attempts >= limits.maxAttempts) return no('attempts');
  if (!situation.budgetLeft) return no('budget');
  const asked = situation.retryAfterMs ?? 0;
  if (asked > limits.maxRetryAfterMs) return no('patience');
  const bound = Math.min(limits.maxDelayMs, limits.baseDelayMs * 2 ** (situation.attempts - 1));
  const delayMs = Math.max(asked, Math.floor(situation.random * bound));
  if (situation.deadlineAt !== undefined && situation.now + delayMs + limits.minAttemptMs > situation.deadlineAt) {
    return no('deadline');
  }
  return { retry: true, delayMs };
}

/**
 * Keeps retries a small share of the calls: each call earns a part of a retry, so that a service that is down sees at most
 * `ratio` more load. A burst of `reserve` is always there.
 */
export class RetryBudget {
  readonly #ratio: number;
  readonly #reserve: number;
  #tokens: number;

  constructor(ratio = 0.2, reserve = 10) {
    this.#ratio = ratio;
    this.#reserve = reserve;
    this.#tokens = reserve;
  }

  get left(): boolean {
    return this.#tokens >= 1;
  }

  earn(): void {
    this.#tokens = Math.min(this.#reserve, this.#tokens + this.#ratio);
  }

  spend(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }
}
