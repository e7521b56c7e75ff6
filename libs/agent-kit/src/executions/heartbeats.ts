import { EXECUTION_LEASE_MS, HEARTBEAT_MS } from '@devmesh/contracts/execution';
import type { ExecutionKey, InstanceId } from '@devmesh/contracts/ids';
import { withoutWorkContext } from '@devmesh/service-kit/context/request-context';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { Execution } from './execution.js';
import type { StatePort } from './state.port.js';

/** Progress is passed on at most this often, ms. */
export const PROGRESS_MS = 1_000;
const BATCH = 1_000;
/** Those that outlive their wait together are introduced together, ms. */
const INTRODUCE_MS = 10;
/** How long an owner is kept waiting for it, ms. */
const INTRODUCTION_MS = 1_000;

/**
 * Vouches for the executions that outlived their wait, all of the process in one call; says what they are doing; and learns which
 * of their runs have ended. Quiet while there are none.
 */
export class Heartbeats {
  readonly #executions = new Map<ExecutionKey, Execution>();
  readonly #introducing = new Map<ExecutionKey, PromiseWithResolvers<boolean>>();
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, Unix ms. */
  #dueAt = Infinity;
  #sentAt = -Infinity;
  #sending = false;

  constructor(
    private readonly state: StatePort,
    private readonly instance: InstanceId,
    private readonly logger: Logger,
    private readonly now: () => number,
    /** Called for an execution whose run has ended. */
    private readonly onRunEnded: (execution: Execution) => void,
  ) {}

  /** For one whose claim is on record. */
  add(execution: Execution): void {
    if (this.#executions.has(execution.key)) return;
    this.#executions.set(execution.key, execution);
    this.#wakeIn(HEARTBEAT_MS);
  }

  /**
   * For one that its owner leaves to the heartbeats from now on: should this process die, they are how that is known. Ends when it is
   * on record; false when that took too long or failed.
   */
  async introduce(execution: Execution): Promise<boolean> {
    const { key } = execution;
    // Several callers may wait for one execution.
    const under = this.#introducing.get(key);
    if (under !== undefined) return under.promise;
    const recorded = Promise.withResolvers<boolean>();
    this.#introducing.set(key, recorded);
    this.add(execution);
    this.#wakeIn(INTRODUCE_MS);
    const timer = setTimeout(() => this.#introduced(key, false), INTRODUCTION_MS);
    try {
      return await recorded.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  remove(key: ExecutionKey): void {
    this.#executions.delete(key);
    this.#introduced(key, true);
    if (this.#executions.size === 0) this.#sleep();
  }

  /** What an execution is doing has changed. */
  progressed(key: ExecutionKey): void {
    if (this.#executions.has(key)) this.#wakeIn(Math.max(0, this.#sentAt + PROGRESS_MS - this.now()));
  }

  close(): void {
    this.#executions.clear();
    for (const key of this.#introducing.keys()) this.#introduced(key, false);
    this.#sleep();
  }

  #introduced(key: ExecutionKey, recorded: boolean): void {
    this.#introducing.get(key)?.resolve(recorded);
    this.#introducing.delete(key);
  }

  #wakeIn(ms: number): void {
    const at = this.now() + ms;
    if (at >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(() => withoutWorkContext(() => void this.#send()), ms);
    this.#timer.unref();
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    this.#dueAt = Infinity;
  }

  async #send(): Promise<void> {
    this.#dueAt = Infinity;
    if (this.#executions.size === 0) return;
    if (this.#sending) {
      this.#wakeIn(this.#introducing.size > 0 ? INTRODUCE_MS : PROGRESS_MS);
      return;
    }
    this.#sending = true;
    this.#sentAt = this.now();
    try {
      const all = [...this.#executions.values()];
      for (let from = 0; from < all.length; from += BATCH) await this.#sendBatch(all.slice(from, from + BATCH));
    } catch (error) {
      // The next one is due soon; leases outlast a few that fail.
      this.logger.warn('heartbeats could not be sent', { error });
    } finally {
      this.#sending = false;
      if (this.#executions.size > 0) this.#wakeIn(HEARTBEAT_MS);
    }
  }

  async #sendBatch(batch: readonly Execution[]): Promise<void> {
    const reply = await this.state.heartbeats(
      {
        instance: this.instance,
        leaseMs: EXECUTION_LEASE_MS,
        executions: batch.map(({ key, progress }) => ({ key, progress })),
      },
      { timeoutMs: HEARTBEAT_MS },
    );
    for (const { key } of batch) this.#introduced(key, true);
    for (const key of reply.ended) {
      const execution = this.#executions.get(key);
      if (execution !== undefined) this.onRunEnded(execution);
    }
  }
}
