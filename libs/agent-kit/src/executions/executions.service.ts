import { createHash } from 'node:crypto';
import { canonicalJson } from '@devmesh/contracts/canonical-json';
import { DevmeshError } from '@devmesh/contracts/errors';
import { EXECUTION_LEASE_MS, type ExecutionReply, type ExecutionRequest } from '@devmesh/contracts/execution';
import { parseExecutionKey, type ActionId, type ExecutionKey, type InstanceId } from '@devmesh/contracts/ids';
import { withoutWorkContext, withWorkContext } from '@devmesh/service-kit/context/request-context';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { Action } from '../action-context.js';
import { EffectClaims } from './effect-claims.js';
import { EpochFence } from './epoch-fence.js';
import { Execution } from './execution.js';
import type { ExecutionRegistry } from './execution.registry.js';
import type { ExecutionRunner } from './execution.runner.js';
import { Heartbeats } from './heartbeats.js';
import { readInput } from './outcomes.js';
import { Places, type PlaceLimits } from './places.js';
import { SlowResults } from './slow-results.js';
import type { StatePort } from './state.port.js';

export interface ExecutionsOptions {
  readonly agent: string;
  readonly instance: InstanceId;
  readonly actions: ReadonlyMap<ActionId, Action>;
  readonly registry: ExecutionRegistry;
  readonly runner: ExecutionRunner;
  readonly state: StatePort;
  readonly limits: PlaceLimits;
  readonly logger: Logger;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** The longest that a caller is kept waiting for an outcome, ms. */
const MAX_WAIT_MS = 60_000;
/** What an execution is vouched for whose heartbeat could not be put on record, ms. */
const UNRECORDED_LEASE_MS = 3_000;
/** The longest that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The executions of this process. They belong to their runs: a caller that goes away ends none. Only a cancel, the deadline, or
 * the end of the run does.
 */
export class Executions {
  readonly #options: ExecutionsOptions;
  readonly #fence = new EpochFence();
  readonly #places: Places;
  readonly #claims: EffectClaims;
  readonly #results: SlowResults;
  readonly #heartbeats: Heartbeats;
  readonly #running = new Set<Promise<void>>();
  #leaving = false;

  constructor(options: ExecutionsOptions) {
    const { state, instance, logger, now, sleep } = options;
    this.#options = options;
    this.#places = new Places(options.limits);
    this.#claims = new EffectClaims(state, instance, logger, now, sleep);
    this.#results = new SlowResults(state, logger, now, sleep);
    this.#heartbeats = new Heartbeats(state, instance, logger, now, (execution) => this.#runEnded(execution));
  }

  /**
   * Starts the execution, or joins the one of that key, and waits for its outcome up to `waitMs`, or until `gone` fires. Throws the
   * refusals of the agent contract.
   */
  async execute(request: ExecutionRequest, waitMs: number, gone: AbortSignal): Promise<ExecutionReply> {
    const { key } = request;
    const { runId } = parseExecutionKey(key);
    if (request.instance !== this.#options.instance) {
      throw new DevmeshError(
        'wrong_instance',
        `${request.instance} is gone: ${this.#options.instance} answers here now`,
      );
    }
    this.#fence.admit(runId, request.epoch);
    this.#acknowledge(runId, request.acknowledge);
    return this.#await(this.#join(request) ?? this.#start(request), waitMs, gone);
  }

  /** Throws `not_found` for a key that isn't known here. */
  get(key: ExecutionKey): ExecutionReply {
    const execution = this.#options.registry.find(key);
    if (execution === undefined)
      throw new DevmeshError('not_found', `execution ${key} is not known to ${this.#options.instance}`);
    return this.#reply(execution);
  }

  /** Ends an execution and bars its key. The reply has no outcome while the action's code has not heeded the cancel. */
  cancel(key: ExecutionKey): ExecutionReply {
    const { registry, instance } = this.#options;
    registry.bar(key);
    const execution = registry.find(key);
    if (execution === undefined) return { key, instance, outcome: { kind: 'cancelled' }, leaseUntil: null };
    execution.stop({ kind: 'cancelled' });
    return execution.busy ? { key, instance, outcome: null, leaseUntil: null } : this.#reply(execution);
  }

  /** From now on only known keys are answered. */
  leave(): void {
    this.#leaving = true;
  }

  /** Ends when every execution has, and every run was told. */
  async drained(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    await this.#results.settled();
  }

  close(): void {
    this.#heartbeats.close();
    this.#results.close();
    this.#claims.close();
  }

  #join(request: ExecutionRequest): Execution | undefined {
    const { registry } = this.#options;
    if (registry.isBarred(request.key))
      throw new DevmeshError('execution_cancelled', `execution ${request.key} was cancelled`);
    const known = registry.find(request.key);
    if (known !== undefined && known.requestDigest !== digestOf(request)) {
      throw new DevmeshError(
        'conflict',
        `execution ${request.key} is known with another action or input: a key names one request`,
      );
    }
    return known;
  }

  #start(request: ExecutionRequest): Execution {
    const { actions, agent, registry, now } = this.#options;
    if (this.#leaving)
      throw new DevmeshError('shutting_down', `this instance of ${agent} is shutting down: take another`);
    const action = actions.get(request.action);
    if (action === undefined) {
      throw new DevmeshError(
        'unknown_action',
        `${agent} has no action ${request.action}: it has ${[...actions.keys()].join(', ')}`,
      );
    }
    this.#places.checkRoom();
    const execution = new Execution(action, request, digestOf(request));
    registry.add(execution);
    void execution.ended.then(
      () => this.#onEnd(execution),
      () => this.#onRefused(execution),
    );
    const input = readInput(action.contract, request.input);
    if ('outcome' in input) execution.end(input.outcome);
    else if (request.notAfter <= now()) execution.end({ kind: 'timed_out' });
    else {
      // The deadline of the request is that of the caller's wait, not of the execution.
      const own = { deadlineAt: request.notAfter + EXECUTION_LEASE_MS };
      const work = withWorkContext(own, () => this.#live(execution, input.value)).finally(() =>
        this.#running.delete(work),
      );
      this.#running.add(work);
    }
    return execution;
  }

