import { describe, expect, it } from 'vitest';
import { brief, failed, graphOfSteps, ok, Play, rejected } from './testing/fixtures.js';

const three = [{ id: 'a' }, { id: 'b' }, { id: 'c' }];
const needs = ['a', 'b', 'c'];

describe('joins', () => {
  it('any: the first need that succeeds is enough, and the others run on', () => {
    const play = new Play(graphOfSteps(...three, { id: 'j', needs, join: 'any' }));
    play.settle(failed(false), 'a');
    expect(play.phases).toMatchObject({ j: 'pending' });
    play.settle(ok(), 'b');
    expect(play.phases).toMatchObject({ j: 'running', c: 'running' });
    play.settle(ok(), 'j', 'c');
    expect(play.state.ended?.verdict, 'a failed, and nothing dealt with it').toBe('failed');
  });

  it('quorum 2: two of three, in any order; skipped as soon as that cannot be', () => {
    const graph = graphOfSteps(...three, { id: 'j', needs, join: 'quorum 2' });
    const met = new Play(graph);
    met.settle(ok(), 'c');
    expect(met.phases).toMatchObject({ j: 'pending' });
    met.settle(ok(), 'a');
    expect(met.phases).toMatchObject({ j: 'running', b: 'running' });
    const missed = new Play(graph);
    missed.settle(failed(false), 'a', 'b');
    expect(missed.phases).toMatchObject({ j: 'skipped', c: 'running' });
  });

  it('losers: cancel stops them and what leads to nothing else, before the join starts', () => {
    const graph = graphOfSteps(
      { id: 'slow' },
      { id: 'slower', needs: 'slow' },
      { id: 'fast' },
      { id: 'shared' },
      { id: 'other', needs: 'shared' },
      { id: 'j', needs: ['slower', 'fast', 'shared'], join: 'any', losers: 'cancel' },
    );
    const play = new Play(graph);
    const events = play.settle(ok(), 'fast');
    expect(brief(events)).toEqual([
      'StepCompleted fast',
      'StepSettled fast succeeded',
      'StepCancelled slow',
      'StepCancelled slower',
      'StepScheduled j',
    ]);
    expect(play.state.stopping.map(({ key }) => key.split('/')[1])).toEqual(['slow']);
    expect(play.phases, 'another step needs it').toMatchObject({ shared: 'running' });
    play.settle(ok(), 'j', 'shared');
    play.settle(ok(), 'other');
    expect(play.state.ended?.verdict, 'a loser does not count').toBe('passed');
  });

  it('a loser that was cancelled runs again when work is sent back', () => {
    const graph = graphOfSteps(
      { id: 'root' },
      { id: 'a', needs: 'root' },
      { id: 'b', needs: 'root' },
      {
        id: 'j',
        action: 'judge/act',
        needs: ['a', 'b'],
        join: 'any',
        losers: 'cancel',
        on_rejection: { action: 'retry', target: 'root', max_attempts: 1 },
      },
    );
    const play = new Play(graph);
    play.settle(ok(), 'root');
    play.settle(ok(), 'a');
    expect(play.phases).toMatchObject({ b: 'cancelled', j: 'running' });
    play.settle(rejected(), 'j');
    expect(play.step('b')).toMatchObject({ phase: 'pending', iteration: 2 });
    play.settle(ok(), 'root');
    expect(play.phases).toMatchObject({ a: 'running', b: 'running' });
  });
});

describe('conditions', () => {
  const graph = graphOfSteps(
    { id: 'count' },
    { id: 'big', needs: 'count', when: 'steps.count.output.n > 3' },
    { id: 'after', needs: 'big' },
    { id: 'anyhow', needs: 'count', when: 'has(steps.count.output.n) && steps.count.status == "succeeded"' },
  );

  it('run a step, or skip it with all that needs it', () => {
    const yes = new Play(graph);
    yes.settle(ok({ n: 4 }), 'count');
    expect(yes.phases).toMatchObject({ big: 'running', anyhow: 'running' });
    const no = new Play(graph);
    const events = no.settle(ok({ n: 3 }), 'count');
    expect(no.phases).toMatchObject({ big: 'skipped', after: 'skipped', anyhow: 'running' });
    expect(events).toContainEqual(expect.objectContaining({ because: 'when: steps.count.output.n > 3' }));
  });

  it('that cannot be told fail the step, and say why', () => {
    const play = new Play(graph);
    play.settle(ok({}), 'count');
    expect(play.phases).toMatchObject({ big: 'failed', after: 'skipped', anyhow: 'skipped' });
    expect(play.step('big').outcome).toMatchObject({
      error: { code: 'bad_condition', message: expect.stringMatching(/n > 3.*No such key: n.*has\(\)/) as string },
    });
  });
});

describe('room', () => {
  it('max_parallel_agents holds steps back; priority says which one goes first', () => {
    const graph = graphOfSteps({ id: 'low' }, { id: 'high', priority: 5 }, { id: 'mid', priority: 1 });
    const narrow = new Play({ ...graph, workflow: { ...graph.workflow, maxParallelAgents: 1 } });
    expect(narrow.phases).toEqual({ low: 'pending', high: 'running', mid: 'pending' });
    narrow.settle(ok(), 'high');
    expect(narrow.phases).toMatchObject({ low: 'pending', mid: 'running' });
    narrow.settle(failed(true), 'mid');
    expect(narrow.phases, 'its place is free while it waits').toMatchObject({ mid: 'retrying', low: 'running' });
    narrow.later(1000);
    expect(narrow.phases, 'and when its time has come another one has it').toMatchObject({ mid: 'retrying' });
    narrow.settle(ok(), 'low');
    expect(narrow.phases).toMatchObject({ mid: 'running' });
  });
});
