import type { Outcome } from '@devmesh/contracts/outcome';
import { DEFAULT_RETRY } from '@devmesh/contracts/workflow';
import { describe, expect, it } from 'vitest';
import { retryDelayMs } from './decide.js';
import { start } from './advance.js';
import { forkOf } from './fork.js';
import { summarise } from './summary.js';
import {
  approved,
  brief,
  created,
  environment,
  failed,
  graphOfSteps,
  ok,
  Play,
  rejected,
  RUN,
  T0,
} from './testing/fixtures.js';

const back = { action: 'retry', target: 'first', max_attempts: 1 };

interface Row {
  readonly outcome: Outcome;
  readonly as: string;
  readonly gate?: boolean;
  /** Attempts that the step may have; this is its first. */
  readonly attempts?: number;
  readonly handlers?: Record<string, unknown>;
  readonly roundsUsed?: boolean;
  readonly follows: readonly string[];
}

const TIMED_OUT: Outcome = { kind: 'timed_out' };
const LOST: Outcome = { kind: 'lost', message: 'gone' };
const CANCELLED: Outcome = { kind: 'cancelled' };
const allBranches = { on_success: 'next', on_approval: 'log_and_notify' };

/** The table "Outcomes and what follows", line by line. */
const TABLE: readonly Row[] = [
  {
    as: 'success',
    outcome: ok(),
    handlers: { on_success: 'next' },
    follows: ['BranchTaken x success', 'StepSettled x succeeded'],
  },
  { as: 'success with a verdict that is information', outcome: rejected(), follows: ['StepSettled x succeeded'] },
  {
    as: 'an approval',
    outcome: approved(),
    gate: true,
    handlers: allBranches,
    follows: ['BranchTaken x success', 'BranchTaken x approval', 'NotificationRecorded x', 'StepSettled x succeeded'],
  },
  {
    as: 'a rejection with rounds left',
    outcome: rejected(),
    gate: true,
    handlers: { on_rejection: [back, 'log_and_notify'] },
    follows: ['ReworkStarted x to first'],
  },
  {
    as: 'a rejection when rounds are used up',
    outcome: rejected(),
    gate: true,
    roundsUsed: true,
    handlers: { on_rejection: [back, 'log_and_notify'] },
    follows: ['BranchTaken x rejection', 'NotificationRecorded x', 'StepSettled x rejected'],
  },
  {
    as: 'a rejection that nothing handles',
    outcome: rejected(),
    gate: true,
    handlers: { on_success: 'next', on_failure: 'next' },
    follows: ['StepSettled x rejected'],
  },
  {
    as: 'a retryable failure',
    outcome: failed(true),
    attempts: 2,
    handlers: { on_failure: back },
    follows: ['RetryScheduled x'],
  },
  {
    as: 'a time-out',
    outcome: TIMED_OUT,
    attempts: 2,
    handlers: { on_failure: 'next' },
    follows: ['RetryScheduled x'],
  },
  ...[failed(true), TIMED_OUT].map((outcome): Row => ({
    as: `${outcome.kind} on the last attempt, with rounds left`,
    outcome,
    attempts: 1,
    handlers: { on_failure: back },
    follows: ['ReworkStarted x to first'],
  })),
  ...[failed(false), LOST, CANCELLED].map((outcome): Row => ({
    as: `${outcome.kind} that is not retried, with rounds left`,
    outcome,
    attempts: 3,
    handlers: { on_failure: back },
    follows: ['ReworkStarted x to first'],
  })),
  ...[failed(true), TIMED_OUT, failed(false), LOST, CANCELLED].map((outcome): Row => ({
    as: `${outcome.kind} with rounds used up`,
    outcome,
    attempts: 1,
    roundsUsed: true,
    handlers: { on_failure: [back, 'next'] },
    follows: ['BranchTaken x failure', 'StepSettled x failed'],
  })),
  ...[failed(true), TIMED_OUT, failed(false), LOST, CANCELLED].map((outcome): Row => ({
    as: `${outcome.kind} that nothing handles`,
    outcome,
    attempts: 1,
    follows: ['StepSettled x failed'],
  })),
  ...[failed(true), TIMED_OUT, failed(false), LOST, CANCELLED].map((outcome): Row => ({
    as: `${outcome.kind} with a fallback and rounds used up`,
    outcome,
    attempts: 1,
    roundsUsed: true,
    handlers: { on_failure: [back, 'log_and_notify'], on_success: 'next', fallback: { output: { size: 0 } } },
    follows: ['FallbackUsed x', 'BranchTaken x success', 'StepSettled x succeeded'],
  })),
  {
    as: 'a retryable failure with a fallback',
    outcome: failed(true),
    attempts: 2,
    handlers: { fallback: { output: {} } },
    follows: ['RetryScheduled x'],
  },
  {
    as: 'a failure with rounds left and a fallback',
    outcome: failed(false),
    handlers: { on_failure: back, fallback: { output: {} } },
    follows: ['ReworkStarted x to first'],
  },
  {
    as: 'a failure that fails the run',
    outcome: failed(false),
    handlers: { on_failure: 'fail' },
    follows: ['BranchTaken x failure', 'StepSettled x failed', 'StepCancelled next', 'RunEnded failed'],
  },
];