  /** Never rejects. */
  async #live(execution: Execution, input: unknown): Promise<void> {
    const { notAfter } = execution.request;
    const deadline = setTimeout(
      () => execution.stop({ kind: 'timed_out' }),
      Math.min(notAfter - this.#options.now(), MAX_TIMER_MS),
    );
    try {
      await this.#places.run(execution.signal, () => this.#act(execution, input));
    } catch (error) {
      // Refused before it began, or a bug of ours: either way nothing of it is known under this key.
      execution.refuse(
        error instanceof DevmeshError
          ? error
          : new DevmeshError('internal', 'the execution could not be started', { cause: error }),
      );
    } finally {
      clearTimeout(deadline);
    }
  }

  async #act(execution: Execution, input: unknown): Promise<void> {
    const { runner } = this.#options;
    const { contract } = execution.action;
    if (contract.effects === 'once') {
      const verdict = await this.#claims.claim(execution);
      if (verdict.kind === 'answer') {
        execution.end(verdict.outcome);
        return;
      }
      execution.claimed = true;
      this.#heartbeats.add(execution);
      if (verdict.kind === 'find_out') {
        const found = await runner.findOut(execution, input);
        if (found !== undefined) {
          execution.end(await this.#claims.record(execution, found));
          return;
        }
      }
    }
    if (execution.outcome !== undefined) {
      if (execution.claimed) await this.#claims.record(execution, execution.outcome);
      return;
    }
    const progressed = (message: string): void => {
      execution.progress = message.slice(0, 300);
      this.#heartbeats.progressed(execution.key);
    };
    execution.busy = true;
    try {
      const outcome = await runner.run(execution, input, progressed);
      // An effect that ended after its deadline still has to be on record.
      execution.end(contract.effects === 'once' ? await this.#claims.record(execution, outcome) : outcome);
    } finally {
      execution.busy = false;
    }
  }

  async #await(execution: Execution, waitMs: number, gone: AbortSignal): Promise<ExecutionReply> {
    if (execution.outcome !== undefined) return this.#reply(execution);
    execution.waiting += 1;
    try {
      const waited = await outcomeWithin(execution, Math.min(waitMs, MAX_WAIT_MS), gone);
      if (waited || (await this.#outlived(execution))) return this.#reply(execution);
      // Nobody else knows of it: were this process to die now, only its owner could find out, and soon.
      return { ...this.#reply(execution), leaseUntil: this.#options.now() + UNRECORDED_LEASE_MS };
    } finally {
      execution.waiting -= 1;
    }
  }

  /** From now on its outcome goes to the inbox, and the process vouches for it. False when that is not on record. */
  async #outlived(execution: Execution): Promise<boolean> {
    execution.outlivedItsWait = true;
    if (execution.outcome === undefined) return this.#heartbeats.introduce(execution);
    this.#report(execution);
    return true;
  }

  #onEnd(execution: Execution): void {
    this.#heartbeats.remove(execution.key);
    this.#options.registry.keep(execution);
    if (execution.outlivedItsWait) this.#report(execution);
  }

  /** Whoever was told that it is under way asks again when its lease has ended. */
  #onRefused(execution: Execution): void {
    this.#heartbeats.remove(execution.key);
    this.#options.registry.forget(execution.key);
  }

  #report(execution: Execution): void {
    if (execution.outcome?.kind === 'cancelled') return;
    const { registry } = this.#options;
    withoutWorkContext(() => this.#results.report(execution, () => registry.find(execution.key) !== execution));
  }

  #runEnded(execution: Execution): void {
    this.#options.registry.bar(execution.key);
    execution.stop({ kind: 'cancelled' });
  }

  #acknowledge(runId: string, keys: readonly ExecutionKey[]): void {
    const { registry } = this.#options;
    for (const key of keys) {
      if (!key.startsWith(`${runId}/`) || registry.find(key)?.outcome === undefined) continue;
      // The key stays barred: a request of it that was long on its way must not run it again.
      registry.forget(key);
      registry.bar(key);
    }
  }

  #reply({ key, outcome }: Execution): ExecutionReply {
    const { instance, now } = this.#options;
    return {
      key,
      instance,
      outcome: outcome ?? null,
      leaseUntil: outcome === undefined ? now() + EXECUTION_LEASE_MS : null,
    };
  }
}

/** Names what is asked for: not who asks, when, and until when. */
function digestOf({ action, input, rework }: ExecutionRequest): string {
  return createHash('sha256').update(canonicalJson({ action, input, rework })).digest('hex');
}

/** Whether the outcome came before the wait was over and before the caller was gone. Throws the refusal of the execution. */
async function outcomeWithin(execution: Execution, waitMs: number, gone: AbortSignal): Promise<boolean> {
  if (gone.aborted) return false;
  const over = Promise.withResolvers<false>();
  const timer = setTimeout(() => over.resolve(false), waitMs);
  const left = (): void => over.resolve(false);
  gone.addEventListener('abort', left, { once: true });
  try {
    return await Promise.race([execution.ended.then(() => !gone.aborted), over.promise]);
  } finally {
    clearTimeout(timer);
    gone.removeEventListener('abort', left);
  }
}
