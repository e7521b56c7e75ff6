import type { StepId } from '@devmesh/contracts/ids';
import type { BranchEvent, StepDefinition } from '@devmesh/contracts/workflow';
import { branchesOf, type Graph } from './graph.js';

type End = 'succeeded' | 'failed' | 'rejected';

/** How steps must have ended for something to run; a step that is left out may have ended anyhow. */
type Conditions = ReadonlyMap<StepId, ReadonlySet<End>>;

interface Conflict {
  readonly step: StepId;
}

function endThatTakes(source: StepDefinition, on: BranchEvent): End | undefined {
  if (on === 'failure') return 'failed';
  if (on === 'success') return 'succeeded';
  if (!source.gate) return undefined;
  return on === 'approval' ? 'succeeded' : 'rejected';
}

/** Both hold; or the step of which two different ends would be wanted. */
function both(one: Conditions, other: Conditions): Conditions | Conflict {
  const result = new Map(one);
  for (const [step, ends] of other) {
    const before = result.get(step);
    const common = before ? new Set([...before].filter((end) => ends.has(end))) : ends;
    if (common.size === 0) return { step };
    result.set(step, common);
  }
  return result;
}

/** At least one holds. Keeps only what all of them say, so it may allow too much and never too little. */
function either(alternatives: readonly Conditions[]): Conditions {
  const [first, ...rest] = alternatives;
  if (!first) return new Map();
  return new Map(
    [...first].flatMap(([step, ends]) => {
      if (!rest.every((other) => other.has(step))) return [];
      return [[step, new Set([...ends, ...rest.flatMap((other) => [...(other.get(step) ?? [])])])] as const];
    }),
  );
}

function isConflict(value: Conditions | Conflict): value is Conflict {
  return 'step' in value;
}

/**
 * Steps that can never run because they want one step to end in two ways at once, each with that step: a need of what only
 * runs on the other branch. A conflict is told where it arises, not at everything behind it. No step that can run is named;
 * one whose conflict needs several branches of different steps weighed against each other may be missed.
 */
export function neverRunning(graph: Graph): Map<StepId, StepId> {
  const conflicts = new Map<StepId, StepId>();
  const known = new Map<StepId, Conditions>();

  const conditionsOf = (id: StepId): Conditions => {
    const before = known.get(id);
    if (before) return before;
    const worked = workOut(id);
    if (isConflict(worked)) conflicts.set(id, worked.step);
    const conditions = isConflict(worked) ? new Map<StepId, ReadonlySet<End>>() : worked;
    known.set(id, conditions);
    return conditions;
  };

  /** What holds when the source has ended so that it leads to the target. */
  const ending = (source: StepId, ends: readonly End[]): Conditions | Conflict =>
    both(conditionsOf(source), new Map([[source, new Set(ends)]]));

  const workOut = (id: StepId): Conditions | Conflict => {
    const definition = graph.steps.get(id);
    if (!definition || definition.always) return new Map();
    let all: Conditions = new Map();
    // With a quorum some of the needs may end as they like.
    const needsAll = definition.quorum === null || definition.quorum >= definition.needs.length;
    for (const need of needsAll ? definition.needs : []) {
      const met = ending(need, ['succeeded']);
      const together = isConflict(met) ? met : both(all, met);
      if (isConflict(together)) return together;
      all = together;
    }
    const sources = graph.gotoSources.get(id) ?? [];
    if (sources.length === 0) return all;
    const possible: Conditions[] = [];
    for (const source of sources) {
      const from = graph.steps.get(source);
      if (!from) continue;
      const ends = branchesOf(from).flatMap(({ on, branch }) => {
        const end = branch.kind === 'goto' && branch.target === id ? endThatTakes(from, on) : undefined;
        return end ? [end] : [];
      });
      const taken = ends.length === 0 ? { step: source } : ending(source, ends);
      const together = isConflict(taken) ? taken : both(all, taken);
      if (!isConflict(together)) possible.push(together);
    }
    return possible.length === 0 ? { step: sources[0] ?? id } : either(possible);
  };

  for (const id of graph.order) conditionsOf(id);
  return conflicts;
}
