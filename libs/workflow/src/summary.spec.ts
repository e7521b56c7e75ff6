import { MAX_INPUT_BYTES, MAX_OUTPUT_BYTES } from '@devmesh/contracts/action';
import type { JsonObject } from '@devmesh/contracts/json';
import { describe, expect, it } from 'vitest';
import { summarise } from './summary.js';
import { failed, graphOfSteps, ok, Play, REPOSITORY } from './testing/fixtures.js';

const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const ids = (count: number) => Array.from({ length: count }, (_, index) => `step-${index}-${'x'.repeat(50)}`);

describe('the summary of a run', () => {
  it('tells each step: what it did, when, what came out or why not', () => {
    const play = new Play(graphOfSteps({ id: 'a' }, { id: 'b', needs: 'a', on_failure: 'log_and_notify' }), REPOSITORY);
    play.now += 1500;
    play.settle(ok({ n: 1 }), 'a');
    play.settle(failed(false, 'broken pipe'), 'b');
    const summary = summarise(play.graph, play.state);
    expect(summary).toMatchObject({
      workflow: 'test',
      task: 'the task',
      repository: { origin: '/home/me/shop', branch: 'main' },
      verdict: 'failed',
      reason: 'step b failed: broken pipe',
      notifications: [{ step: 'b', message: 'b failed: broken pipe' }],
      steps: [
        { id: 'a', agent: 'worker', outcome: 'succeeded', elapsedMs: 1500, output: { n: 1 }, error: null },
        { id: 'b', outcome: 'failed', output: null, error: 'broken pipe' },
      ],
    });
  });

  it('leaves out whole outputs that do not fit, and keeps those that do', () => {
    const big = { text: 'x'.repeat(MAX_OUTPUT_BYTES - 100) };
    const play = new Play(graphOfSteps(...ids(8).map((id) => ({ id }))));
    play.settle(ok(big), ...ids(8).slice(0, 7));
    play.settle(ok({ small: 1 }), ...ids(8).slice(7));
    const steps = summarise(play.graph, play.state)['steps'] as JsonObject[];
    expect(steps.map(({ output }) => output !== null)).toEqual([true, true, true, true, true, false, false, true]);
  });

  it.each([
    ['outputs in letters of three bytes', ok({ text: '€'.repeat(MAX_OUTPUT_BYTES / 3 - 50) })],
    ['errors in characters that JSON writes with six bytes', failed(false, '\u0001'.repeat(4000))],
  ])('is never larger than an input may be: 200 steps with %s', (_about, outcome) => {
    const steps = ids(200).map((id) => ({ id, on_failure: 'log_and_notify' }));
    const notices = Array.from({ length: 20 }, () => ({ code: 'large_files' as const, message: '€'.repeat(2000) }));
    const play = new Play(graphOfSteps(...steps), { ...REPOSITORY, origin: '/'.repeat(4096), notices });
    play.settle(outcome, ...ids(200));
    expect(play.state.ended).not.toBeNull();
    const summary = summarise(play.graph, { ...play.state, task: '\u0001'.repeat(100_000) });
    expect(bytes(summary)).toBeLessThan(MAX_INPUT_BYTES);
    expect(summary['steps']).toHaveLength(200);
  });

  it('and the state it is told from keep no more than the last notifications', () => {
    const steps = ids(200).map((id) => ({ id, on_failure: 'log_and_notify', retry: { max_attempts: 1 } }));
    const play = new Play(graphOfSteps(...steps));
    play.settle(failed(false), ...ids(200));
    expect(play.events.filter(({ type }) => type === 'NotificationRecorded')).toHaveLength(200);
    expect(play.state.notifications).toHaveLength(50);
    expect(play.state.notifications.at(-1)?.step).toBe(ids(200).at(-1));
  });
});
