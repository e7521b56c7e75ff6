import { describe, expect, it } from 'vitest';
import { commandsOf, nextTimer } from './advance.js';
import { approved, brief, failed, graphOfSteps, ok, Play, rejected, RUN, T0 } from './testing/fixtures.js';

const toA = { action: 'retry', target: 'a', max_attempts: 2 };
const gated = () =>
  graphOfSteps(
    { id: 'a' },
    { id: 'd', needs: 'a' },
    { id: 'g', action: 'judge/act', needs: 'a', on_rejection: toA },
    { id: 'end', needs: ['d', 'g'] },
  );

describe('inputs', () => {
  it('C1 four results together are taken in at once, and the step that joins them is scheduled once', () => {
    const four = ['b', 'c', 'd', 'e'];
    const play = new Play(
      graphOfSteps({ id: 'a' }, ...four.map((id) => ({ id, needs: 'a' })), { id: 'sum', needs: four }),
    );
    play.settle(ok(), 'a');
    const events = brief(play.settle(ok(), ...four));
    expect(events.filter((event) => event.startsWith('StepScheduled'))).toEqual(['StepScheduled sum']);
    expect(events.slice(0, 4)).toEqual(four.map((id) => `StepCompleted ${id}`));
  });

  it('C11 a rejection sends back what ran beside it; the results of before change nothing', () => {
    const play = new Play(gated());
    play.settle(ok(), 'a');
    const [before, instance] = [play.key('d'), play.step('d').instance];
    const events = play.settle(rejected({ n: 1 }), 'g');
    expect(brief(events)).toEqual(['StepCompleted g', 'ReworkStarted g to a', 'StepScheduled a']);
    expect(events.find((event) => event.type === 'ReworkStarted')).toMatchObject({
      superseded: [{ key: before, instance }],
      reset: ['a', 'd', 'g', 'end'].map((step) => ({ step, iteration: 2 })),
    });
    // D's agent is told to stop, until it says that it has; its result is taken as just that.
    expect(commandsOf(play.graph, play.state)[0]).toEqual({ kind: 'cancel', key: before, instance });
    expect(brief(play.take({ kind: 'result', key: before, outcome: ok() }))).toEqual(['ExecutionStopped']);
    expect(play.take({ kind: 'result', key: before, outcome: ok() })).toEqual([]);
    expect(play.phases).toEqual({ a: 'running', d: 'pending', g: 'pending', end: 'pending' });
    play.settle(ok(), 'a');
    expect(play.key('d')).toBe(`${RUN}/d/2/1`);
  });

  it('C11 the word of an agent that it was told to stop does not say that its code has stopped', () => {
    const play = new Play(gated());
    play.settle(ok(), 'a');
    const before = play.key('d');
    play.settle(rejected({ n: 1 }), 'g');
    expect(play.take({ kind: 'result', key: before, outcome: { kind: 'cancelled' } })).toEqual([]);
    expect(play.state.stopping.map(({ key }) => key)).toEqual([before]);
    expect(brief(play.take({ kind: 'stopped', key: before }))).toEqual(['ExecutionStopped']);
  });

  it('C11 a result of what is reset, in the same breath as the rejection, goes with its iteration', () => {
    for (const order of [
      ['d', 'g'],
      ['g', 'd'],
    ]) {
      const play = new Play(gated());
      play.settle(ok(), 'a');
      play.take(
        ...order.map((id) => ({ kind: 'result' as const, key: play.key(id), outcome: id === 'g' ? rejected() : ok() })),
      );
      expect(play.phases).toEqual({ a: 'running', d: 'pending', g: 'pending', end: 'pending' });
      expect(play.state.stopping).toEqual([]);
    }
  });

  it('C12 a verdict before a cancel has its consequences, then the cancel ends the run', () => {
    const play = new Play(gated());
    play.settle(ok(), 'a');
    play.settle(ok(), 'd');
    const events = play.take(
      { kind: 'result', key: play.key('g'), outcome: approved() },
      { kind: 'cancel', by: 'me', reason: 'x' },
    );
    expect(brief(events)).toEqual([
      'StepCompleted g',
      'StepSettled g succeeded',
      'StepScheduled end',
      'CancelRequested',
      'StepCancelled end',
      'RunEnded cancelled',
    ]);
  });

  it('C12 a result that ends the run leaves a cancel behind it nothing to cancel', () => {
    const play = new Play(graphOfSteps({ id: 'a' }));
    const result = { kind: 'result' as const, key: play.key('a'), outcome: ok() };
    const events = play.take(result, { kind: 'cancel', by: 'me', reason: 'x' });
    expect(brief(events)).toEqual(['StepCompleted a', 'StepSettled a succeeded', 'RunEnded passed']);
  });

  it('C12 a cancel before a verdict ends the run, and the verdict finds its key gone', () => {
    const play = new Play(gated());
    play.settle(ok(), 'a');
    const key = play.key('g');
    const events = play.take({ kind: 'cancel', by: 'me', reason: 'x' }, { kind: 'result', key, outcome: rejected() });
    expect(brief(events)).toEqual([
      'CancelRequested',
      'StepCancelled d',
      'StepCancelled g',
      'StepCancelled end',
      'RunEnded cancelled',
      'ExecutionStopped',
    ]);
    expect(play.take({ kind: 'result', key, outcome: rejected() })).toEqual([]);
  });

  it('a cancel twice, and one after the end, are one', () => {
    const play = new Play(gated());
    play.cancel();
    expect(play.cancel()).toEqual([]);
  });

  it('a wake changes nothing by itself', () => {
    expect(new Play(gated()).take({ kind: 'wake' })).toEqual([]);
  });
});

