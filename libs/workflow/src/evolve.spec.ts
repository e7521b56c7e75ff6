import type { ApprovalRequest } from '@devmesh/contracts/approval';
import type { RunEvent, RunEventType } from '@devmesh/contracts/event';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { apply, evolve, fold, IllegalTransition, illegal } from './evolve.js';
import { STEP_TRANSITIONS, type RunState, type StepPhase, type StepState } from './state.js';
import { approved, created, failed, graphOfSteps, ok, Play, rejected, RUN, T0 } from './testing/fixtures.js';

const PHASES: readonly StepPhase[] = [
  'pending',
  'running',
  'fanned',
  'awaiting',
  'deciding',
  'retrying',
  'succeeded',
  'rejected',
  'failed',
  'skipped',
  'cancelled',
];

const graph = graphOfSteps(
  { id: 'a' },
  { id: 'g', action: 'judge/act', needs: 'a', on_rejection: { action: 'retry', target: 'a', max_attempts: 2 } },
);
const KEY = `${RUN}/a/1/1`;
const base = fold(graph, RUN, null, [created()]);

const APPROVAL: ApprovalRequest = {
  id: '01890000-0000-7000-8000-0000000000aa',
  kind: 'consent',
  title: 'May it?',
  subject: {},
  hash: 'd'.repeat(64),
  expiresAt: T0 + 9,
  remindAt: null,
  escalateAt: null,
  escalateTo: [],
};

/** A state in which step `a` is in this phase; `g` may send it back. */
function inPhase(phase: StepPhase, change: Partial<RunState> = {}): RunState {
  const a = base.steps['a'];
  const g = base.steps['g'];
  if (!a || !g) throw new Error('no steps');
  const running: Partial<StepState> = { key: KEY, instance: 'i1', input: {}, deadlineAt: T0 + 5 };
  const step: StepState = {
    ...a,
    phase,
    ...(phase === 'running' ? running : {}),
    ...(phase === 'deciding' ? { key: KEY } : {}),
    ...(phase === 'awaiting' ? { approval: APPROVAL } : {}),
  };
  return { ...base, steps: { a: step, g: { ...g, phase: 'deciding' } }, ...change };
}

const at = T0;
const step = 'a';
const iteration = 1;
/** One of each event, about step `a` in its first iteration. */
const EVENTS: { readonly [T in RunEventType]: Extract<RunEvent, { type: T }> } = {
  RunCreated: created(),
  StepScheduled: {
    type: 'StepScheduled',
    at,
    step,
    iteration,
    attempt: 1,
    key: KEY,
    action: 'worker/act',
    instance: 'i1',
    input: {},
    rework: null,
    deadlineAt: T0 + 5,
  },
  StepReassigned: { type: 'StepReassigned', at, step, key: KEY, instance: 'i2' },
  StepCompleted: { type: 'StepCompleted', at, step, key: KEY, outcome: ok() },
  StepResolved: { type: 'StepResolved', at, step, iteration, outcome: ok() },
  FanOutStarted: { type: 'FanOutStarted', at, step, iteration, items: [1, 2] },
  ApprovalRequested: { type: 'ApprovalRequested', at, step, iteration, approval: APPROVAL },
  ApprovalDecided: {
    type: 'ApprovalDecided',
    at,
    step,
    iteration,
    approvalId: APPROVAL.id,
    by: 'me',
    outcome: approved(),
  },
  ApprovalExpired: { type: 'ApprovalExpired', at, step, iteration, approvalId: APPROVAL.id, outcome: rejected() },
  ApprovalReminded: { type: 'ApprovalReminded', at, step, iteration, approvalId: APPROVAL.id, escalated: false },
  RunPaused: { type: 'RunPaused', at, by: 'me', reason: '' },
  RunResumed: { type: 'RunResumed', at, by: 'me' },
  RunTimedOut: { type: 'RunTimedOut', at },
  StepsInherited: {
    type: 'StepsInherited',
    at,
    steps: [
      {
        step: 'a',
        iteration: 1,
        attempt: 1,
        as: 'succeeded',
        outcome: ok(),
        taken: [],
        items: null,
        startedAt: T0,
        endedAt: T0,
      },
    ],
  },
  UndoStarted: { type: 'UndoStarted', at, step, iteration, undo: 'a.undo', input: {} },
  FallbackUsed: { type: 'FallbackUsed', at, step, iteration, output: {}, because: 'x' },
  RetryScheduled: { type: 'RetryScheduled', at, step, iteration, attempt: 2, notBefore: T0 + 1 },
  BranchTaken: { type: 'BranchTaken', at, from: 'a', iteration, on: 'failure', branch: { kind: 'fail' } },
  StepSettled: { type: 'StepSettled', at, step, iteration, as: 'succeeded', verdict: null },
  StepSkipped: { type: 'StepSkipped', at, step, iteration, because: 'x' },
  ReworkStarted: {
    type: 'ReworkStarted',
    at,
    by: 'g',
    on: 'rejection',
    round: 1,
    target: 'a',
    reset: [
      { step: 'a', iteration: 2 },
      { step: 'g', iteration: 2 },
    ],
    superseded: [],
    note: { from: 'g', output: {} },
  },
  NotificationRecorded: { type: 'NotificationRecorded', at, step, message: 'x' },
  CancelRequested: { type: 'CancelRequested', at, by: 'me', reason: '' },
  StepCancelled: { type: 'StepCancelled', at, step, iteration },
  ExecutionStopped: { type: 'ExecutionStopped', at, key: KEY },
  RunEnded: { type: 'RunEnded', at, verdict: 'passed', reason: 'x' },
};

