import { DevmeshError } from '@devmesh/contracts/errors';
import { AgentInfo, EXECUTION_HEADERS, ExecutionReply, type ExecutionRequest } from '@devmesh/contracts/execution';
import type { ExecutionKey, UnixMs } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { CallOptions, ServiceCaller, ServiceRequest } from './http/service-caller.js';
import { TransportError } from './http/transport-error.js';
import { pathOf } from './path.js';

/**
 * What became of asking an agent to execute.
 * `done`: its outcome. `accepted`: under way; the outcome comes to the run's inbox. `refused`: the agent (or the client, for
 * `circuit_open` and a full bulkhead) said no, and nothing was started by this call. `unreachable`: nobody knows; the same key to
 * the same instance finds out.
 */
export type Dispatched =
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'accepted'; readonly leaseUntil: UnixMs | null }
  | { readonly kind: 'refused'; readonly error: DevmeshError }
  | { readonly kind: 'unreachable'; readonly error: DevmeshError };

/** An answer may come this much later than the wait that was asked for, ms. */
const ANSWER_GRACE_MS = 3_000;

/** What a dead connection looks like from here: the agent may have started, whatever the code of the error is. */
function isUnknown(error: DevmeshError): boolean {
  return error instanceof TransportError || error.code === 'bad_reply' || error.code === 'internal';
}

/**
 * Client of one agent. Every call goes to the instance that was chosen and is made once: the engine has its own way to go on.
 */
export class AgentClient {
  readonly #caller: ServiceCaller;

  constructor(caller: ServiceCaller) {
    this.#caller = caller;
  }

  /** Waits up to `waitSeconds` for the outcome. Throws nothing that tells about the execution; only programming errors. */
  async execute(
    address: string,
    request: ExecutionRequest,
    waitSeconds: number,
    options: CallOptions = {},
  ): Promise<Dispatched> {
    const call: ServiceRequest = {
      method: 'POST',
      path: '/v1/executions',
      json: request,
      headers: { [EXECUTION_HEADERS.idempotencyKey]: request.key, [EXECUTION_HEADERS.prefer]: `wait=${waitSeconds}` },
      address,
      once: true,
      timeoutMs: waitSeconds * 1000 + ANSWER_GRACE_MS,
      ...options,
    };
    try {
      const reply = await this.#caller.call(call, ExecutionReply);
      if (reply.outcome !== null) return { kind: 'done', outcome: reply.outcome };
      return { kind: 'accepted', leaseUntil: reply.leaseUntil };
    } catch (error) {
      if (!(error instanceof DevmeshError)) throw error;
      return { kind: isUnknown(error) ? 'unreachable' : 'refused', error };
    }
  }

  /** Cancels an execution and bars its key. True when the agent says that it is over or never was; else ask again. */
  async cancel(address: string, key: ExecutionKey, options: CallOptions = {}): Promise<boolean> {
    const call: ServiceRequest = {
      method: 'DELETE',
      path: pathOf`/v1/executions/${key}`,
      address,
      once: true,
      ...options,
    };
    try {
      return (await this.#caller.call(call, ExecutionReply)).outcome !== null;
    } catch (error) {
      if (error instanceof DevmeshError) return false;
      throw error;
    }
  }

  /** How an execution stands. Throws `not_found` for a key that the agent has not heard of. */
  get(address: string, key: ExecutionKey, options: CallOptions = {}): Promise<ExecutionReply> {
    return this.#caller.call(
      { method: 'GET', path: pathOf`/v1/executions/${key}`, address, ...options },
      ExecutionReply,
    );
  }

  /** Who answers there. Made once, so that asking many places stays quick; who answers is back, whatever its breaker says. */
  info(address: string, options: CallOptions = {}): Promise<AgentInfo> {
    return this.#caller.call(
      { method: 'GET', path: '/v1/agent', address, once: true, probe: true, timeoutMs: 2_000, ...options },
      AgentInfo,
    );
  }
}
