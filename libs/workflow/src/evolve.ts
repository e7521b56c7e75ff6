import type { EventOf, RunEvent } from '@devmesh/contracts/event';
import type { RunId, StepId } from '@devmesh/contracts/ids';
import type { Graph } from './graph.js';
import { definitionOf, loopId } from './graph.js';
import { itemIds } from './output.js';
import { resolveUndoInput } from './references.js';
import {
  EMPTY_RUN,
  FRESH_STEP,
  STEP_TRANSITIONS,
  type RunState,
  type StepPhase,
  type StepState,
  type UndoEntry,
} from './state.js';

/** An event that the transition table does not allow here: a bug in whoever made it. */
export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition';
}

function begin(graph: Graph, runId: RunId, event: EventOf<'RunCreated'>): RunState {
  return {
    ...EMPTY_RUN,
    v: 2,
    runId,
    createdAt: event.at,
    task: event.task,
    repository: event.repository,
    traceparent: event.traceparent,
    workflowDigest: event.workflow.digest,
    deadlineAt: graph.workflow.timeoutMs === null ? null : event.at + graph.workflow.timeoutMs,
    forkOf: event.forkOf ?? null,
    overrides: event.overrides ?? {},
    steps: Object.fromEntries(graph.order.map((id) => [id, FRESH_STEP])),
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

function notified(state: RunState, step: StepId, message: string): RunState {
  return { ...state, notifications: [...state.notifications, { step, message }].slice(-KEPT_NOTIFICATIONS) };
}

const REST = {
  key: null,
  instance: null,
  input: null,
  deadlineAt: null,
  notBefore: null,
  approval: null,
  consent: null,
} as const;

/** What an execution of this iteration did, or may have done, can be taken back from here on. */
function undoEntry(graph: Graph, state: RunState, id: StepId): UndoEntry[] {
  const step = state.steps[id];
  if (!step?.key || !definitionOf(graph, id)?.undo) return [];
  return [{ step: id, iteration: step.iteration, input: resolveUndoInput(graph, state, id) }];
}

/** Whether an outcome leaves something behind, as far as anybody knows. */
function mayHaveActed(step: StepState | undefined): boolean {
  const kind = step?.outcome?.kind;
  return kind === 'succeeded' || kind === 'lost' || kind === 'timed_out';
}

function without<T>(record: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}

function restart(graph: Graph, state: RunState, event: EventOf<'ReworkStarted'>): RunState {
  let next = state;
  const reset = new Set(event.reset.flatMap(({ step }) => [step, ...itemIds(state, step)]));
  const due = state.undoable.filter((entry) => reset.has(entry.step));
  for (const { step: id, iteration } of event.reset) {
    const step = next.steps[id];
    if (!step) continue;
    const items = itemIds(next, id);
    for (const part of [...items, id]) {
      if (next.steps[part]?.phase !== 'running') continue;
      due.push(...undoEntry(graph, next, part));
      next = stopExecution(next, next.steps[part]);
    }
    const rework = id === event.target ? event.note : null;
    const steps = items.length === 0 ? next.steps : without(next.steps, items);
    next = { ...next, steps: { ...steps, [id]: { ...FRESH_STEP, iteration, rework } } };
  }
  if (due.length > 0) {
    const undoable = next.undoable.filter((entry) => !reset.has(entry.step));
    next = { ...next, undoable, undoDue: [...next.undoDue, ...due] };
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
        consent: event.approval ?? null,
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
    case 'StepResolved':
      return withStep(state, event.step, {
        ...REST,
        phase: 'deciding',
        outcome: event.outcome,
        startedAt: state.steps[event.step]?.startedAt ?? event.at,
        endedAt: event.at,
      });
    case 'FanOutStarted': {
      const fanned = withStep(state, event.step, { phase: 'fanned', items: event.items, startedAt: event.at });
      const items = event.items.map((_item, index) => {
        const item: StepState = { ...FRESH_STEP, iteration: event.iteration };
        return [`${event.step}.${index}`, item] as const;
      });
      return { ...fanned, steps: { ...fanned.steps, ...Object.fromEntries(items) } };
    }
    case 'ApprovalRequested':
      return withStep(state, event.step, {
        ...REST,
        phase: 'awaiting',
        // Of an execution that was lost: its key names what is asked about.
        key: state.steps[event.step]?.key ?? null,
        approval: event.approval,
        startedAt: state.steps[event.step]?.startedAt ?? event.at,
        endedAt: null,
      });
    case 'ApprovalReminded': {
      const approval = state.steps[event.step]?.approval;
      if (!approval) return state;
      const told = event.escalated ? { remindAt: null, escalateAt: null } : { remindAt: null };
      return withStep(state, event.step, { approval: { ...approval, ...told } });
    }
    case 'ApprovalDecided':
    case 'ApprovalExpired':
      return withStep(state, event.step, {
        ...REST,
        phase: 'deciding',
        key: state.steps[event.step]?.key ?? null,
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
    case 'FallbackUsed': {
      const outcome = { kind: 'succeeded', output: event.output } as const;
      const message = `${event.step} fell back on its declared output: ${event.because}`.slice(0, 1000);
      return notified(withStep(state, event.step, { outcome, fallback: event.because }), event.step, message);
    }
    case 'BranchTaken': {
      const failed = event.branch.kind === 'fail' ? { ...state, failedBy: state.failedBy ?? event.from } : state;
      const taken = failed.steps[event.from]?.taken ?? [];
      return event.branch.kind === 'goto'
        ? withStep(failed, event.from, { taken: [...taken, { on: event.on, target: event.branch.target }] })
        : failed;
    }
    case 'StepSettled': {
      const entries = mayHaveActed(state.steps[event.step]) ? undoEntry(graph, state, event.step) : [];
      const settled = withStep(state, event.step, { ...REST, phase: event.as, endedAt: event.at });
      return entries.length === 0 ? settled : { ...settled, undoable: [...settled.undoable, ...entries] };
    }
    case 'StepSkipped':
      return withStep(state, event.step, { phase: 'skipped', endedAt: event.at });
    case 'ReworkStarted':
      return restart(graph, state, event);
    case 'NotificationRecorded':
      return notified(state, event.step, event.message);
    case 'CancelRequested':
      return { ...state, cancel: { by: event.by, reason: event.reason } };
    case 'RunPaused':
      return { ...state, paused: { by: event.by, reason: event.reason } };
    case 'RunResumed':
      return { ...state, paused: null };
    case 'RunTimedOut':
      return { ...state, timedOut: true };
    case 'StepsInherited': {
      const steps = event.steps.map(({ step, as, ...rest }) => {
        const inherited: StepState = { ...FRESH_STEP, ...rest, phase: as };
        return [step, inherited] as const;
      });
      return { ...state, steps: { ...state.steps, ...Object.fromEntries(steps) } };
    }
    case 'UndoStarted': {
      const { step, iteration, input } = event;
      const others = (entries: readonly UndoEntry[]) =>
        entries.filter((entry) => entry.step !== step || entry.iteration !== iteration);
      return {
        ...state,
        undoable: others(state.undoable),
        undoDue: others(state.undoDue),
        undoing: { step, iteration, input },
        steps: { ...state.steps, [event.undo]: { ...FRESH_STEP, iteration } },
      };
    }
    case 'StepCancelled': {
      const step = state.steps[event.step];
      const isRunning = step?.phase === 'running';
      const entries = isRunning ? undoEntry(graph, state, event.step) : [];
      const stopped = isRunning ? stopExecution(state, step) : state;
      const cancelled = withStep(stopped, event.step, { ...REST, phase: 'cancelled', endedAt: event.at });
      return entries.length === 0 ? cancelled : { ...cancelled, undoable: [...cancelled.undoable, ...entries] };
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
    if (state.cancel) return 'ReworkStarted in a run that is being cancelled';
    const wrong = event.reset.find(({ step, iteration }) => state.steps[step]?.iteration !== iteration - 1);
    if (wrong)
      return `ReworkStarted takes step ${wrong.step} to iteration ${wrong.iteration} from ${state.steps[wrong.step]?.iteration}`;
    return undefined;
  }
  if (event.type === 'RunEnded') {
    const open = Object.entries(state.steps).find(([, step]) =>
      ['pending', 'running', 'fanned', 'awaiting', 'retrying', 'deciding'].includes(step.phase),
    );
    return open ? `RunEnded while step ${open[0]} is ${open[1].phase}` : undefined;
  }
  if (event.type === 'RunPaused' && state.paused) return 'RunPaused in a run that is paused';
  if (event.type === 'RunResumed' && !state.paused) return 'RunResumed in a run that is not paused';
  if (event.type === 'UndoStarted') {
    const isKnown = [...state.undoable, ...state.undoDue].some(
      (entry) => entry.step === event.step && entry.iteration === event.iteration,
    );
    const before = state.steps[event.undo]?.phase;
    if (!isKnown)
      return `UndoStarted for iteration ${event.iteration} of step ${event.step}, which has nothing to undo`;
    return before !== undefined && ['pending', 'running', 'retrying', 'deciding'].includes(before)
      ? `UndoStarted for step ${event.step}, whose undo is ${before}`
      : undefined;
  }
  if (event.type === 'StepsInherited') {
    const begun = event.steps.find(({ step }) => (state.steps[step]?.phase ?? 'pending') !== 'pending');
    return begun ? `StepsInherited for step ${begun.step}, which is ${state.steps[begun.step]?.phase}` : undefined;
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
  if (event.type === 'FallbackUsed' && step.outcome?.kind === 'succeeded')
    return `FallbackUsed for step ${id}, which succeeded`;
  if (event.type === 'StepReassigned' && step.key !== event.key)
    return `StepReassigned for ${event.key}; the current key is ${step.key}`;
  if ('approvalId' in event && step.approval?.id !== event.approvalId)
    return `${event.type} for approval ${event.approvalId}; step ${id} waits for ${step.approval?.id}`;
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
