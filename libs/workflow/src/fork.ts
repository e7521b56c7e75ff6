import type { EventOf, ForkOrigin, InheritedStep } from '@devmesh/contracts/event';
import type { RunId, StepId, UnixMs } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import { reachable, undoIdOf, type Graph } from './graph.js';
import { itemIds } from './output.js';
import { staticStep } from './references.js';
import { isSettled, type RunState, type StepState } from './state.js';

/** The run that another one goes on from, as it stood after event `at`. */
export interface ForkSource {
  readonly created: EventOf<'RunCreated'>;
  readonly state: RunState;
  readonly at: number;
}

export interface ForkRequest {
  readonly kind: ForkOrigin['kind'];
  /** Null for a retry: it begins with what had failed. */
  readonly from: StepId | null;
  /** Of a fork: members laid over the input of `from`. */
  readonly input: JsonObject | null;
  readonly now: UnixMs;
  readonly requestedBy: string;
  readonly traceparent: string | null;
}

/** The first events of the new run. `inherited` is null when everything is done again. */
export interface Fork {
  readonly created: EventOf<'RunCreated'>;
  readonly inherited: EventOf<'StepsInherited'> | null;
}

const GOOD: ReadonlySet<StepState['phase']> = new Set(['succeeded', 'skipped', 'cancelled'] as const);

/** Whether what this iteration of the step did was taken back, or is about to be. */
function isUndone(state: RunState, id: StepId): boolean {
  const iteration = state.steps[id]?.iteration;
  return (
    state.steps[undoIdOf(id)]?.iteration === iteration ||
    [...state.undoDue, ...(state.undoing ? [state.undoing] : [])].some(
      (entry) => entry.step === id && entry.iteration === iteration,
    )
  );
}

/** Whether the step by itself may be taken over; what it depends on may still say no. */
function mayKeep(graph: Graph, state: RunState, kind: ForkOrigin['kind'], id: StepId): boolean {
  const step = state.steps[id];
  if (!step || !isSettled(step) || graph.steps.get(id)?.kind === 'approval') return false;
  if (kind === 'retry' && !GOOD.has(step.phase)) return false;
  return ![id, ...itemIds(state, id)].some((part) => isUndone(state, part));
}

/** A step that a join gave up because it needed it no more: done again only together with the join. */
function isLoser(graph: Graph, state: RunState, kept: ReadonlySet<StepId>, id: StepId): boolean {
  const next = graph.successors.get(id) ?? [];
  return (
    next.length > 0 &&
    next.every(
      (to) => kept.has(to) && (graph.steps.get(to)?.losers === 'cancel' || state.steps[to]?.phase === 'cancelled'),
    )
  );
}

/**
 * The steps that the new run takes over: settled, with everything before them taken over too. Never an approval, nor what follows one:
 * consent was given to another run.
 */
function keptSteps(graph: Graph, state: RunState, { kind, from }: ForkRequest): Set<StepId> {
  const again = from === null ? new Set<StepId>() : reachable(graph.successors, from);
  const kept = new Set(graph.order.filter((id) => !again.has(id) && mayKeep(graph, state, kind, id)));
  for (let before = -1; before !== kept.size;) {
    before = kept.size;
    for (const id of kept) {
      const follows = (graph.upstream.get(id) ?? []).every((other) => kept.has(other));
      const isOpen = state.steps[id]?.phase === 'cancelled' && !isLoser(graph, state, kept, id);
      if (!follows || isOpen) kept.delete(id);
    }
  }
  return kept;
}

function inheritedStep(id: StepId, step: StepState): InheritedStep[] {
  const { phase, iteration, attempt, outcome, fallback, taken, items, startedAt, endedAt } = step;
  switch (phase) {
    case 'succeeded':
    case 'failed':
    case 'rejected':
    case 'skipped':
    case 'cancelled':
      return [
        {
          step: id,
          iteration,
          attempt,
          as: phase,
          outcome,
          ...(fallback === undefined ? {} : { fallback }),
          taken: [...taken],
          items: items && [...items],
          startedAt,
          endedAt,
        },
      ];
    default:
      return [];
  }
}

/** Why the request can't be met, with the cure; undefined when it can. */
function refusal(
  graph: Graph,
  { state }: ForkSource,
  { kind, from, input }: ForkRequest,
  runId: RunId,
): string | undefined {
  if (kind !== 'fork' && !state.ended) {
    return `run ${runId} has not ended: cancel it or wait for its end, or fork it from a step`;
  }
  if (kind === 'retry') {
    return state.ended?.verdict === 'passed'
      ? `run ${runId} passed, so there is nothing to retry: rerun it from a step`
      : undefined;
  }
  const step = from === null ? undefined : graph.steps.get(from);
  if (!step) {
    const owner = from === null || state.steps[from] === undefined ? undefined : staticStep(graph, from);
    return owner === undefined
      ? `workflow ${graph.workflow.name} has no step ${from ?? ''}: name one of ${graph.order.join(', ')}`
      : `step ${from ?? ''} came about from ${owner}: name ${owner}`;
  }
  return input !== null && step.kind !== 'action'
    ? `step ${step.id} has no input of its own (it is ${step.kind === 'approval' ? 'an approval' : 'a sub-workflow'}): fork from a step with an action`
    : undefined;
}

/**
 * What a run that goes on from another one begins with: pure, and refused with the reason when it can't be. Iterations of what is
 * taken over are those of the source; what is done again begins anew, loops and undos too.
 */
export function forkOf(graph: Graph, source: ForkSource, request: ForkRequest): Fork | { readonly refused: string } {
  const { created, state, at } = source;
  const { kind, from, input, now, requestedBy, traceparent } = request;
  const refused = refusal(graph, source, request, state.runId);
  if (refused !== undefined) return { refused };
  const kept = keptSteps(graph, state, request);
  if (kept.size === graph.order.length) {
    return { refused: `every step of run ${state.runId} is done, so there is nothing to retry: rerun it from a step` };
  }
  const steps = graph.order
    .filter((id) => kept.has(id))
    .flatMap((id) => [id, ...itemIds(state, id)])
    .flatMap((id) => inheritedStep(id, state.steps[id] as StepState));
  const overrides = { ...state.overrides };
  if (from !== null && input !== null) overrides[from] = { ...overrides[from], ...input };
  const { forkOf: _source, overrides: _before, imported: _origin, ...same } = created;
  return {
    created: {
      ...same,
      at: now,
      requestedBy,
      traceparent,
      forkOf: { runId: state.runId, at, kind, from },
      ...(Object.keys(overrides).length === 0 ? {} : { overrides }),
    },
    inherited: steps.length === 0 ? null : { type: 'StepsInherited', at: now, steps },
  };
}