describe('outcomes and what follows', () => {
  it.each(TABLE)('$as', ({ outcome, gate, attempts, handlers, roundsUsed, follows }) => {
    const graph = graphOfSteps(
      { id: 'first' },
      {
        id: 'x',
        needs: 'first',
        action: 'judge/act',
        gate: gate ?? false,
        retry: { max_attempts: attempts ?? 3 },
        ...(handlers as object),
      },
      { id: 'next', needs: 'x', always: true },
    );
    const play = new Play(graph);
    play.settle(ok(), 'first');
    if (roundsUsed) {
      play.settle(outcome, 'x');
      play.settle(ok(), 'first');
    }
    const events = brief(play.settle(outcome, 'x'));
    expect(events[0]).toBe('StepCompleted x');
    expect(events.slice(1, 1 + follows.length)).toEqual(follows);
    // Nothing more is decided about this step.
    expect(events.slice(1 + follows.length).filter((event) => event.includes(' x'))).toEqual([]);
  });

  it('a gate that gives no verdict has failed, and says why', () => {
    const play = new Play(
      graphOfSteps({ id: 'x', action: 'judge/act', gate: true, on_success: 'next' }, { id: 'next' }),
    );
    play.settle(ok(), 'x');
    expect(play.phases).toEqual({ x: 'failed', next: 'skipped' });
    expect(play.step('x').outcome).toMatchObject({ kind: 'failed', error: { code: 'bad_reply', retryable: false } });
    expect(play.state.ended?.reason).toContain('its agent gave no verdict');
  });

  it('takes all attempts that there are, and each has a key of its own', () => {
    const play = new Play(graphOfSteps({ id: 'x', retry: { max_attempts: 3 } }));
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(play.key('x')).toBe(`${RUN}/x/1/${attempt}`);
      play.settle(failed(true), 'x');
      play.later(60_000);
    }
    expect(play.phases).toEqual({ x: 'failed' });
  });

  it('a failure hands what went wrong to the step that is done again', () => {
    const play = new Play(graphOfSteps({ id: 'first' }, { id: 'x', needs: 'first', on_failure: back }));
    play.settle(ok(), 'first');
    play.settle(failed(false, 'no space'), 'x');
    expect(play.step('first').rework).toEqual({
      from: 'x',
      output: { error: { code: 'action_failed', message: 'no space' } },
    });
  });
});

