import { canonicalJson } from '@devmesh/contracts/canonical-json';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { commandsOf, nextTimer, start } from './advance.js';
import { brief, graphOfSteps, ok, Play, T0 } from './testing/fixtures.js';

const graph = graphOfSteps(
  { id: 'build' },
  {
    id: 'consent',
    needs: 'build',
    approval: {
      of: 'push',
      title: 'Push it?',
      deadline: '1h',
      remind_after: '10m',
      escalate_after: '30m',
      escalate_to: ['lead'],
    },
  },
  { id: 'push', action: 'actor/act', needs: 'consent', with: { what: '${{ steps.build.output.commit }}' } },
);

function asked(): Play {
  const play = new Play(graph);
  play.settle(ok({ commit: 'c0ffee' }), 'build');
  return play;
}

function request(play: Play, step = 'consent') {
  const { approval } = play.step(step);
  if (!approval) throw new Error(`${step} asks nothing`);
  return approval;
}

function decide(play: Play, verdict: 'approved' | 'rejected', step = 'consent') {
  return play.take({ kind: 'verdict', approvalId: request(play, step).id, verdict, by: 'ann', comment: 'fine' });
}

describe('an approval step', () => {
  it('asks with the hash of what would be done, and waits at no cost', () => {
    const play = asked();
    const { subject, hash, id } = request(play);
    expect(play.phases).toMatchObject({ consent: 'awaiting', push: 'pending' });
    expect(subject).toMatchObject({
      step: 'push',
      action: 'actor/act',
      input: { what: 'c0ffee' },
      expiresAt: T0 + 3600_000,
    });
    expect(hash).toBe(createHash('sha256').update(canonicalJson(subject)).digest('hex'));
    expect(commandsOf(play.graph, play.state)).toEqual([]);
    expect(nextTimer(play.graph, play.state)).toBe(T0 + 600_000);
    expect(request(asked()).id, 'the same request has the same id').toBe(id);
  });

  it('is not asked before its row can be written: the first turn asks, not the create', () => {
    const play = new Play(graphOfSteps({ id: 'consent', approval: true }, { id: 'go', needs: 'consent' }));
    const [created] = play.events;
    if (created?.type !== 'RunCreated') throw new Error('no RunCreated');
    const env = { now: play.now, instances: () => play.instances };
    expect(brief(start(play.graph, play.state.runId, created, env).events)).toEqual(['RunCreated']);
    expect(brief(play.events)).toEqual(['RunCreated', 'ApprovalRequested consent']);
  });

  it('approved: the guarded step acts on that very consent', () => {
    const play = asked();
    const { id, hash } = request(play);
    expect(brief(decide(play, 'approved'))).toEqual([
      'ApprovalDecided consent',
      'StepSettled consent succeeded',
      'StepScheduled push',
    ]);
    expect(commandsOf(play.graph, play.state)).toMatchObject([{ step: 'push', consent: { id, hash } }]);
    expect(play.take({ kind: 'verdict', approvalId: id, verdict: 'rejected', by: 'bob', comment: '' })).toEqual([]);
  });

  it('C16 a verdict that counted comes before the clock, whatever else is taken in before it', () => {
    const play = asked();
    const { id, expiresAt } = request(play);
    play.now = expiresAt;
    const verdict = { kind: 'verdict', approvalId: id, verdict: 'approved', by: 'ann', comment: '' } as const;
    const events = brief(
      play.take({ kind: 'pause', by: 'bob', reason: 'wait' }, verdict, { kind: 'resume', by: 'bob' }),
    );
    expect(events).toContain('ApprovalDecided consent');
    expect(events.filter((event) => event.startsWith('ApprovalExpired'))).toEqual([]);
  });

  it('rejected: nothing is done, and the run says so', () => {
    const play = asked();
    decide(play, 'rejected');
    expect(play.phases).toMatchObject({ consent: 'rejected', push: 'skipped' });
    expect(play.state.ended?.verdict).toBe('rejected');
  });

  it('rejected with a handler: the work goes back, and is asked about anew', () => {
    const loop = graphOfSteps(
      { id: 'build' },
      {
        id: 'consent',
        needs: 'build',
        approval: { of: 'push' },
        on_rejection: { action: 'retry', target: 'build', max_attempts: 2 },
      },
      { id: 'push', action: 'actor/act', needs: 'consent', with: { what: '${{ steps.build.output.commit }}' } },
    );
    const play = new Play(loop);
    play.settle(ok({ commit: 'c0' }), 'build');
    const before = request(play);
    decide(play, 'rejected');
    expect(play.step('build').rework).toMatchObject({ from: 'consent', output: { by: 'ann', comment: 'fine' } });
    play.settle(ok({ commit: 'c1' }), 'build');
    const after = request(play);
    expect([after.id === before.id, after.hash === before.hash]).toEqual([false, false]);
    expect(play.take({ kind: 'verdict', approvalId: before.id, verdict: 'approved', by: 'x', comment: '' })).toEqual(
      [],
    );
    expect(play.phases).toMatchObject({ consent: 'awaiting' });
  });

  it('C19: does not cover what has changed since', () => {
    const play = asked();
    const step = play.step('build');
    decide(play, 'approved');
    const changed = asked();
    changed.state = {
      ...changed.state,
      steps: { ...changed.state.steps, build: { ...step, outcome: ok({ commit: 'other' }) } },
    };
    decide(changed, 'approved');
    expect(changed.step('push')).toMatchObject({ phase: 'failed', outcome: { error: { code: 'approval_stale' } } });
  });

  it('reminds, escalates and expires, each once', () => {
    const play = asked();
    expect(brief(play.later(600_000))).toEqual(['ApprovalReminded consent', 'NotificationRecorded consent']);
    expect(play.later(1)).toEqual([]);
    const escalated = play.later(1_200_000);
    expect(brief(escalated)).toEqual(['ApprovalReminded consent', 'NotificationRecorded consent']);
    expect(escalated[1]).toMatchObject({ message: expect.stringContaining('lead') as string });
    expect(brief(play.later(1_800_000))).toEqual([
      'ApprovalExpired consent',
      'StepSettled consent rejected',
      'StepSkipped push',
      'RunEnded rejected',
    ]);
  });

  it('several wait at once and are decided in any order', () => {
    const both = graphOfSteps(
      { id: 'one', approval: true },
      { id: 'two', approval: { on_expiry: 'fail' } },
      { id: 'end', needs: ['one', 'two'] },
    );
    const play = new Play(both);
    expect(play.phases).toEqual({ one: 'awaiting', two: 'awaiting', end: 'pending' });
    decide(play, 'approved', 'two');
    decide(play, 'approved', 'one');
    expect(play.phases).toMatchObject({ end: 'running' });
    expect(new Play(both).later(4 * 24 * 3600_000).at(-1)).toMatchObject({ type: 'RunEnded', verdict: 'failed' });
  });

  it('C12: what is said counts in the order in which it was said', () => {
    const { id: approvalId } = request(asked());
    const verdict = { kind: 'verdict', approvalId, verdict: 'approved', by: 'ann', comment: '' } as const;
    const cancel = { kind: 'cancel', by: 'bob', reason: '' } as const;
    const first = asked();
    expect(brief(first.take(verdict, cancel))).toContain('StepScheduled push');
    expect(first.state.stopping).toHaveLength(1);
    const second = asked();
    expect(brief(second.take(cancel, verdict))).not.toContain('ApprovalDecided consent');
    expect([first.state.ended?.verdict, second.state.ended?.verdict]).toEqual(['cancelled', 'cancelled']);
  });
});

describe('a lost act whose action says on_lost: ask', () => {
  const lost = { kind: 'lost', message: 'the agent died' } as const;

  it('is put to a person: done counts as success, not done as failure', () => {
    const play = new Play(graphOfSteps({ id: 'act', action: 'actor/act' }, { id: 'next', needs: 'act' }));
    play.settle(lost, 'act');
    expect(request(play, 'act')).toMatchObject({ kind: 'lost', subject: { action: 'actor/act' } });
    decide(play, 'approved', 'act');
    expect(play.phases).toEqual({ act: 'succeeded', next: 'running' });
    const other = new Play(graphOfSteps({ id: 'act', action: 'actor/act' }, { id: 'next', needs: 'act' }));
    other.settle(lost, 'act');
    decide(other, 'rejected', 'act');
    expect(other.phases).toEqual({ act: 'failed', next: 'skipped' });
    expect(other.state.ended?.reason).toContain('ann says that it was not done');
  });

  it('of any other action is a failure at once', () => {
    const play = new Play(graphOfSteps({ id: 'act', action: 'judge/act' }));
    play.settle(lost, 'act');
    expect(play.phases).toEqual({ act: 'failed' });
  });
});
