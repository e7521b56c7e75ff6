import type { StepId } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import { definitionOf, type Graph } from './graph.js';
import type { RunState } from './state.js';

/** The ids of a fan-out's items, in their order; none before it has begun. */
export function itemIds(state: RunState, id: StepId): StepId[] {
  return (state.steps[id]?.items ?? []).map((_item, index) => `${id}.${index}`);
}

/**
 * What a step gave; undefined unless it succeeded. Of a fan-out beside its own output `items`: what each item gave, null for one that
 * gave nothing. Of a sub-workflow: what its steps gave, by name.
 */
export function outputOf(graph: Graph, state: RunState, id: StepId): JsonObject | undefined {
  const outcome = state.steps[id]?.outcome;
  if (outcome?.kind !== 'succeeded') return undefined;
  const definition = definitionOf(graph, id);
  if (state.steps[id]?.items)
    return { ...outcome.output, items: itemIds(state, id).map((item) => outputOf(graph, state, item) ?? null) };
  if (definition?.kind !== 'group_end') return outcome.output;
  const prefix = `${ownerName(id)}.`;
  const members = graph.order.filter((other) => graph.steps.get(other)?.within === id);
  const entries = members.flatMap((member) => {
    const output = outputOf(graph, state, member);
    return output === undefined ? [] : [[member.slice(prefix.length), output] as const];
  });
  return { ...outcome.output, ...Object.fromEntries(entries) };
}

/** `build` of `build.end`. */
function ownerName(end: StepId): StepId {
  return end.slice(0, end.lastIndexOf('.'));
}