/** Section 3 of the specification, told here once more: where each event of a step may come from. */
const ALLOWED: Partial<Record<RunEventType, readonly StepPhase[]>> = {
  StepScheduled: ['pending', 'retrying'],
  StepReassigned: ['running'],
  StepCompleted: ['running'],
  StepResolved: ['pending', 'fanned'],
  FanOutStarted: ['pending'],
  ApprovalRequested: ['pending', 'deciding'],
  ApprovalDecided: ['awaiting'],
  ApprovalExpired: ['awaiting'],
  ApprovalReminded: ['awaiting'],
  RunPaused: PHASES,
  RunTimedOut: PHASES,
  StepsInherited: ['pending'],
  FallbackUsed: ['deciding'],
  RetryScheduled: ['deciding'],
  BranchTaken: ['deciding'],
  StepSettled: ['deciding'],
  StepSkipped: ['pending'],
  ReworkStarted: PHASES,
  NotificationRecorded: PHASES,
  CancelRequested: PHASES,
  StepCancelled: ['pending', 'running', 'fanned', 'awaiting', 'retrying', 'deciding'],
};

const cases = Object.entries(ALLOWED).flatMap(([type, from]) =>
  PHASES.map((phase) => [type as RunEventType, phase, from.includes(phase)] as const),
);

describe('the transition table', () => {
  it('is that of the diagram in the specification', () => {
    const text = readFileSync(new URL('../../../docs/engine.md', import.meta.url), 'utf8');
    const drawn = [...text.matchAll(/^ {2}(\w+) --> (\w+): (\w+)$/gm)].map(
      ([, from, to, event]) => `${event} ${from} ${to}`,
    );
    const coded = Object.entries(STEP_TRANSITIONS).flatMap(([event, rule]) =>
      // A branch is taken inside `deciding`: no arrow.
      event === 'BranchTaken' ? [] : rule.from.flatMap((from) => rule.to.map((to) => `${event} ${from} ${to}`)),
    );
    const reworked = PHASES.filter((phase) => phase !== 'pending');
    expect(drawn.sort()).toEqual([...coded, ...reworked.map((from) => `ReworkStarted ${from} pending`)].sort());
  });

  it.each(cases)('%s of a step that is %s: %s', (type, phase, allowed) => {
    const state = inPhase(phase);
    const event = EVENTS[type];
    if (!allowed) {
      expect(illegal(state, event)).toContain(phase);
      expect(evolve(graph, RUN, state, event)).toBe(state);
      expect(() => apply(graph, RUN, state, event)).toThrow(IllegalTransition);
      return;
    }
    const next = apply(graph, RUN, state, event);
    expect(next).toEqual(evolve(graph, RUN, state, event));
    const rule = Object.hasOwn(STEP_TRANSITIONS, type)
      ? STEP_TRANSITIONS[type as keyof typeof STEP_TRANSITIONS]
      : undefined;
    const to: readonly StepPhase[] =
      rule?.to ?? (type === 'ReworkStarted' ? ['pending'] : type === 'StepsInherited' ? ['succeeded'] : [phase]);
    expect(to).toContain(next.steps['a']?.phase);
  });

  it.each(
    PHASES.map(
      (phase) =>
        [phase, !['pending', 'running', 'fanned', 'awaiting', 'retrying', 'deciding'].includes(phase)] as const,
    ),
  )('RunEnded while a step is %s: %s', (phase, allowed) => {
    const state = inPhase(phase);
    const g = state.steps['g'];
    if (!g) throw new Error('no step');
    const others: RunState = { ...state, steps: { ...state.steps, g: { ...g, phase: 'succeeded' } } };
    expect(illegal(others, EVENTS.RunEnded) === undefined).toBe(allowed);
  });

  it('knows a run before its first event, and no event twice first', () => {
    for (const event of Object.values(EVENTS)) {
      expect(illegal(null, event) === undefined).toBe(event.type === 'RunCreated');
      if (event.type !== 'RunCreated') expect(() => evolve(graph, RUN, null, event)).toThrow(IllegalTransition);
    }
    expect(illegal(base, EVENTS.RunCreated)).toContain('twice');
    expect(() => fold(graph, RUN, null, [])).toThrow('has no events');
  });

  it('lets nothing but ExecutionStopped come after RunEnded', () => {
    const ended = inPhase('running', {
      ended: { verdict: 'passed', reason: '', at },
      stopping: [{ key: KEY, instance: 'i1', deadlineAt: T0 + 5 }],
    });
    for (const event of Object.values(EVENTS)) {
      expect(illegal(ended, event) === undefined, event.type).toBe(event.type === 'ExecutionStopped');
    }
  });

  it.each<[string, StepPhase, RunEvent]>([
    ['another key', 'running', { ...EVENTS.StepCompleted, key: `${RUN}/a/1/2` }],
    ['another key', 'running', { ...EVENTS.StepReassigned, key: `${RUN}/a/2/1` }],
    ['another iteration', 'pending', { ...EVENTS.StepScheduled, iteration: 2 }],
    ['another attempt', 'retrying', { ...EVENTS.StepScheduled, attempt: 2 }],
    ['another iteration', 'deciding', { ...EVENTS.StepSettled, iteration: 2 }],
    ['an attempt that is left out', 'deciding', { ...EVENTS.RetryScheduled, attempt: 3 }],
    ['an iteration that is left out', 'succeeded', { ...EVENTS.ReworkStarted, reset: [{ step: 'a', iteration: 3 }] }],
    ['a step that is not there', 'running', { ...EVENTS.StepCompleted, step: 'nobody' }],
    ['an execution that nobody stops', 'running', EVENTS.ExecutionStopped],
    ['rework by a step that has no outcome', 'succeeded', { ...EVENTS.ReworkStarted, by: 'a' }],
  ])('refuses %s', (_about, phase, event) => {
    const state = inPhase(phase);
    expect(illegal(state, event)).toBeTypeOf('string');
    expect(evolve(graph, RUN, state, event)).toBe(state);
  });
});

