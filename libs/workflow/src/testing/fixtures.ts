import { defineAction } from '@devmesh/contracts/action';
import { catalogueOf } from '@devmesh/contracts/catalogue';
import type { EventOf, RunEvent } from '@devmesh/contracts/event';
import type { ExecutionKey, RunId, StepId, UnixMs } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { RunRepository } from '@devmesh/contracts/run';
import { z } from 'zod';
import { advance, start, type Advanced, type Input } from '../advance.js';
import type { Environment } from '../environment.js';
import { graphOf, type Graph } from '../graph.js';
import { parseWorkflow } from '../parse.js';
import type { RunState, StepPhase, StepState } from '../state.js';

export const RUN: RunId = '01890000-0000-7000-8000-000000000001';
export const T0: UnixMs = 1_000_000;

const worker = { input: z.looseObject({}), output: z.looseObject({}), timeoutMs: 60_000, isDefault: true };

/** `worker` works, `judge` gives verdicts, `actor` acts and takes back; no agent that an implicit last step would need. */
export const CATALOGUE = catalogueOf([
  defineAction({ ...worker, id: 'worker/act', title: 'work' }),
  defineAction({ ...worker, id: 'judge/act', title: 'judge', givesVerdict: true }),
  defineAction({ ...worker, id: 'actor/act', title: 'act once', effects: 'once', onLost: 'ask' }),
  defineAction({ ...worker, id: 'actor/undo', title: 'take back', isDefault: false }),
  defineAction({ ...worker, id: 'measure/size', title: 'measure', output: z.object({ size: z.number() }) }),
]);

/** The graph of steps as they are written, one a line; a step that says nothing of what it does is the worker's. */
export function graphOfSteps(...steps: (JsonObject & { id: StepId })[]): Graph {
  const source = { name: 'test', steps: steps.map(actionOf) };
  const parsed = parseWorkflow(JSON.stringify(source), CATALOGUE);
  if (parsed.workflow === null) throw new Error(JSON.stringify(parsed.problems));
  return graphOf(parsed.workflow);
}

function actionOf(step: JsonObject): JsonObject {
  return 'approval' in step || 'workflow' in step ? step : { action: 'worker/act', ...step };
}

export function environment(now: UnixMs = T0, instances: readonly string[] = ['i1']): Environment {
  return { now, instances: () => instances };
}

export const REPOSITORY: RunRepository = {
  ref: { bundles: ['b'.repeat(64)], commit: 'c'.repeat(40), base: 'c'.repeat(40), shallow: [] },
  origin: '/home/me/shop',
  branch: 'main',
  notices: [],
};

export function created(repository: RunRepository | null = null): EventOf<'RunCreated'> {
  const workflow = { name: 'test', digest: 'a'.repeat(64) };
  const by = { requestedBy: 'test', plan: null, traceparent: null };
  return { type: 'RunCreated', at: T0, workflow, task: 'the task', repository, ...by };
}

export const ok = (output: JsonObject = {}): Outcome => ({ kind: 'succeeded', output });
export const approved = (output: JsonObject = {}): Outcome => ({ kind: 'succeeded', output, verdict: 'approved' });
export const rejected = (output: JsonObject = {}): Outcome => ({ kind: 'succeeded', output, verdict: 'rejected' });
export const failed = (retryable: boolean, message = 'no'): Outcome => ({
  kind: 'failed',
  error: { code: 'action_failed', message, retryable },
});

/** A run of a graph, taken by hand. */
export class Play {
  state: RunState;
  readonly events: RunEvent[];
  now: UnixMs = T0;
  instances: readonly string[] = ['i1'];

  constructor(
    readonly graph: Graph,
    repository: RunRepository | null = null,
  ) {
    const first = start(graph, RUN, created(repository), environment());
    this.state = first.state;
    this.events = [...first.events];
    // What a create leaves to the first turn.
    this.take();
  }

  /** Takes these inputs in and gives the events that they made. */
  take(...inputs: Input[]): readonly RunEvent[] {
    const advanced: Advanced = advance(this.graph, this.state, inputs, environment(this.now, this.instances));
    this.state = advanced.state;
    this.events.push(...advanced.events);
    return advanced.events;
  }

  /** The current executions of these steps come to this outcome, all at once. */
  settle(outcome: Outcome, ...steps: StepId[]): readonly RunEvent[] {
    return this.take(...steps.map((id): Input => ({ kind: 'result', key: this.key(id), outcome })));
  }

  cancel(): readonly RunEvent[] {
    return this.take({ kind: 'cancel', by: 'me', reason: 'enough' });
  }

  later(ms: number): readonly RunEvent[] {
    this.now += ms;
    return this.take();
  }

  step(id: StepId): StepState {
    const step = this.state.steps[id];
    if (!step) throw new Error(`no step ${id}`);
    return step;
  }

  key(id: StepId): ExecutionKey {
    const { key } = this.step(id);
    if (key === null) throw new Error(`step ${id} has no execution; it is ${this.step(id).phase}`);
    return key;
  }

  /** The phases of all steps, by name. */
  get phases(): Readonly<Record<StepId, StepPhase>> {
    return Object.fromEntries(Object.entries(this.state.steps).map(([id, { phase }]) => [id, phase]));
  }
}

/** Events in short: `StepScheduled a`, for comparing histories. */
export function brief(events: readonly RunEvent[]): string[] {
  return events.map((event) => {
    if (event.type === 'BranchTaken') return `BranchTaken ${event.from} ${event.on}`;
    if (event.type === 'StepSettled') return `StepSettled ${event.step} ${event.as}`;
    if (event.type === 'ReworkStarted') return `ReworkStarted ${event.by} to ${event.target}`;
    if (event.type === 'RunEnded') return `RunEnded ${event.verdict}`;
    return 'step' in event ? `${event.type} ${event.step}` : event.type;
  });
}