describe('a fallback', () => {
  const fallback = { output: { size: 3 } };

  it('is what the steps behind it get, and the run says so', () => {
    const graph = graphOfSteps(
      { id: 'x', fallback },
      { id: 'next', needs: 'x', with: { size: '${{ steps.x.output.size }}' } },
    );
    const play = new Play(graph);
    play.settle(failed(false, 'no disk'), 'x');
    expect(play.step('x')).toMatchObject({ phase: 'succeeded', outcome: ok({ size: 3 }), fallback: 'no disk' });
    expect(play.step('next').input).toEqual({ size: 3 });
    expect(play.state.notifications).toEqual([{ step: 'x', message: 'x fell back on its declared output: no disk' }]);
    play.settle(ok(), 'next');
    expect(play.state.ended).toMatchObject({
      verdict: 'passed',
      reason: 'every step that was to run succeeded, of them by a fallback: x',
    });
    expect(summarise(graph, play.state)['steps']).toMatchObject([{ id: 'x', fallback: 'no disk', error: null }, {}]);
  });

  it('is forgotten when the step is done again', () => {
    const play = new Play(
      graphOfSteps(
        { id: 'x', fallback },
        { id: 'g', action: 'judge/act', needs: 'x', on_rejection: { ...back, target: 'x' } },
      ),
    );
    play.settle(failed(false), 'x');
    play.settle(rejected(), 'g');
    play.settle(ok(), 'x');
    play.settle(approved(), 'g');
    expect(play.step('x').fallback).toBeUndefined();
    expect(play.state.ended?.reason).toBe('every step that was to run succeeded');
  });

  it('of a fan-out stands for the items that failed, and not for a list that cannot be told', () => {
    const steps = (list: unknown) => {
      const play = new Play(
        graphOfSteps({ id: 'plan' }, { id: 'x', needs: 'plan', for_each: '${{ steps.plan.output.list }}', fallback }),
      );
      play.settle(ok({ list: list as string[] }), 'plan');
      return play;
    };
    const play = steps(['a', 'b']);
    play.settle(ok({ size: 1 }), 'x.0');
    play.settle(failed(false), 'x.1');
    expect(play.step('x')).toMatchObject({ phase: 'succeeded', outcome: ok({ count: 2 }) });
    expect(play.step('x.1')).toMatchObject({ outcome: ok({ size: 3 }), fallback: 'no' });
    expect(steps('none').step('x')).toMatchObject({ phase: 'failed', outcome: { error: { code: 'bad_fan_out' } } });
  });

  it('does not stand in for a condition that cannot be told', () => {
    const play = new Play(
      graphOfSteps({ id: 'plan' }, { id: 'x', needs: 'plan', when: 'steps.plan.output.size > 1', fallback }),
    );
    play.settle(ok(), 'plan');
    expect(play.step('x')).toMatchObject({ phase: 'failed', outcome: { error: { code: 'bad_condition' } } });
  });

  it('goes along into a run that takes the step over', () => {
    const graph = graphOfSteps({ id: 'x', fallback }, { id: 'next', needs: 'x' });
    const play = new Play(graph);
    play.settle(failed(false, 'no disk'), 'x');
    play.settle(failed(false), 'next');
    const request = { kind: 'retry', from: null, input: null, now: T0, requestedBy: 'me', traceparent: null } as const;
    const made = forkOf(graph, { created: created(), state: play.state, at: 9 }, request);
    if ('refused' in made) throw new Error(made.refused);
    const begun = start(graph, RUN, made.created, environment(), made.inherited ?? undefined);
    expect(begun.state.steps['x']).toMatchObject({ phase: 'succeeded', outcome: ok({ size: 3 }), fallback: 'no disk' });
  });
});