describe('what events change', () => {
  it('a schedule sets the execution, its start and its deadline', () => {
    expect(apply(graph, RUN, base, EVENTS.StepScheduled).steps['a']).toMatchObject({
      phase: 'running',
      key: KEY,
      instance: 'i1',
      deadlineAt: T0 + 5,
      startedAt: T0,
      outcome: null,
    });
  });

  it('a retry keeps the start of the iteration', () => {
    const play = new Play(graph);
    play.settle(failed(true), 'a');
    play.later(60_000);
    expect(play.step('a')).toMatchObject({ phase: 'running', attempt: 2, startedAt: T0, outcome: null, endedAt: null });
  });

  it('rework starts an iteration afresh, hands its note to the target, and stops what runs', () => {
    const wide = graphOfSteps(
      { id: 'a' },
      { id: 'side', needs: 'a' },
      { id: 'g', action: 'judge/act', needs: 'a', on_rejection: { action: 'retry', target: 'a', max_attempts: 2 } },
    );
    const play = new Play(wide);
    play.settle(ok(), 'a');
    play.settle(rejected({ why: 'x' }), 'g');
    expect(play.state.stopping).toEqual([{ key: `${RUN}/side/1/1`, instance: 'i1', deadlineAt: T0 + 60_000 }]);
    expect(play.step('a')).toMatchObject({ iteration: 2, attempt: 1, rework: { from: 'g', output: { why: 'x' } } });
    expect(play.step('side')).toMatchObject({ phase: 'pending', iteration: 2, key: null, outcome: null, rework: null });
    expect(play.state.rounds).toEqual({ 'g:rejection': 1 });
  });

  it('an execution without an instance is nowhere, so nothing has to be stopped', () => {
    const state = inPhase('running');
    const a = state.steps['a'];
    if (!a) throw new Error('no step');
    const nowhere = { ...state, steps: { ...state.steps, a: { ...a, instance: null } } };
    expect(apply(graph, RUN, nowhere, EVENTS.StepCancelled).stopping).toEqual([]);
    expect(apply(graph, RUN, state, EVENTS.StepCancelled).stopping).toHaveLength(1);
  });

  it('a stopped execution is stopped once', () => {
    const stopping = [{ key: KEY, instance: 'i1', deadlineAt: T0 }];
    const once = apply(graph, RUN, inPhase('pending', { stopping }), EVENTS.ExecutionStopped);
    expect(once.stopping).toEqual([]);
    expect(illegal(once, EVENTS.ExecutionStopped)).toBeDefined();
  });

  it('is JSON all through: a checkpoint is its text', () => {
    const play = new Play(graph);
    play.settle(ok({ n: 1 }), 'a');
    play.settle(approved(), 'g');
    expect(JSON.parse(JSON.stringify(play.state))).toEqual(play.state);
  });
});
