import type { EventOf, RunEvent } from '@devmesh/contracts/event';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import { definitionOf, isUndo, type Graph } from '@devmesh/workflow/graph';
import { losersOf } from '@devmesh/workflow/readiness';
import { resolveInput } from '@devmesh/workflow/references';
import { isAborting, type RunState } from '@devmesh/workflow/state';
import { isDeepStrictEqual } from 'node:util';

/** What the specification says of one event beyond the transition table, told from the state before it. In words what is broken. */
export function eventProblems(graph: Graph, before: RunState, event: RunEvent): string[] {
  switch (event.type) {
    case 'StepScheduled':
      return isDeepStrictEqual(event.input, resolveInput(graph, before, event.step))
        ? []
        : [`step ${event.step} came out as scheduled with an input that is not what is on record`];
    case 'StepReassigned':
      return before.steps[event.step]?.instance === event.instance
        ? [`step ${event.step} is on record as moved to where it is`]
        : [];
    case 'RetryScheduled':
      return retry(graph, before, event);
    case 'FallbackUsed': {
      const declared = definitionOf(graph, event.step)?.fallback;
      return declared && isDeepStrictEqual(declared.output, event.output)
        ? []
        : [`step ${event.step} is on record as falling back on what it does not declare`];
    }
    case 'StepSettled': {
      const hasSucceeded = before.steps[event.step]?.outcome?.kind === 'succeeded';
      return hasSucceeded === (event.as !== 'failed')
        ? []
        : [`step ${event.step} is on record as ${event.as}, which is not what it came to`];
    }
    case 'BranchTaken': {
      const { from, on, branch } = event;
      const taken = before.steps[from]?.taken ?? [];
      const again = branch.kind === 'goto' && taken.some((other) => other.on === on && other.target === branch.target);
      return again ? [`step ${from} is on record as taking a branch twice`] : [];
    }
    case 'ApprovalReminded': {
      const { remindAt, escalateAt } = before.steps[event.step]?.approval ?? {};
      const at = event.escalated ? escalateAt : remindAt;
      return at === null || at === undefined || at > event.at
        ? [`approval ${event.approvalId} is on record as reminded of, and its time is not there`]
        : [];
    }
    case 'CancelRequested':
      return before.cancel ? [`run ${before.runId} is on record as cancelled twice`] : [];
    case 'RunTimedOut':
      return before.timedOut || (before.deadlineAt ?? Infinity) > event.at
        ? [`run ${before.runId} is on record as out of time, and is not or was before`]
        : [];
    case 'StepCancelled':
      return isAborting(before) || isUndo(graph, event.step) || isLoser(graph, before, event.step)
        ? []
        : [`step ${event.step} is on record as cancelled without a reason`];
    case 'UndoStarted':
      return before.stopping.some(({ key }) => isOf(key, event))
        ? [`iteration ${event.iteration} of ${event.step} was undone while it may still have been acting`]
        : [];
    default:
      return [];
  }
}

function isOf(key: string, { step, iteration }: { step: string; iteration: number }): boolean {
  const parsed = parseExecutionKey(key);
  return parsed.step === step && parsed.iteration === iteration;
}

function retry(graph: Graph, before: RunState, event: EventOf<'RetryScheduled'>): string[] {
  const outcome = before.steps[event.step]?.outcome;
  const { maxAttempts } = definitionOf(graph, event.step)?.retry ?? { maxAttempts: 0 };
  const retryable = outcome?.kind === 'timed_out' || (outcome?.kind === 'failed' && outcome.error.retryable);
  return [
    ...(event.attempt > maxAttempts ? [`step ${event.step} is tried ${event.attempt} times of ${maxAttempts}`] : []),
    ...(retryable ? [] : [`step ${event.step} is tried again after ${outcome?.kind}, which is not retryable`]),
  ];
}

/** Whether a join that has what it wants gives the step up. */
function isLoser(graph: Graph, state: RunState, step: string): boolean {
  return [...graph.steps.values()].some(
    (definition) => definition.losers === 'cancel' && losersOf(graph, state, definition).includes(step),
  );
}
