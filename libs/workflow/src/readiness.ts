import type { StepId } from '@devmesh/contracts/ids';
import type { Json } from '@devmesh/contracts/json';
import type { StepDefinition } from '@devmesh/contracts/workflow';
import { ConditionError, tellCondition, type ConditionContext } from './condition.js';
import { isUndo, itemIndex, ownerOf, undoIdOf, type Graph } from './graph.js';
import { itemIds, outputOf } from './output.js';
import { staticStep } from './references.js';
import { isSettled, type RunState, type StepState } from './state.js';

/** Every step of a run in the order in which it is looked at: by priority, items behind their fan-out; no undos. */
export function stepIds(graph: Graph, state: RunState): StepId[] {
  return graph.byPriority.flatMap((id) => (state.steps[id]?.items ? [id, ...itemIds(state, id)] : [id]));
}

type Readiness = 'wait' | 'ready' | { readonly skip: string };

/** Section 2 of docs/engine.md, joins: whether the needs let a pending step run. */
function joined(state: RunState, definition: StepDefinition): Readiness {
  const { needs, always } = definition;
  let fired = 0;
  let dead: string | undefined;
  let deadCount = 0;
  for (const need of needs) {
    const step = state.steps[need];
    if (!step || !isSettled(step)) continue;
    if (always || step.phase === 'succeeded') fired++;
    else {
      deadCount++;
      dead ??= `${need} ${step.phase === 'failed' ? 'failed' : `was ${step.phase}`}`;
    }
  }
  const wanted = Math.min(definition.quorum ?? needs.length, needs.length);
  if (fired >= wanted) return 'ready';
  return dead !== undefined && needs.length - deadCount < wanted ? { skip: dead } : 'wait';
}

/** Section 2 of docs/engine.md: whether a pending step waits, runs, or is skipped, as far as its edges tell. */
export function readiness(graph: Graph, state: RunState, definition: StepDefinition): Readiness {
  const sources = graph.gotoSources.get(definition.id) ?? [];
  const needs = joined(state, definition);
  if (typeof needs === 'object') return needs;
  let fired = 0;
  let undecided = 0;
  for (const source of sources) {
    const step = state.steps[source];
    if (!step || !isSettled(step)) undecided++;
    else if (step.taken.some(({ target }) => target === definition.id)) fired++;
  }
  if (definition.always) return needs === 'wait' || undecided > 0 ? 'wait' : 'ready';
  if (sources.length > 0 && fired === 0 && undecided === 0)
    return { skip: `no branch led here from ${sources.join(', ')}` };
  return needs === 'wait' || (sources.length > 0 && fired === 0) ? 'wait' : 'ready';
}

/** Whether what an earlier iteration of the step did is still being taken back. */
export function awaitsUndo(graph: Graph, state: RunState, id: StepId): boolean {
  if (isUndo(graph, id)) return false;
  const step = staticStep(graph, id);
  if (state.undoDue.some((entry) => staticStep(graph, entry.step) === step)) return true;
  const { undoing } = state;
  if (!undoing || staticStep(graph, undoing.step) !== step) return false;
  const undo = state.steps[undoIdOf(undoing.step)];
  return undo !== undefined && !isSettled(undo);
}

function running(state: RunState, counts: (id: StepId) => boolean): number {
  return Object.entries(state.steps).filter(([id, { phase }]) => phase === 'running' && counts(id)).length;
}

/** Whether an execution of this step may start beside those that are under way; an undo always may. */
export function hasRoom(graph: Graph, state: RunState, id: StepId): boolean {
  if (isUndo(graph, id)) return true;
  const { maxParallelAgents } = graph.workflow;
  if (maxParallelAgents !== null && running(state, (other) => !isUndo(graph, other)) >= maxParallelAgents) return false;
  if (itemIndex(graph, id) === undefined) return true;
  const owner = ownerOf(graph, id);
  const { maxParallel } = graph.steps.get(owner ?? '')?.forEach ?? { maxParallel: Infinity };
  return running(state, (other) => ownerOf(graph, other) === owner && !isUndo(graph, other)) < maxParallel;
}

/** Why a ready step's condition says no: `false`, or an error when it cannot be told. Undefined when it runs. */
export function conditionSays(
  graph: Graph,
  state: RunState,
  definition: StepDefinition,
): { readonly skip: string } | { readonly error: string } | undefined {
  const { when } = definition;
  if (when === null) return undefined;
  try {
    return tellCondition(when, contextOf(graph, state, definition.id)) ? undefined : { skip: `when: ${when}` };
  } catch (error) {
    if (!(error instanceof ConditionError)) throw error;
    return { error: `cannot tell \`when: ${when}\`: ${error.message}; ask with has() for what may be missing` };
  }
}

/**
 * The steps that a condition may name, by the name that its own workflow has for them: inside a sub-workflow without the group's
 * name before it; a sub-workflow by its own name, behind which stands its end.
 */
export function namesBefore(graph: Graph, id: StepId): Map<string, StepId> {
  const scope = graph.steps.get(id)?.within?.replace(/end$/, '') ?? '';
  const names = new Map<string, StepId>();
  for (const other of graph.upstream.get(id) ?? []) {
    if (!other.startsWith(scope) || graph.steps.get(other)?.kind === 'group_start') continue;
    const isEnd = graph.steps.get(other)?.kind === 'group_end';
    const name = (isEnd ? other.slice(0, other.lastIndexOf('.')) : other).slice(scope.length);
    if (name !== '' && !name.includes('.')) names.set(name, other);
  }
  return names;
}

function contextOf(graph: Graph, state: RunState, id: StepId): ConditionContext {
  const steps = [...namesBefore(graph, id)].flatMap(([name, other]) => {
    const step = state.steps[other];
    return step ? [[name, viewOf(graph, state, other, step)] as const] : [];
  });
  return { run: { id: state.runId, task: state.task }, steps: Object.fromEntries(steps) };
}

function viewOf(graph: Graph, state: RunState, id: StepId, step: StepState): Record<string, Json> {
  const verdict = step.outcome?.kind === 'succeeded' ? (step.outcome.verdict ?? null) : null;
  return { status: step.phase, verdict, iteration: step.iteration, output: outputOf(graph, state, id) ?? {} };
}

/** Needs that are still open when the join of a step is reached, and what leads to nothing else: its losers. */
export function losersOf(graph: Graph, state: RunState, definition: StepDefinition): StepId[] {
  if (definition.losers === 'keep') return [];
  const isOpen = (id: StepId) => {
    const step = state.steps[id];
    return step !== undefined && !isSettled(step);
  };
  const losers = new Set<StepId>();
  const targets = new Set<StepId>([definition.id]);
  // Backwards: a step's successors are looked at before it.
  for (const id of [...(graph.upstream.get(definition.id) ?? [])].reverse()) {
    if (!isOpen(id) || !(graph.successors.get(id) ?? []).every((next) => targets.has(next))) continue;
    losers.add(id);
    targets.add(id);
  }
  return stepIds(graph, state).filter((id) => losers.has(staticStep(graph, id)) && isOpen(id));
}