describe('time', () => {
  it('a retry waits as long as the formula says, and not shorter', () => {
    const play = new Play(graphOfSteps({ id: 'x', retry: { initial_delay: '10s' } }));
    play.settle(failed(true), 'x');
    const { notBefore } = play.step('x');
    const wait = (notBefore ?? 0) - T0;
    expect(wait).toBe(retryDelayMs({ ...DEFAULT_RETRY, initialDelayMs: 10_000 }, 1, `${RUN}/x/1/1`));
    expect(play.later(wait - 1)).toEqual([]);
    expect(brief(play.later(1))).toEqual(['StepScheduled x']);
  });

  it.each([
    [1, 1000],
    [2, 3000],
    [3, 9000],
    [4, 20_000],
    [20, 20_000],
  ])('the delay after attempt %i is %i ms, less up to a quarter', (attempt, full) => {
    const policy = { maxAttempts: 20, initialDelayMs: 1000, factor: 3, maxDelayMs: 20_000, jitter: 0.25 };
    const delays = Array.from({ length: 300 }, (_, index) =>
      retryDelayMs(policy, attempt, `${RUN}/s${index}/1/${attempt}`),
    );
    expect(Math.max(...delays)).toBeLessThanOrEqual(full);
    expect(Math.min(...delays)).toBeGreaterThan(full * 0.749);
    expect(new Set(delays).size).toBeGreaterThan(50);
    expect(retryDelayMs(policy, attempt, 'same')).toBe(retryDelayMs(policy, attempt, 'same'));
  });

  it('an execution times out at its deadline, whether it had an instance or not', () => {
    for (const instances of [['i1'], []]) {
      const play = new Play(graphOfSteps({ id: 'x', timeout: '5s', retry: { max_attempts: 1 } }));
      play.instances = instances;
      play.take({ kind: 'gone', key: play.key('x'), instance: 'i1' });
      expect(play.later(4999).filter(({ type }) => type !== 'StepReassigned')).toEqual([]);
      expect(brief(play.later(1))).toEqual(['StepCompleted x', 'StepSettled x failed', 'RunEnded failed']);
    }
  });

  it('a result that comes with the deadline counts', () => {
    const play = new Play(graphOfSteps({ id: 'x', timeout: '5s' }));
    play.now += 5000;
    expect(brief(play.settle(ok(), 'x'))).toEqual(['StepCompleted x', 'StepSettled x succeeded', 'RunEnded passed']);
  });

  it('an execution that is being stopped is over at its deadline', () => {
    const play = new Play(graphOfSteps({ id: 'x', timeout: '5s' }));
    play.cancel();
    expect(brief(play.later(4999))).toEqual([]);
    expect(brief(play.later(1))).toEqual(['ExecutionStopped']);
  });
});

describe('readiness', () => {
  const steps = (last: object) =>
    new Play(
      graphOfSteps(
        { id: 'a', retry: { max_attempts: 1 } },
        { id: 'b', retry: { max_attempts: 1 } },
        { id: 'last', needs: ['a', 'b'], ...last },
      ),
    );

  it('a step waits until every need succeeded', () => {
    const play = steps({});
    play.settle(ok(), 'a');
    expect(play.phases['last']).toBe('pending');
    play.settle(ok(), 'b');
    expect(play.phases['last']).toBe('running');
  });

  it('a step is skipped as soon as one need died, and so is what needs it', () => {
    const play = new Play(
      graphOfSteps(
        { id: 'a', retry: { max_attempts: 1 } },
        { id: 'b' },
        { id: 'mid', needs: ['a', 'b'] },
        { id: 'end', needs: 'mid' },
      ),
    );
    play.settle(failed(false), 'a');
    expect(play.phases).toEqual({ a: 'failed', b: 'running', mid: 'skipped', end: 'skipped' });
    expect(play.events.flatMap((event) => (event.type === 'StepSkipped' ? [event.because] : []))).toEqual([
      'a failed',
      'mid was skipped',
    ]);
  });

  it('a gate that was rejected is a need that died', () => {
    const play = new Play(graphOfSteps({ id: 'g', action: 'judge/act', gate: true }, { id: 'end', needs: 'g' }));
    play.settle(rejected(), 'g');
    expect(play.phases).toEqual({ g: 'rejected', end: 'skipped' });
    expect(play.state.ended?.verdict).toBe('rejected');
  });

  it('an `always` step waits for all to settle, in whatever way', () => {
    const play = steps({ always: true });
    play.settle(failed(false), 'a');
    expect(play.phases['last']).toBe('pending');
    play.settle(ok(), 'b');
    expect(play.phases['last']).toBe('running');
  });

  const branches = (last: object = {}) =>
    new Play(
      graphOfSteps(
        { id: 'a', on_success: 'last', retry: { max_attempts: 1 } },
        { id: 'b', on_failure: 'last', retry: { max_attempts: 1 } },
        { id: 'last', ...last },
      ),
    );

  it('one branch that leads to a step is enough', () => {
    const play = branches();
    play.settle(ok(), 'a');
    expect(play.phases['last']).toBe('running');
  });

  it('a step is skipped when all branches to it died', () => {
    const play = branches();
    play.settle(failed(false), 'a');
    expect(play.phases['last']).toBe('pending');
    play.settle(ok(), 'b');
    expect(play.phases['last']).toBe('skipped');
  });

  it('an `always` step waits for every branch to be decided, and runs even if none was taken', () => {
    const play = branches({ always: true });
    play.settle(failed(false), 'a');
    expect(play.phases['last']).toBe('pending');
    play.settle(ok(), 'b');
    expect(play.phases['last']).toBe('running');
  });

  it('needs and branches are wanted both', () => {
    const play = new Play(graphOfSteps({ id: 'a' }, { id: 'b', on_success: 'last' }, { id: 'last', needs: 'a' }));
    play.settle(ok(), 'a');
    expect(play.phases['last']).toBe('pending');
    play.settle(ok(), 'b');
    expect(play.phases['last']).toBe('running');
  });

  it('tells why it skips in few enough words for an event', () => {
    const sources = Array.from({ length: 100 }, (_, index) => ({
      id: `source-with-a-long-name-${index}`,
      on_failure: 'last',
    }));
    const play = new Play(graphOfSteps(...sources, { id: 'last' }));
    play.settle(ok(), ...sources.map(({ id }) => id));
    const skipped = play.events.find((event) => event.type === 'StepSkipped');
    expect(skipped?.because).toHaveLength(500);
  });
});

