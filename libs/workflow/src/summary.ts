import type { Json, JsonObject } from '@devmesh/contracts/json';
import type { RunVerdict } from '@devmesh/contracts/run';
import type { Graph } from './graph.js';
import type { RunState, StepState } from './state.js';

/**
 * Most bytes of texts and outputs that a run's summary carries, as JSON: with the fixed members of 200 steps it stays below
 * the largest input of an execution. What does not fit is null, or left out of its list.
 */
const SUMMARY_BYTES = 160 * 1024;

/** A failed step that took a goto branch whose target succeeded has been dealt with. */
function isDealtWith(state: RunState, step: StepState): boolean {
  return step.taken.some(({ target }) => state.steps[target]?.phase === 'succeeded');
}

/** The verdict of the run as its steps stand, with the reason in a few words. */
export function verdictOf(graph: Graph, state: RunState): { verdict: RunVerdict; reason: string } {
  if (state.cancel) return { verdict: 'cancelled', reason: state.cancel.reason || `cancelled by ${state.cancel.by}` };
  if (state.failedBy !== null)
    return { verdict: 'failed', reason: `step ${state.failedBy} failed, and its branch fails the run` };
  const phases = graph.order.map((id) => ({ id, step: state.steps[id] }));
  const failed = phases.find(({ step }) => step?.phase === 'failed' && !isDealtWith(state, step));
  if (failed) return { verdict: 'failed', reason: `step ${failed.id} failed: ${failureText(failed.step)}` };
  const rejected = phases.find(({ step }) => step?.phase === 'rejected' && !isDealtWith(state, step));
  if (rejected) return { verdict: 'rejected', reason: `step ${rejected.id} rejected the result` };
  return { verdict: 'passed', reason: 'every step that was to run succeeded' };
}

/** Why the last attempt failed, for people. */
export function failureText(step: StepState | undefined): string {
  const outcome = step?.outcome;
  switch (outcome?.kind) {
    case 'failed':
      return outcome.error.message.slice(0, 500);
    case 'timed_out':
      return 'its time ran out';
    case 'lost':
      return `its agent died while it was acting: ${outcome.message}`.slice(0, 500);
    case 'cancelled':
      return 'its agent was told to stop';
    default:
      return 'no outcome';
  }
}

/** Takes from a number of bytes what fits into it. */
class Budget {
  constructor(private left: number) {}

  /** The value when its JSON still fits; else what stands for it. */
  take<T extends Json>(value: T): T | null {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    if (bytes > this.left) return null;
    this.left -= bytes;
    return value;
  }

  /** As many as fit, from the first. */
  takeSome<T extends Json>(values: readonly T[]): T[] {
    return values.filter((value) => this.take(value) !== null);
  }
}

/** What `${{ run.summary }}` stands for: the run so far, for the report. Bounded (SUMMARY_BYTES). */
export function summarise(graph: Graph, state: RunState): JsonObject {
  const budget = new Budget(SUMMARY_BYTES);
  const { verdict, reason } = verdictOf(graph, state);
  const repository = state.repository
    ? { origin: state.repository.origin, branch: state.repository.branch ?? null, base: state.repository.ref.base }
    : null;
  const head = {
    runId: state.runId,
    workflow: graph.workflow.name,
    task: budget.take(state.task.slice(0, 4000)),
    repository: budget.take(repository),
    notices: budget.takeSome(state.repository?.notices.map((notice) => notice.message) ?? []),
    verdict,
    reason: budget.take(reason),
  };
  const errors = new Map(
    graph.order.flatMap((id) => {
      const step = state.steps[id];
      return step?.phase === 'failed' ? [[id, budget.take(failureText(step))] as const] : [];
    }),
  );
  const notifications = budget.takeSome(state.notifications.map(({ step, message }) => ({ step, message })));
  const steps = graph.order.flatMap((id) => {
    const step = state.steps[id];
    const definition = graph.steps.get(id);
    if (!step || !definition) return [];
    const output = step.outcome?.kind === 'succeeded' ? budget.take(step.outcome.output) : null;
    return [
      {
        id,
        agent: definition.agent,
        action: definition.action,
        iteration: step.iteration,
        attempt: step.attempt,
        outcome: step.phase,
        startedAt: step.startedAt,
        elapsedMs: step.startedAt !== null && step.endedAt !== null ? step.endedAt - step.startedAt : null,
        output,
        error: errors.get(id) ?? null,
      },
    ];
  });
  return { ...head, notifications, steps };
}
