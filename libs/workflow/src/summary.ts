import type { JsonObject } from '@devmesh/contracts/json';
import type { RunVerdict } from '@devmesh/contracts/run';
import type { Graph } from './graph.js';
import type { RunState, StepState } from './state.js';

/** Most bytes of outputs that a run's summary carries; later outputs are null beyond it. */
export const SUMMARY_OUTPUT_BYTES = 160 * 1024;

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

/** What `${{ run.summary }}` stands for: the run so far, for the report. Bounded (SUMMARY_OUTPUT_BYTES). */
export function summarise(graph: Graph, state: RunState): JsonObject {
  let budget = SUMMARY_OUTPUT_BYTES;
  const steps = graph.order.flatMap((id) => {
    const step = state.steps[id];
    const definition = graph.steps.get(id);
    if (!step || !definition) return [];
    const output = step.outcome?.kind === 'succeeded' ? step.outcome.output : null;
    const bytes = output === null ? 0 : JSON.stringify(output).length;
    const fits = bytes <= budget;
    if (fits) budget -= bytes;
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
        output: fits ? output : null,
        error: step.phase === 'failed' ? failureText(step) : null,
      },
    ];
  });
  const { verdict, reason } = verdictOf(graph, state);
  return {
    runId: state.runId,
    workflow: graph.workflow.name,
    task: state.task.slice(0, 4000),
    repository: state.repository
      ? { origin: state.repository.origin, branch: state.repository.branch ?? null, base: state.repository.ref.base }
      : null,
    notices: state.repository?.notices.map((notice) => notice.message) ?? [],
    verdict,
    reason,
    notifications: state.notifications.map(({ step, message }) => ({ step, message })),
    steps,
  };
}
