import type { InboxMessage, RunEvent } from '@devmesh/contracts/event';
import type { ReworkNote } from '@devmesh/contracts/event';
import type { ActionId, ExecutionKey, InstanceId, RunId, StepId, UnixMs } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import { decide, type Environment } from './decide.js';
import { apply } from './evolve.js';
import type { Graph } from './graph.js';
import type { RunState } from './state.js';

/** What a turn learns: rows of the inbox, and what its dispatches came to. */
export type Input =
  | InboxMessage
  /** This incarnation is no more, or refused before it started anything: another must be found. */
  | { readonly kind: 'gone'; readonly key: ExecutionKey; readonly instance: InstanceId }
  /** The agent confirmed that the execution is over. */
  | { readonly kind: 'stopped'; readonly key: ExecutionKey };

export interface Advanced {
  readonly state: RunState;
  readonly events: readonly RunEvent[];
}

/** The step whose current execution has this key. */
function stepWithKey(graph: Graph, state: RunState, key: ExecutionKey): StepId | undefined {
  return graph.order.find((id) => state.steps[id]?.phase === 'running' && state.steps[id]?.key === key);
}

/** The events that an input makes by itself; none for what is superseded, known or of no concern any more. */
function absorb(graph: Graph, state: RunState, input: Input, env: Environment): RunEvent[] {
  switch (input.kind) {
    case 'wake':
      return [];
    case 'cancel':
      return state.ended || state.cancel
        ? []
        : [{ type: 'CancelRequested', at: env.now, by: input.by, reason: input.reason }];
    case 'result': {
      const stopped = stoppedEvents(state, input.key, env.now);
      const step = stepWithKey(graph, state, input.key);
      if (step === undefined || state.ended) return stopped;
      const outcome = judged(graph, step, input.outcome);
      return [{ type: 'StepCompleted', at: env.now, step, key: input.key, outcome }];
    }
    case 'stopped':
      return stoppedEvents(state, input.key, env.now);
    case 'gone': {
      const stopped = stoppedEvents(state, input.key, env.now);
      const step = stepWithKey(graph, state, input.key);
      if (step === undefined || state.ended || state.steps[step]?.instance !== input.instance) return stopped;
      const agent = graph.steps.get(step)?.agent ?? '';
      const instances = env.instances(agent);
      const instance = instances.find((other) => other !== input.instance) ?? null;
      // It is the only one there, so it is asked again after a short wait; putting that on record would tell nothing.
      if (instance === null && instances.length > 0) return [];
      return [{ type: 'StepReassigned', at: env.now, step, key: input.key, instance }];
    }
  }
}

/** A gate that says nothing approves nothing: without a verdict its outcome is a failure. */
function judged(graph: Graph, step: StepId, outcome: Outcome): Outcome {
  if (outcome.kind !== 'succeeded' || outcome.verdict !== undefined || !graph.steps.get(step)?.gate) return outcome;
  const message = `step ${step} is a gate, but its agent gave no verdict; its output must have a verdict of approved or rejected`;
  return { kind: 'failed', error: { code: 'bad_reply', message, retryable: false } };
}

function stoppedEvents(state: RunState, key: ExecutionKey, now: UnixMs): RunEvent[] {
  return state.stopping.some((entry) => entry.key === key) ? [{ type: 'ExecutionStopped', at: now, key }] : [];
}

/** More decisions than this in one go is a bug: the largest workflow settles in fewer. */
const MAX_DECISIONS = 10_000;

/**
 * One step of the engine: takes the inputs in, in their order, then decides until nothing follows. Throws
 * `IllegalTransition` when an event breaks the transition table, which is a bug.
 */
export function advance(graph: Graph, state: RunState, inputs: Iterable<Input>, env: Environment): Advanced {
  const events: RunEvent[] = [];
  let current = state;
  const take = (made: readonly RunEvent[]) => {
    for (const event of made) {
      current = apply(graph, state.runId, current, event);
      events.push(event);
    }
  };
  const decideAll = () => {
    for (let count = 0; count <= MAX_DECISIONS; count++) {
      const made = decide(graph, current, env);
      if (made.length === 0) return;
      take(made);
    }
    throw new Error(`run ${state.runId}: more than ${MAX_DECISIONS} decisions in one go`);
  };
  for (const input of inputs) {
    // A cancel has its place among the others, however they were gathered: what came before it has its consequences, and
    // what comes after it finds the run ended (docs/engine.md, C12).
    if (input.kind === 'cancel') decideAll();
    take(absorb(graph, current, input, env));
    if (input.kind === 'cancel') decideAll();
  }
  decideAll();
  return { state: current, events };
}

/** The first events of a run: RunCreated and what follows from it. */
export function start(
  graph: Graph,
  runId: RunId,
  created: Extract<RunEvent, { type: 'RunCreated' }>,
  env: Environment,
): Advanced {
  const first = advance(graph, apply(graph, runId, null, created), [], env);
  return { state: first.state, events: [created, ...first.events] };
}

/** What the committed state asks of the agents. */
export type Command =
  | {
      readonly kind: 'execute';
      readonly step: StepId;
      readonly key: ExecutionKey;
      readonly action: ActionId;
      readonly instance: InstanceId;
      readonly input: JsonObject;
      readonly rework: ReworkNote | null;
      readonly notAfter: UnixMs;
    }
  | { readonly kind: 'cancel'; readonly key: ExecutionKey; readonly instance: InstanceId };

/** Commands of a state, in order of definition: derived, so that a successor finds the same. */
export function commandsOf(graph: Graph, state: RunState): Command[] {
  const cancels = state.stopping.flatMap(({ key, instance }): Command[] =>
    instance === null ? [] : [{ kind: 'cancel', key, instance }],
  );
  if (state.ended) return cancels;
  const executions = graph.order.flatMap((id): Command[] => {
    const step = state.steps[id];
    const action = graph.steps.get(id)?.action;
    if (!step || !action || step.phase !== 'running' || step.key === null || step.instance === null) return [];
    const { key, instance, rework, deadlineAt, input } = step;
    return [
      { kind: 'execute', step: id, key, action, instance, input: input ?? {}, rework, notAfter: deadlineAt ?? 0 },
    ];
  });
  return [...cancels, ...executions];
}

/** The next time at which the state changes by itself, Unix ms; null when there is none. */
export function nextTimer(state: RunState): UnixMs | null {
  const times = state.stopping.map((entry) => entry.deadlineAt);
  if (!state.ended) {
    for (const step of Object.values(state.steps)) {
      if (step.phase === 'running' && step.deadlineAt !== null) times.push(step.deadlineAt);
      if (step.phase === 'retrying' && step.notBefore !== null) times.push(step.notBefore);
    }
  }
  return times.length === 0 ? null : Math.min(...times);
}
