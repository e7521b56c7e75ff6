import type { Json } from '@devmesh/contracts/json';
import { describe, expect, it } from 'vitest';
import { brief, failed, graphOfSteps, ok, Play, rejected } from './testing/fixtures.js';
import { outputOf } from './output.js';

const graph = graphOfSteps(
  { id: 'list' },
  {
    id: 'scan',
    needs: 'list',
    with: { what: '${{ item.name }}', number: '${{ index }}', task: '${{ run.task }}' },
    for_each: { items: '${{ steps.list.output.items }}', max_items: 4, max_parallel: 2 },
  },
  { id: 'sum', needs: 'scan', with: { all: '${{ steps.scan.output.items }}' } },
);

function listed(items: Json): Play {
  const play = new Play(graph);
  play.settle(ok({ items }), 'list');
  return play;
}
const names = (...all: string[]) => all.map((name) => ({ name }));

describe('a fan-out', () => {
  it('makes a step of each item, so many at once, and gives what they gave in the order of the list', () => {
    const play = listed(names('a', 'b', 'c'));
    expect(play.phases).toMatchObject({
      scan: 'fanned',
      'scan.0': 'running',
      'scan.1': 'running',
      'scan.2': 'pending',
    });
    expect(play.step('scan.1').input).toEqual({ what: 'b', number: 1, task: 'the task' });
    play.settle(ok({ of: 'b' }), 'scan.1');
    expect(play.phases).toMatchObject({ 'scan.2': 'running', sum: 'pending' });
    play.settle(ok({ of: 'c' }), 'scan.2');
    play.settle(ok({ of: 'a' }), 'scan.0');
    expect(play.step('sum').input).toEqual({ all: [{ of: 'a' }, { of: 'b' }, { of: 'c' }] });
    expect(outputOf(play.graph, play.state, 'scan')).toMatchObject({ count: 3 });
  });

  it('lets an item fail by itself, with its retries, and then fails as a whole', () => {
    const play = listed(names('a', 'b'));
    play.settle(failed(true), 'scan.0');
    expect(play.phases).toMatchObject({ 'scan.0': 'retrying', 'scan.1': 'running' });
    play.later(1000);
    play.settle(failed(false, 'broken'), 'scan.0');
    expect(play.phases).toMatchObject({ scan: 'fanned', 'scan.0': 'failed', 'scan.1': 'running' });
    play.settle(ok(), 'scan.1');
    expect(play.phases).toMatchObject({ scan: 'failed', sum: 'skipped' });
    expect(play.state.ended).toMatchObject({ verdict: 'failed', reason: expect.stringContaining('1 of 2') as string });
  });

  it.each<[string, Json, string]>([
    ['no list', 'text', 'is a string'],
    ['nothing', null, 'is null'],
    ['too many', names('a', 'b', 'c', 'd', 'e'), 'more than max_items: 4'],
    ['too large', ['x'.repeat(70_000)], 'bytes'],
  ])('does not grow over %s', (_about, items, says) => {
    const play = listed(items);
    expect(play.step('scan')).toMatchObject({
      phase: 'failed',
      items: null,
      outcome: { error: { code: 'bad_fan_out', message: expect.stringContaining(says) as string } },
    });
  });

  it('over an empty list has succeeded', () => {
    expect(listed([]).phases).toMatchObject({ scan: 'succeeded', sum: 'running' });
  });

  it('is reset with its items when work is sent back; what runs is stopped', () => {
    const loop = graphOfSteps(
      { id: 'list' },
      { id: 'scan', needs: 'list', for_each: '${{ steps.list.output.items }}' },
      {
        id: 'g',
        action: 'judge/act',
        needs: 'list',
        on_rejection: { action: 'retry', target: 'list', max_attempts: 1 },
      },
    );
    const play = new Play(loop);
    play.settle(ok({ items: [1, 2] }), 'list');
    const events = play.settle(rejected(), 'g');
    expect(events.find(({ type }) => type === 'ReworkStarted')).toMatchObject({
      superseded: [{ key: expect.stringContaining('/scan.0/1/1') as string }, { key: expect.anything() as string }],
    });
    expect(Object.keys(play.state.steps)).not.toContain('scan.0');
    expect(play.state.stopping).toHaveLength(2);
    play.settle(ok({ items: [3] }), 'list');
    expect(play.step('scan.0')).toMatchObject({ phase: 'running', iteration: 2 });
    expect(Object.keys(play.state.steps)).not.toContain('scan.1');
  });

  it('is cancelled with its items', () => {
    const play = listed(names('a', 'b', 'c'));
    expect(brief(play.cancel())).toEqual([
      'CancelRequested',
      'StepCancelled scan',
      'StepCancelled scan.0',
      'StepCancelled scan.1',
      'StepCancelled scan.2',
      'StepCancelled sum',
      'RunEnded cancelled',
    ]);
    expect(play.state.stopping).toHaveLength(2);
  });
});
