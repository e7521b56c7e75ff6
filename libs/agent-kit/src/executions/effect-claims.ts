import { DevmeshError } from '@devmesh/contracts/errors';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import type { InstanceId } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { Execution } from './execution.js';
import type { StatePort } from './state.port.js';

/** What to do with an execution of a `once` action. */
export type ClaimVerdict =
  | { readonly kind: 'act' }
  | { readonly kind: 'answer'; readonly outcome: Outcome }
  /** Somebody claimed it, and nobody knows what came of that. */
  | { readonly kind: 'find_out' };

const PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;
/** So old may the answer to a claim be that is acted on, ms: the lease has to last until the first heartbeat. */
const FRESH_MS = EXECUTION_LEASE_MS / 2;
const MAX_ASKS = 5;

/** Claims of `once` actions at state-persistence: claimed before they act, the outcome on record before it is answered. */
export class EffectClaims {
  #closed = false;

  constructor(
    private readonly state: StatePort,
    private readonly instance: InstanceId,
    private readonly logger: Logger,
    private readonly now: () => number,
    private readonly sleep: (ms: number) => Promise<void>,
  ) {}

  /**
   * Throws `claim_held` while another instance vouches for it, `execution_cancelled` when its run went on without it, and
   * `unavailable` when the claim can't be made: nothing was started.
   */
  async claim(execution: Execution): Promise<ClaimVerdict> {
    const reply = await this.#ask(execution);
    switch (reply.claim) {
      case 'granted':
        return { kind: 'act' };
      case 'done':
        return { kind: 'answer', outcome: reply.outcome };
      case 'lapsed':
        return { kind: 'find_out' };
      case 'held':
        throw new DevmeshError(
          'claim_held',
          `another instance vouches for ${execution.key}: ask again when its lease has ended`,
          {
            retryAfterMs: reply.retryAfterMs,
          },
        );
    }
  }

  /**
   * Puts the outcome on record; goes on trying, since the act can't be undone, until nobody waits for it any more. Gives the
   * outcome that counts: `lost` when the claim was taken over meanwhile.
   */
  async record(execution: Execution, outcome: Outcome): Promise<Outcome> {
    const { key, request } = execution;
    let pause = PAUSE_MS;
    for (;;) {
      try {
        await this.state.claimResult({ key, instance: this.instance, outcome });
        return outcome;
      } catch (error) {
        if (error instanceof DevmeshError && error.code === 'conflict') {
          return {
            kind: 'lost',
            message: `${execution.action.contract.id} ended after its claim had been taken over: see what it did`,
          };
        }
        if (this.#closed || this.now() + pause > request.notAfter + EXECUTION_LEASE_MS) {
          this.logger.error('the outcome of an effect could not be put on record', { key, error });
          return outcome;
        }
        await this.sleep(pause);
        pause = Math.min(pause * 2, MAX_PAUSE_MS);
      }
    }
  }

  /** Stops trying. */
  close(): void {
    this.#closed = true;
  }

  /** A claim that is ours now, as far as this process can tell: one that stood still while the answer came asks again. */
  async #ask(execution: Execution): ReturnType<StatePort['claim']> {
    for (let times = 0; times < MAX_ASKS; times++) {
      const askedAt = this.now();
      const reply = await this.#askOnce(execution);
      const mayAct = reply.claim === 'granted' || reply.claim === 'lapsed';
      if (!mayAct || this.now() - askedAt < FRESH_MS) return reply;
    }
    throw new DevmeshError('unavailable', `${execution.key} can't be claimed before it acts: answers come too late`, {
      retryAfterMs: 1_000,
    });
  }

  async #askOnce({ key }: Execution): ReturnType<StatePort['claim']> {
    try {
      return await this.state.claim({ key, instance: this.instance, leaseMs: EXECUTION_LEASE_MS });
    } catch (error) {
      // It counts no longer, or all that was known of it is gone: asking again is no use.
      if (error instanceof DevmeshError && (error.code === 'run_ended' || error.code === 'execution_cancelled'))
        throw error;
      throw new DevmeshError(
        'unavailable',
        `${key} can't be claimed before it acts: ${error instanceof Error ? error.message : 'unknown reason'}`,
        {
          retryAfterMs: 1_000,
          cause: error,
        },
      );
    }
  }
}
