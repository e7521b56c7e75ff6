import type { StepId } from '@devmesh/contracts/ids';
import type { Branch, BranchEvent, StepDefinition, WorkflowDefinition } from '@devmesh/contracts/workflow';
import { BRANCH_EVENTS } from '@devmesh/contracts/workflow';

/** A branch of a step, with the event that takes it. */
export interface StepBranch {
  readonly on: BranchEvent;
  readonly branch: Branch;
}

/** A rework handler: a loop of the graph. */
export interface Loop {
  /** Names the handler's counter: `step:event`. */
  readonly id: string;
  readonly by: StepId;
  readonly on: BranchEvent;
  readonly target: StepId;
  readonly maxAttempts: number;
  /** What a rework of this loop resets: the target and everything downstream of it. */
  readonly closure: ReadonlySet<StepId>;
  /** Counters that a rework of this loop sets back to zero: loops whose closure is a strict subset of this one's. */
  readonly inside: readonly string[];
}

/** A workflow with its edges worked out, both ways. */
export interface Graph {
  readonly workflow: WorkflowDefinition;
  readonly steps: ReadonlyMap<StepId, StepDefinition>;
  /** Definition order. */
  readonly order: readonly StepId[];
  /** Steps with a goto branch to this one. */
  readonly gotoSources: ReadonlyMap<StepId, readonly StepId[]>;
  /** Everything that comes before a step, nearest last (a topological order that keeps the order of definition). */
  readonly upstream: ReadonlyMap<StepId, readonly StepId[]>;
  readonly loops: ReadonlyMap<string, Loop>;
  readonly successors: ReadonlyMap<StepId, readonly StepId[]>;
  /** Steps in the order in which they are looked at: by priority, then as defined. */
  readonly byPriority: readonly StepId[];
  /** Definitions of steps that came about, worked out once. */
  readonly derived: Map<StepId, StepDefinition>;
}

export function branchesOf(step: StepDefinition): StepBranch[] {
  return BRANCH_EVENTS.flatMap((on) => step.on[on].map((branch) => ({ on, branch })));
}

export function loopId(by: StepId, on: BranchEvent): string {
  return `${by}:${on}`;
}

/** A step that nothing is tied to. */
const NO_EDGES: Pick<
  StepDefinition,
  'needs' | 'quorum' | 'losers' | 'when' | 'forEach' | 'gate' | 'always' | 'guardedBy' | 'on'
> = {
  needs: [],
  quorum: null,
  losers: 'keep',
  when: null,
  forEach: null,
  gate: false,
  always: false,
  guardedBy: null,
  on: { success: [], failure: [], approval: [], rejection: [] },
};

/** The step that a step came about from: of an item its fan-out, of an undo the step that it takes back; of others undefined. */
export function ownerOf(graph: Graph, id: StepId): StepId | undefined {
  return graph.steps.has(id) ? undefined : id.slice(0, Math.max(0, id.lastIndexOf('.')));
}

export function undoIdOf(step: StepId): StepId {
  return `${step}.undo`;
}

export function isUndo(graph: Graph, id: StepId): boolean {
  return id.endsWith('.undo') && !graph.steps.has(id);
}

/** The number of a fan-out's item; undefined for any other step. */
export function itemIndex(graph: Graph, id: StepId): number | undefined {
  const owner = ownerOf(graph, id);
  return owner === undefined || isUndo(graph, id) ? undefined : Number(id.slice(owner.length + 1));
}

/** The definition of a step of the workflow, of an item of its fan-outs, or of an undo. */
export function definitionOf(graph: Graph, id: StepId): StepDefinition | undefined {
  const known = graph.steps.get(id) ?? graph.derived.get(id);
  const owner = known ? undefined : ownerOf(graph, id);
  const source = owner === undefined || owner === '' ? undefined : definitionOf(graph, owner);
  if (!source) return known;
  const made = isUndo(graph, id) ? undoDefinition(source, id) : itemDefinition(source, id);
  if (made) graph.derived.set(id, made);
  return made;
}

function itemDefinition(source: StepDefinition, id: StepId): StepDefinition {
  return { ...source, ...NO_EDGES, id };
}

function undoDefinition(source: StepDefinition, id: StepId): StepDefinition | undefined {
  if (!source.undo) return undefined;
  const { agent, action, timeoutMs } = source.undo;
  // Its input was resolved when the step had its outcome.
  return {
    ...source,
    ...NO_EDGES,
    kind: 'action',
    id,
    agent,
    action,
    timeoutMs,
    with: {},
    undo: null,
    fallback: null,
    onLost: 'fail',
  };
}

