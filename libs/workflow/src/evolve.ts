import type { EventOf, RunEvent } from '@devmesh/contracts/event';
import type { RunId, StepId } from '@devmesh/contracts/ids';
import type { Graph } from './graph.js';
import { loopId } from './graph.js';
import { FRESH_STEP, STEP_TRANSITIONS, type RunState, type StepPhase, type StepState } from './state.js';

/** An event that the transition table does not allow here: a bug in whoever made it. */
export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
}

function begin(graph: Graph, runId: RunId, event: EventOf<'RunCreated'>): RunState {
  return {
    v: 1,
    runId,
    createdAt: event.at,
    task: event.task,
    repository: event.repository,
    traceparent: event.traceparent,
    steps: Object.fromEntries(graph.order.map((id) => [id, FRESH_STEP])),
    rounds: {},
    stopping: [],
    cancel: null,
    failedBy: null,
    notifications: [],
    ended: null,
  };
}

function withStep(state: RunState, id: StepId, change: Partial<StepState>): RunState {
  const step = state.steps[id];
  return step ? { ...state, steps: { ...state.steps, [id]: { ...step, ...change } } } : state;
}

/** Adds the step's execution to those to be stopped, when there is one that may be running. */
function stopExecution(state: RunState, step: StepState | undefined): RunState {
  if (!step?.key || step.instance === null) return state;
  const entry = { key: step.key, instance: step.instance, deadlineAt: step.deadlineAt ?? 0 };
  return state.stopping.some((other) => other.key === entry.key)
    ? state
    : { ...state, stopping: [...state.stopping, entry] };
}

/** A state stays small: of the notifications it keeps the last ones; all of them are among the events. */
const KEPT_NOTIFICATIONS = 50;

const REST = { key: null, instance: null, input: null, deadlineAt: null, notBefore: null } as const;

function restart(graph: Graph, state: RunState, event: EventOf<'ReworkStarted'>): RunState {
  let next = state;
  for (const { step: id, iteration } of event.reset) {
    const step = next.steps[id];
    if (!step) continue;
    if (step.phase === 'running') next = stopExecution(next, step);
    const rework = id === event.target ? event.note : null;
    next = { ...next, steps: { ...next.steps, [id]: { ...FRESH_STEP, iteration, rework } } };
  }
  const loop = loopId(event.by, event.on);
  const rounds: Record<string, number> = { ...next.rounds, [loop]: event.round };
  for (const inner of graph.loops.get(loop)?.inside ?? []) delete rounds[inner];
  return { ...next, rounds };
}

function change(graph: Graph, state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'RunCreated':
      return state;
    case 'StepScheduled':
      return withStep(state, event.step, {
        phase: 'running',
        attempt: event.attempt,
        key: event.key,
        instance: event.instance,
        input: event.input,
        deadlineAt: event.deadlineAt,
        notBefore: null,
        startedAt: state.steps[event.step]?.startedAt ?? event.at,
        outcome: null,
      });
    case 'StepReassigned':
      return withStep(state, event.step, { instance: event.instance });
    case 'StepCompleted':
      return withStep(state, event.step, {
        ...REST,
        phase: 'deciding',
        key: event.key,
        outcome: event.outcome,
        endedAt: event.at,
      });
    case 'RetryScheduled':
      return withStep(state, event.step, {
        ...REST,
        phase: 'retrying',
        attempt: event.attempt,
        notBefore: event.notBefore,
        endedAt: null,
      });
    case 'BranchTaken': {
      const failed = event.branch.kind === 'fail' ? { ...state, failedBy: state.failedBy ?? event.from } : state;
      const taken = failed.steps[event.from]?.taken ?? [];
      return event.branch.kind === 'goto'
        ? withStep(failed, event.from, { taken: [...taken, { on: event.on, target: event.branch.target }] })
        : failed;
    }
    case 'StepSettled':
      return withStep(state, event.step, { ...REST, phase: event.as, endedAt: event.at });
    case 'StepSkipped':
      return withStep(state, event.step, { phase: 'skipped', endedAt: event.at });
    case 'ReworkStarted':
      return restart(graph, state, event);
    case 'NotificationRecorded':
      return {
        ...state,
        notifications: [...state.notifications, { step: event.step, message: event.message }].slice(
          -KEPT_NOTIFICATIONS,
        ),
      };
    case 'CancelRequested':
      return { ...state, cancel: { by: event.by, reason: event.reason } };
    case 'StepCancelled': {
      const step = state.steps[event.step];
      const stopped = step?.phase === 'running' ? stopExecution(state, step) : state;
      return withStep(stopped, event.step, { ...REST, phase: 'cancelled', endedAt: event.at });
    }
    case 'ExecutionStopped':
      return { ...state, stopping: state.stopping.filter((entry) => entry.key !== event.key) };
    case 'RunEnded':
      return { ...state, ended: { verdict: event.verdict, reason: event.reason, at: event.at } };
  }
}

