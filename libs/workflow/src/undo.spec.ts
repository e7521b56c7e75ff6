import { describe, expect, it } from 'vitest';
import { commandsOf } from './advance.js';
import { brief, failed, graphOfSteps, ok, Play, rejected, RUN } from './testing/fixtures.js';

const undo = { action: 'actor/undo', with: { made: '${{ output.id }}', from: '${{ input.what }}' } };
const acts = { action: 'actor/act', undo };

describe('undo', () => {
  it('on a cancel takes back what was done, the last first, one at a time, each once', () => {
    const play = new Play(
      graphOfSteps(
        { id: 'a', ...acts, with: { what: 'x' } },
        { id: 'b', ...acts, needs: 'a' },
        { id: 'c', needs: 'b' },
      ),
    );
    play.settle(ok({ id: 1 }), 'a');
    play.settle(ok({ id: 2 }), 'b');
    expect(brief(play.cancel())).toEqual([
      'CancelRequested',
      'StepCancelled c',
      'UndoStarted b',
      'StepScheduled b.undo',
    ]);
    expect(play.step('b.undo').input).toEqual({ made: 2 });
    expect(commandsOf(play.graph, play.state)).toContainEqual(
      expect.objectContaining({ kind: 'execute', action: 'actor/undo', key: `${RUN}/b.undo/1/1` }),
    );
    expect(brief(play.settle(ok(), 'b.undo')).slice(-2)).toEqual(['UndoStarted a', 'StepScheduled a.undo']);
    expect(play.step('a.undo').input).toEqual({ made: 1, from: 'x' });
    play.settle(ok(), 'a.undo');
    expect(play.state.ended?.verdict).toBe('cancelled');
  });

  it('waits until an execution that was stopped is over: it may still act', () => {
    const play = new Play(graphOfSteps({ id: 'a', ...acts }));
    expect(brief(play.cancel())).toEqual(['CancelRequested', 'StepCancelled a']);
    expect(brief(play.take({ kind: 'stopped', key: `${RUN}/a/1/1` }))).toEqual([
      'ExecutionStopped',
      'UndoStarted a',
      'StepScheduled a.undo',
    ]);
  });

  it('of nothing that failed for sure; of what was lost, it may have been done', () => {
    const play = new Play(graphOfSteps({ id: 'a', ...acts, action: 'worker/act' }, { id: 'b' }));
    play.settle(failed(false), 'a');
    expect(brief(play.cancel())).toContain('RunEnded cancelled');
    const lost = new Play(graphOfSteps({ id: 'a', ...acts, action: 'worker/act' }, { id: 'b' }));
    lost.settle({ kind: 'lost', message: '' }, 'a');
    expect(brief(lost.cancel())).toContain('UndoStarted a');
  });

  it('inside a loop comes before the next iteration of the step, not of others', () => {
    const play = new Play(
      graphOfSteps(
        { id: 'a', ...acts },
        { id: 'g', action: 'judge/act', needs: 'a', on_rejection: { action: 'retry', target: 'a', max_attempts: 1 } },
      ),
    );
    play.settle(ok({ id: 1 }), 'a');
    expect(brief(play.settle(rejected(), 'g')).slice(-2)).toEqual(['UndoStarted a', 'StepScheduled a.undo']);
    expect(play.phases).toMatchObject({ a: 'pending' });
    play.settle(ok(), 'a.undo');
    expect(play.step('a')).toMatchObject({ phase: 'running', iteration: 2 });
    play.settle(ok({ id: 2 }), 'a');
    play.cancel();
    expect(play.step('a.undo')).toMatchObject({ phase: 'running', iteration: 2 });
    expect(play.step('a.undo').input).toEqual({ made: 2 });
  });

  it('that fails is retried, then told; the run ends all the same', () => {
    const play = new Play(graphOfSteps({ id: 'a', ...acts, retry: { max_attempts: 2 } }, { id: 'b', needs: 'a' }));
    play.settle(ok({ id: 1 }), 'a');
    play.cancel();
    play.settle(failed(true), 'a.undo');
    expect(play.step('a.undo')).toMatchObject({ phase: 'retrying' });
    play.later(60_000);
    play.settle(failed(true, 'remote is gone'), 'a.undo');
    expect(play.state.ended?.verdict).toBe('cancelled');
    expect(play.state.notifications.at(-1)?.message).toContain('a.undo failed');
  });

  it('comes with the fail branch and when the time of the run is up', () => {
    const play = new Play(graphOfSteps({ id: 'a', ...acts }, { id: 'b', needs: 'a', on_failure: 'fail' }));
    play.settle(ok({ id: 1 }), 'a');
    expect(brief(play.settle(failed(false), 'b'))).toContain('UndoStarted a');
    const graph = graphOfSteps({ id: 'a', ...acts }, { id: 'b', needs: 'a', timeout: '1h' });
    const late = new Play({ ...graph, workflow: { ...graph.workflow, timeoutMs: 5000 } });
    late.settle(ok({ id: 1 }), 'a');
    expect(brief(late.later(5000))).toContain('RunTimedOut');
    expect(late.phases).toMatchObject({ 'a.undo': 'running' });
    late.settle(ok(), 'a.undo');
    expect(late.state.ended).toMatchObject({ verdict: 'failed', reason: 'the time of the whole run ran out' });
  });
});

describe('pause', () => {
  it('starts nothing new, lets what runs end, and goes on where it was', () => {
    const play = new Play(graphOfSteps({ id: 'a' }, { id: 'b', needs: 'a' }, { id: 'r' }));
    expect(brief(play.take({ kind: 'pause', by: 'ann', reason: 'lunch' }))).toEqual(['RunPaused']);
    expect(play.take({ kind: 'pause', by: 'ann', reason: 'again' })).toEqual([]);
    play.settle(ok(), 'a');
    play.settle(failed(true), 'r');
    play.later(60_000);
    expect(play.phases).toEqual({ a: 'succeeded', b: 'pending', r: 'retrying' });
    expect(brief(play.take({ kind: 'resume', by: 'ann' }))).toEqual([
      'RunResumed',
      'StepScheduled b',
      'StepScheduled r',
    ]);
    expect(play.take({ kind: 'resume', by: 'ann' })).toEqual([]);
  });

  it('does not keep a cancel from ending the run', () => {
    const play = new Play(graphOfSteps({ id: 'a' }, { id: 'b', needs: 'a' }));
    play.take({ kind: 'pause', by: 'ann', reason: '' });
    expect(brief(play.cancel())).toContain('RunEnded cancelled');
  });
});

describe('allow_partial_completion', () => {
  it('makes failed beside succeeded steps partial; all failed stays failed', () => {
    const graph = graphOfSteps({ id: 'a' }, { id: 'b' });
    const partial = { ...graph, workflow: { ...graph.workflow, allowPartialCompletion: true } };
    const play = new Play(partial);
    play.settle(ok(), 'a');
    play.settle(failed(false), 'b');
    expect(play.state.ended).toMatchObject({
      verdict: 'partial',
      reason: expect.stringContaining('step b failed') as string,
    });
    const none = new Play(partial);
    none.settle(failed(false), 'a', 'b');
    expect(none.state.ended?.verdict).toBe('failed');
  });
});