/** Edges by needs and goto branches, from source to targets. Targets that are no steps are left out. */
export function successorsOf(steps: readonly StepDefinition[]): Map<StepId, StepId[]> {
  const successors = new Map<StepId, StepId[]>(steps.map((step) => [step.id, []]));
  const add = (from: StepId, to: StepId) => {
    const targets = successors.get(from);
    if (targets && successors.has(to) && !targets.includes(to)) targets.push(to);
  };
  for (const step of steps) {
    for (const need of step.needs) add(need, step.id);
    for (const { branch } of branchesOf(step)) if (branch.kind === 'goto') add(step.id, branch.target);
  }
  return successors;
}

/** `start` and everything that can be reached from it. */
export function reachable(successors: ReadonlyMap<StepId, readonly StepId[]>, start: StepId): Set<StepId> {
  const seen = new Set<StepId>([start]);
  const queue = [start];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const next of successors.get(id) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return seen;
}

/** A topological order that prefers the order of definition; shorter than `steps` when there is a cycle. */
export function topologicalOrder(steps: readonly StepDefinition[]): StepId[] {
  const successors = successorsOf(steps);
  const missing = new Map<StepId, number>(steps.map((step) => [step.id, 0]));
  for (const targets of successors.values()) for (const to of targets) missing.set(to, (missing.get(to) ?? 0) + 1);
  const sorted: StepId[] = [];
  const left = new Set(steps.map((step) => step.id));
  for (;;) {
    const next = steps.find((step) => left.has(step.id) && missing.get(step.id) === 0);
    if (!next) return sorted;
    left.delete(next.id);
    sorted.push(next.id);
    for (const to of successors.get(next.id) ?? []) missing.set(to, (missing.get(to) ?? 0) - 1);
  }
}

function isStrictSubset(inner: ReadonlySet<StepId>, outer: ReadonlySet<StepId>): boolean {
  return inner.size < outer.size && [...inner].every((id) => outer.has(id));
}

function loopsOf(workflow: WorkflowDefinition, successors: ReadonlyMap<StepId, readonly StepId[]>): Map<string, Loop> {
  const loops: Omit<Loop, 'inside'>[] = [];
  for (const step of workflow.steps) {
    for (const { on, branch } of branchesOf(step)) {
      if (branch.kind !== 'rework') continue;
      const { target, maxAttempts } = branch;
      loops.push({
        id: loopId(step.id, on),
        by: step.id,
        on,
        target,
        maxAttempts,
        closure: reachable(successors, target),
      });
    }
  }
  return new Map(
    loops.map((loop) => {
      const inside = loops.filter((other) => isStrictSubset(other.closure, loop.closure)).map((other) => other.id);
      return [loop.id, { ...loop, inside }];
    }),
  );
}

/** The most often that each loop can send work back in one run (docs/engine.md, "Nested loops"). */
export function worstCaseRounds(graph: Graph): Map<string, number> {
  const totals = new Map<string, number>();
  const total = (loop: Loop): number => {
    const known = totals.get(loop.id);
    if (known !== undefined) return known;
    let factor = 1;
    for (const outer of graph.loops.values()) if (outer.inside.includes(loop.id)) factor += total(outer);
    const rounds = loop.maxAttempts * factor;
    totals.set(loop.id, rounds);
    return rounds;
  };
  for (const loop of graph.loops.values()) total(loop);
  return totals;
}

/** Works the edges out. The workflow is valid: its steps exist and have no cycle. */
export function graphOf(workflow: WorkflowDefinition): Graph {
  const successors = successorsOf(workflow.steps);
  const gotoSources = new Map<StepId, StepId[]>(workflow.steps.map((step) => [step.id, []]));
  for (const step of workflow.steps) {
    for (const { branch } of branchesOf(step)) {
      if (branch.kind !== 'goto') continue;
      const sources = gotoSources.get(branch.target);
      if (sources && !sources.includes(step.id)) sources.push(step.id);
    }
  }
  const sorted = topologicalOrder(workflow.steps);
  const upstream = new Map<StepId, StepId[]>(sorted.map((id) => [id, []]));
  for (const id of sorted) {
    for (const later of reachable(successors, id)) if (later !== id) upstream.get(later)?.push(id);
  }
  return {
    workflow,
    steps: new Map(workflow.steps.map((step) => [step.id, step])),
    order: workflow.steps.map((step) => step.id),
    gotoSources,
    upstream,
    loops: loopsOf(workflow, successors),
    successors,
    byPriority: [...workflow.steps].sort((a, b) => b.priority - a.priority).map((step) => step.id),
    derived: new Map(),
  };
}