function stepOf(event: RunEvent): StepId | undefined {
  if (event.type === 'BranchTaken') return event.from;
  return 'step' in event ? event.step : undefined;
}

/** Why the transition table does not allow this event in this state; undefined when it does. */
export function illegal(state: RunState | null, event: RunEvent): string | undefined {
  if (state === null) return event.type === 'RunCreated' ? undefined : `${event.type} before RunCreated`;
  if (event.type === 'RunCreated') return 'RunCreated twice';
  if (state.ended && event.type !== 'ExecutionStopped') return `${event.type} after RunEnded`;
  if (event.type === 'ExecutionStopped' && !state.stopping.some((entry) => entry.key === event.key)) {
    return `ExecutionStopped for ${event.key}, which is not being stopped`;
  }
  if (event.type === 'ReworkStarted') {
    const by = state.steps[event.by]?.phase;
    if (by !== 'deciding') return `ReworkStarted by step ${event.by}, which is ${by ?? 'unknown'}`;
    const over = event.reset.find(({ step }) => state.steps[step]?.phase === 'cancelled');
    if (over) return `ReworkStarted for step ${over.step}, which is cancelled`;
    const wrong = event.reset.find(({ step, iteration }) => state.steps[step]?.iteration !== iteration - 1);
    if (wrong)
      return `ReworkStarted takes step ${wrong.step} to iteration ${wrong.iteration} from ${state.steps[wrong.step]?.iteration}`;
    return undefined;
  }
  if (event.type === 'RunEnded') {
    const open = Object.entries(state.steps).find(([, step]) =>
      ['pending', 'running', 'retrying', 'deciding'].includes(step.phase),
    );
    return open ? `RunEnded while step ${open[0]} is ${open[1].phase}` : undefined;
  }
  if (!(event.type in STEP_TRANSITIONS)) return undefined;
  const rule = STEP_TRANSITIONS[event.type as keyof typeof STEP_TRANSITIONS];
  const id = stepOf(event);
  const step = id === undefined ? undefined : state.steps[id];
  if (!step) return `${event.type} for unknown step ${id}`;
  const from: readonly StepPhase[] = rule.from;
  if (!from.includes(step.phase)) return `${event.type} for step ${id}, which is ${step.phase}`;
  if (event.type === 'StepCompleted' && step.key !== event.key)
    return `StepCompleted for ${event.key}; the current key is ${step.key}`;
  if (event.type === 'StepReassigned' && step.key !== event.key)
    return `StepReassigned for ${event.key}; the current key is ${step.key}`;
  if ('iteration' in event && event.iteration !== step.iteration)
    return `${event.type} for iteration ${event.iteration} of step ${id}, which is at ${step.iteration}`;
  if (event.type === 'StepScheduled' && event.attempt !== step.attempt)
    return `StepScheduled for attempt ${event.attempt} of step ${id}, which is at ${step.attempt}`;
  if (event.type === 'RetryScheduled' && event.attempt !== step.attempt + 1)
    return `RetryScheduled for attempt ${event.attempt} of step ${id}, which was at ${step.attempt}`;
  return undefined;
}

/**
 * The state after one more event. Total: an event that the table does not allow leaves the state as it is. The first
 * event is RunCreated (`state` null).
 */
export function evolve(graph: Graph, runId: RunId, state: RunState | null, event: RunEvent): RunState {
  if (state === null) {
    if (event.type !== 'RunCreated')
      throw new IllegalTransition(`run ${runId}: the first event is ${event.type}, not RunCreated`);
    return begin(graph, runId, event);
  }
  return illegal(state, event) === undefined ? change(graph, state, event) : state;
}

/** As `evolve`, but an event that is not allowed throws: for those who make events. */
export function apply(graph: Graph, runId: RunId, state: RunState | null, event: RunEvent): RunState {
  const why = illegal(state, event);
  if (why !== undefined) throw new IllegalTransition(`run ${runId}: ${why}`);
  return evolve(graph, runId, state, event);
}

/** Folds events onto a checkpoint, or from nothing. */
export function fold(graph: Graph, runId: RunId, checkpoint: RunState | null, events: Iterable<RunEvent>): RunState {
  let state = checkpoint;
  for (const event of events) state = evolve(graph, runId, state, event);
  if (state === null) throw new IllegalTransition(`run ${runId} has no events`);
  return state;
}
