import { DevmeshError } from '@devmesh/contracts/errors';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { Execution } from './execution.js';
import type { StatePort } from './state.port.js';

const PAUSE_MS = 250;
const MAX_PAUSE_MS = 5_000;

/** Tells a run the outcome of an execution that nobody waits for any more. */
export class SlowResults {
  readonly #underWay = new Set<Promise<void>>();
  #closed = false;

  constructor(
    private readonly state: StatePort,
    private readonly logger: Logger,
    private readonly now: () => number,
    private readonly sleep: (ms: number) => Promise<void>,
  ) {}

  /** `known` says whether the run has acknowledged the outcome meanwhile: then telling it is pointless. */
  report(execution: Execution, known: () => boolean): void {
    const work = this.#report(execution, known).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  /** Ends when everything that was to be told has been. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Gives up on what is left: the runs will ask. */
  close(): void {
    this.#closed = true;
  }

  /** After the deadline and a lease the run has gone on by itself. */
  async #report({ key, request, outcome }: Execution, known: () => boolean): Promise<void> {
    if (outcome === undefined) return;
    const { runId } = parseExecutionKey(key);
    const post = { dedupeKey: `result:${key}`, message: { kind: 'result', key, outcome } } as const;
    const pointlessAt = request.notAfter + EXECUTION_LEASE_MS;
    let pause = PAUSE_MS;
    while (!known() && !this.#closed) {
      try {
        await this.state.postInbox(runId, post);
        return;
      } catch (error) {
        const hopeless = error instanceof DevmeshError && !error.retryable && error.status < 500;
        if (hopeless || this.now() + pause > pointlessAt) {
          this.logger.warn('a run could not be told the outcome of its execution; it will ask', { key, error });
          return;
        }
        await this.sleep(pause);
        pause = Math.min(pause * 2, MAX_PAUSE_MS);
      }
    }
  }
}