describe('an instance that is gone', () => {
  it('is replaced by another, under the same key', () => {
    const play = new Play(gated());
    play.instances = ['i1', 'i2'];
    const key = play.key('a');
    expect(play.take({ kind: 'gone', key, instance: 'i1' })).toEqual([
      { type: 'StepReassigned', at: T0, step: 'a', key, instance: 'i2' },
    ]);
    expect(play.step('a')).toMatchObject({ key, instance: 'i2', attempt: 1 });
    expect(play.take({ kind: 'gone', key, instance: 'i1' })).toEqual([]);
  });

  it('leaves its execution without one while none is there, and with one when one comes', () => {
    const play = new Play(gated());
    play.instances = [];
    play.take({ kind: 'gone', key: play.key('a'), instance: 'i1' });
    expect(play.step('a').instance).toBeNull();
    expect(commandsOf(play.graph, play.state)).toEqual([]);
    expect(play.later(1000)).toEqual([]);
    play.instances = ['i3'];
    expect(brief(play.later(1000))).toEqual(['StepReassigned a']);
    expect(play.step('a').instance).toBe('i3');
  });

  it('that is the only one there is kept, without an event a second', () => {
    const play = new Play(gated());
    expect(play.take({ kind: 'gone', key: play.key('a'), instance: 'i1' })).toEqual([]);
    expect(play.step('a').instance).toBe('i1');
  });

  it('needs no stopping', () => {
    const play = new Play(gated());
    const key = play.key('a');
    play.cancel();
    expect(brief(play.take({ kind: 'gone', key, instance: 'i1' }))).toEqual(['ExecutionStopped']);
    expect(commandsOf(play.graph, play.state)).toEqual([]);
  });
});

describe('commands', () => {
  it('are what runs, with what the agent needs, and nothing of a run that has ended but its cancels', () => {
    const play = new Play(graphOfSteps({ id: 'a', with: { task: '${{ run.task }}' }, timeout: '9s' }, { id: 'b' }));
    expect(commandsOf(play.graph, play.state)).toEqual([
      {
        kind: 'execute',
        consent: null,
        step: 'a',
        key: `${RUN}/a/1/1`,
        action: 'worker/act',
        instance: 'i1',
        input: { task: 'the task' },
        rework: null,
        notAfter: T0 + 9000,
      },
      expect.objectContaining({ kind: 'execute', step: 'b' }),
    ]);
    play.settle(ok(), 'a');
    play.cancel();
    expect(commandsOf(play.graph, play.state)).toEqual([{ kind: 'cancel', key: `${RUN}/b/1/1`, instance: 'i1' }]);
  });

  it('carry the note of a rework', () => {
    const play = new Play(gated());
    play.settle(ok(), 'a');
    play.settle(rejected({ found: 3 }), 'g');
    const again = commandsOf(play.graph, play.state).find((command) => command.kind === 'execute');
    expect(again).toMatchObject({ step: 'a', rework: { from: 'g', output: { found: 3 } } });
  });
});

describe('the next timer', () => {
  it('is the nearest deadline, retry or end of what is being stopped; none when nothing waits', () => {
    const play = new Play(graphOfSteps({ id: 'a', timeout: '9s' }, { id: 'b', retry: { initial_delay: '4s' } }));
    expect(nextTimer(play.graph, play.state)).toBe(T0 + 9000);
    play.settle(failed(true), 'b');
    expect(nextTimer(play.graph, play.state)).toBe(play.step('b').notBefore);
    play.cancel();
    expect(nextTimer(play.graph, play.state)).toBe(T0 + 9000);
    play.take({ kind: 'stopped', key: `${RUN}/a/1/1` });
    expect(nextTimer(play.graph, play.state)).toBeNull();
  });
});
