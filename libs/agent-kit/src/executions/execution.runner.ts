import type { Outcome } from '@devmesh/contracts/outcome';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import { withWorkContext } from '@devmesh/service-kit/context/request-context';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import { inExecutionSpan } from '@devmesh/service-kit/tracing/engine-span';
import type { ActionContext } from '../action-context.js';
import type { ContextFactory } from '../workspace/context-factory.js';
import type { Execution } from './execution.js';
import { outcomeOfOutput, outcomeOfThrow } from './outcomes.js';

export interface RunnerOptions {
  readonly contexts: ContextFactory;
  readonly logger: Logger;
  /** Told how long each run of an action took, seconds. */
  readonly observe: (action: string, seconds: number) => void;
  readonly now: () => number;
}

/** Runs the code of actions, and makes typed outcomes of whatever it does. */
export class ExecutionRunner {
  readonly #options: RunnerOptions;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Never rejects for what the action does. */
  async run(execution: Execution, input: unknown, progress: (message: string) => void): Promise<Outcome> {
    const { observe, now } = this.#options;
    const { contract } = execution.action;
    const started = now();
    try {
      return await this.#within(execution, input, progress, async (context) =>
        outcomeOfOutput(contract, await execution.action.run(context)),
      );
    } finally {
      observe(contract.id, (now() - started) / 1000);
    }
  }

  /** What an execution did whose instance died inside it; undefined: nothing, so it is to be run. */
  async findOut(execution: Execution, input: unknown): Promise<Outcome | undefined> {
    const { action } = execution;
    const { contract, probe } = action;
    if (contract.onLost !== 'probe' || probe === undefined) {
      return {
        kind: 'lost',
        message: `the instance that ran ${contract.id} is gone, and nobody can tell what it did: look, then start it anew`,
      };
    }
    let notDone = false;
    const found = await this.#within(
      execution,
      input,
      () => undefined,
      async (context) => {
        const result = await probe(context);
        if (result.state === 'done') return outcomeOfOutput(contract, result.output);
        notDone = result.state === 'not_done';
        return { kind: 'lost', message: result.state === 'unknown' ? result.message.slice(0, 4000) : '' };
      },
    );
    return notDone ? undefined : found;
  }

  async #within(
    execution: Execution,
    input: unknown,
    progress: (message: string) => void,
    work: (context: ActionContext<unknown>) => Promise<Outcome>,
  ): Promise<Outcome> {
    const { contexts, logger, now } = this.#options;
    const { key, request, action } = execution;
    const { runId, step } = parseExecutionKey(key);
    // Its own deadline: that of the request which started it ends with the wait.
    return withWorkContext({ runId, step, deadlineAt: request.notAfter }, () =>
      inExecutionSpan(
        { key, action: action.contract.id },
        async () => {
          const { context, dispose } = contexts.create(execution, input, progress);
          const started = now();
          try {
            const outcome = await work(context);
            const what = { key, action: action.contract.id, outcome: outcome.kind, elapsedMs: now() - started };
            logger.info('execution ended', what);
            return outcome;
          } catch (thrown) {
            if (!execution.signal.aborted)
              logger.warn('an action failed', { key, action: action.contract.id, error: thrown });
            return outcomeOfThrow(action.contract, thrown);
          } finally {
            await dispose();
          }
        },
        (outcome) =>
          outcome.kind === 'succeeded' ? undefined : outcome.kind === 'failed' ? outcome.error.message : outcome.kind,
      ),
    );
  }
}
