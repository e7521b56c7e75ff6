import type { Json, JsonObject } from '@devmesh/contracts/json';
import type { RunVerdict } from '@devmesh/contracts/run';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { StepId } from '@devmesh/contracts/ids';
import { definitionOf, type Graph } from './graph.js';
import { itemIds } from './output.js';
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
  if (state.timedOut) return { verdict: 'failed', reason: 'the time of the whole run ran out' };
  const { failed, rejected } = shortcomings(graph, state, null);
  const isPartial = graph.workflow.allowPartialCompletion && hasWorked(graph, state);
  const failure = failed[0] && `step ${failed[0]} failed: ${failureText(state.steps[failed[0]])}`;
  if (failure && !isPartial) return { verdict: 'failed', reason: failure };
  if (rejected[0]) return { verdict: 'rejected', reason: `step ${rejected[0]} rejected the result` };
  if (failure)
    return { verdict: 'partial', reason: failed.length > 1 ? `${failed.length} steps failed; ${failure}` : failure };
  const fallen = Object.keys(state.steps).filter((id) => state.steps[id]?.fallback !== undefined);
  const but = fallen.length === 0 ? '' : `, of them by a fallback: ${fallen.join(', ')}`;
  return { verdict: 'passed', reason: `every step that was to run succeeded${but}`.slice(0, 1000) };
}

/** Steps that failed or rejected and that no branch dealt with; of a sub-workflow's end, or of the workflow itself (null). */
function shortcomings(graph: Graph, state: RunState, within: StepId | null): { failed: StepId[]; rejected: StepId[] } {
  const found = { failed: [] as StepId[], rejected: [] as StepId[] };
  for (const id of graph.order) {
    const step = state.steps[id];
    if (!step || graph.steps.get(id)?.within !== within || isDealtWith(state, step)) continue;
    if (step.phase === 'failed') found.failed.push(id);
    if (step.phase === 'rejected') found.rejected.push(id);
  }
  return found;
}

/** Whether a step of the work succeeded: what is done at the end in any case does not count. */
function hasWorked(graph: Graph, state: RunState): boolean {
  return graph.order.some((id) => {
    const definition = graph.steps.get(id);
    return definition?.kind === 'action' && !definition.always && state.steps[id]?.phase === 'succeeded';
  });
}

/** What a sub-workflow comes to whose steps have all settled; undefined when it did not begin. */
export function groupOutcome(graph: Graph, state: RunState, end: StepId): Outcome | undefined {
  const start = end.slice(0, end.lastIndexOf('.'));
  if (state.steps[start]?.phase !== 'succeeded') return undefined;
  const { failed, rejected } = shortcomings(graph, state, end);
  const first = failed[0];
  if (first !== undefined) {
    const message = `step ${first} failed: ${failureText(state.steps[first])}`;
    return { kind: 'failed', error: { code: 'action_failed', message: message.slice(0, 4000), retryable: false } };
  }
  return { kind: 'succeeded', output: {}, verdict: rejected.length > 0 ? 'rejected' : 'approved' };
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
  const ids = graph.order.flatMap((id) => [id, ...itemIds(state, id)]);
  const errors = new Map(
    ids.flatMap((id) => {
      const step = state.steps[id];
      return step?.phase === 'failed' ? [[id, budget.take(failureText(step))] as const] : [];
    }),
  );
  const notifications = budget.takeSome(state.notifications.map(({ step, message }) => ({ step, message })));
  const steps = ids.flatMap((id) => {
    const step = state.steps[id];
    const definition = definitionOf(graph, id);
    if (!step || !definition || definition.kind === 'group_start' || definition.kind === 'group_end') return [];
    // What a fan-out gave is told with its items.
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
        fallback: step.fallback === undefined ? null : budget.take(step.fallback),
      },
    ];
  });
  return { ...head, notifications, steps };
}