describe('the verdict', () => {
  const play = (onFailure: object, rejectedGate = false) => {
    const run = new Play(
      graphOfSteps(
        { id: 'x', retry: { max_attempts: 1 }, ...onFailure },
        { id: 'g', action: 'judge/act', gate: true },
        { id: 'mend', retry: { max_attempts: 1 } },
      ),
    );
    run.settle(rejectedGate ? rejected() : approved(), 'g');
    return run;
  };

  it.each([
    ['passed when everything succeeded', {}, false, ok(), 'passed'],
    ['failed when a step failed', {}, false, failed(false), 'failed'],
    ['rejected when a gate was', {}, true, ok(), 'rejected'],
    ['failed rather than rejected', {}, true, failed(false), 'failed'],
    ['failed although it was notified', { on_failure: 'log_and_notify' }, false, failed(false), 'failed'],
    ['failed when a branch says so', { on_failure: 'fail' }, false, failed(false), 'failed'],
  ])('is %s', (_about, handlers, rejectedGate, outcome, verdict) => {
    const run = play(handlers, rejectedGate);
    run.settle(ok(), 'mend');
    run.settle(outcome, 'x');
    expect(run.state.ended?.verdict).toBe(verdict);
  });

  it('leaves out a failure that a branch dealt with, and one that it did not deal with counts', () => {
    for (const [outcome, verdict] of [
      [ok(), 'passed'],
      [failed(false), 'failed'],
    ] as const) {
      const run = play({ on_failure: 'mend' });
      run.settle(failed(false), 'x');
      run.settle(outcome, 'mend');
      expect(run.state.ended?.verdict).toBe(verdict);
    }
  });

  it('leaves out a rejection that a branch dealt with', () => {
    const run = new Play(graphOfSteps({ id: 'g', action: 'judge/act', on_rejection: 'mend' }, { id: 'mend' }));
    run.settle(rejected(), 'g');
    run.settle(ok(), 'mend');
    expect(run.state.ended?.verdict).toBe('passed');
  });

  it('is cancelled over everything', () => {
    const run = play({}, true);
    run.settle(failed(false), 'x');
    run.cancel();
    expect(run.state.ended).toMatchObject({ verdict: 'cancelled', reason: 'enough' });
  });
});
