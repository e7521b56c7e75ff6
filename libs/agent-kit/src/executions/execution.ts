import { DevmeshError } from '@devmesh/contracts/errors';
import type { ExecutionRequest } from '@devmesh/contracts/execution';
import type { ExecutionKey } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { Action } from '../action-context.js';

/** One attempt of one step at this agent, from the moment it was accepted until its answer is forgotten. */
export class Execution {
  readonly key: ExecutionKey;
  readonly action: Action;
  readonly request: ExecutionRequest;
  /** SHA-256 of what was asked for. */
  readonly requestDigest: string;
  /** Resolves when it has ended; rejects with a `DevmeshError` when it was refused before it began. */
  readonly ended: Promise<Outcome>;
  outcome: Outcome | undefined;
  progress: string | null = null;
  /** Whether its claim is held here, so that the claim's lease must be kept. */
  claimed = false;
  /** Callers that wait for the outcome on an open connection. */
  waiting = 0;
  /** Whether a caller was told to expect the outcome in the run's inbox, or went away. */
  outlivedItsWait = false;
  /** Whether its code still runs: it may after the outcome, when it heeds no abort. */
  busy = false;
  readonly #abort = new AbortController();
  readonly #resolve: (outcome: Outcome) => void;
  readonly #reject: (error: DevmeshError) => void;

  constructor(action: Action, request: ExecutionRequest, requestDigest: string) {
    this.key = request.key;
    this.action = action;
    this.request = request;
    this.requestDigest = requestDigest;
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    this.ended = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    // A refusal that nobody waits for any more is nobody's business.
    promise.catch(() => undefined);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends it; only the first end counts. Gives whether this was it. */
  end(outcome: Outcome): boolean {
    if (this.outcome !== undefined) return false;
    this.outcome = outcome;
    this.#resolve(outcome);
    return true;
  }

  /** Ends it before its code was done, and tells the code. */
  stop(outcome: Outcome): boolean {
    const first = this.end(outcome);
    if (first)
      this.#abort.abort(new DevmeshError('execution_cancelled', `execution ${this.key} was stopped: ${outcome.kind}`));
    return first;
  }

  refuse(error: DevmeshError): void {
    this.#reject(error);
  }
}
