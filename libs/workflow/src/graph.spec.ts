import { describe, expect, it } from 'vitest';
import { graphOf, reachable, successorsOf, topologicalOrder, worstCaseRounds } from './graph.js';
import { approved, graphOfSteps, ok, Play, rejected } from './testing/fixtures.js';

const back = (target: string, max_attempts: number) => ({ action: 'retry', target, max_attempts });

/** `inner` sends back to b, `outer` to a: inner is inside outer. */
const nested = () =>
  graphOfSteps(
    { id: 'a' },
    { id: 'b', needs: 'a' },
    { id: 'inner', action: 'judge/act', needs: 'b', on_rejection: back('b', 2) },
    { id: 'outer', action: 'judge/act', needs: 'inner', on_rejection: back('a', 3) },
  );

describe('the graph', () => {
  it('has edges by needs and by goto branches, each once', () => {
    const graph = graphOfSteps(
      { id: 'a', on_success: ['b', 'c'], on_failure: 'c' },
      { id: 'b' },
      { id: 'c', needs: 'b' },
    );
    expect(Object.fromEntries(successorsOf([...graph.steps.values()]))).toEqual({ a: ['b', 'c'], b: ['c'], c: [] });
    expect(graph.gotoSources.get('c')).toEqual(['a']);
    expect([...reachable(successorsOf([...graph.steps.values()]), 'b')]).toEqual(['b', 'c']);
  });

  it('tells what comes before a step in an order that follows the edges, then the definition', () => {
    const graph = graphOfSteps(
      { id: 'last', needs: ['y', 'x'] },
      { id: 'y', needs: 'first' },
      { id: 'x', needs: 'first' },
      { id: 'first' },
      { id: 'aside' },
    );
    expect(graph.upstream.get('last')).toEqual(['first', 'y', 'x']);
    expect(graph.upstream.get('aside')).toEqual([]);
    expect(graph.order).toEqual(['last', 'y', 'x', 'first', 'aside']);
  });

  it('has no whole order when there is a cycle', () => {
    const { workflow } = graphOfSteps({ id: 'a' }, { id: 'b', needs: 'a' });
    const steps = workflow.steps.map((step) => ({ ...step, needs: step.id === 'a' ? ['b'] : ['a'] }));
    expect(topologicalOrder(steps)).toEqual([]);
    expect(graphOf({ ...workflow, steps }).upstream.size).toBe(0);
  });
});

describe('nested loops', () => {
  it('are inside another by strict inclusion of what they reset', () => {
    const graph = nested();
    expect(graph.loops.get('outer:rejection')?.inside).toEqual(['inner:rejection']);
    expect(graph.loops.get('inner:rejection')?.inside).toEqual([]);
  });

  it('over the same steps keep their own counters, so neither refills the other', () => {
    const graph = graphOfSteps(
      { id: 'a' },
      { id: 'one', action: 'judge/act', needs: 'a', on_rejection: back('a', 2) },
      { id: 'two', action: 'judge/act', needs: 'a', on_rejection: back('a', 2) },
    );
    expect([...graph.loops.values()].map(({ inside }) => inside)).toEqual([[], []]);
    expect(Object.fromEntries(worstCaseRounds(graph))).toEqual({ 'one:rejection': 2, 'two:rejection': 2 });
  });

  it('may go round max * (1 + the rounds of the loops around them)', () => {
    expect(Object.fromEntries(worstCaseRounds(nested()))).toEqual({ 'inner:rejection': 8, 'outer:rejection': 3 });
    const graph = graphOfSteps(
      { id: 'a' },
      { id: 'b', needs: 'a' },
      { id: 'c', needs: 'b' },
      { id: 'g1', action: 'judge/act', needs: 'c', on_rejection: back('c', 1) },
      { id: 'g2', action: 'judge/act', needs: 'g1', on_rejection: back('b', 2) },
      { id: 'g3', action: 'judge/act', needs: 'g2', on_rejection: back('a', 3) },
    );
    // g3: 3; g2: 2 * (1 + 3) = 8; g1: 1 * (1 + 3 + 8) = 12.
    expect(Object.fromEntries(worstCaseRounds(graph))).toEqual({
      'g1:rejection': 12,
      'g2:rejection': 8,
      'g3:rejection': 3,
    });
  });

  it('really go round that often against someone who rejects whenever it hurts most', () => {
    const play = new Play(nested());
    let rounds = 0;
    let turns = 0;
    while (!play.state.ended && turns++ < 200) {
      for (const id of ['a', 'b']) if (play.step(id).phase === 'running') play.settle(ok(), id);
      // The inner gate rejects while that sends back, and lets the outer one start everything again.
      const left = (play.state.rounds['inner:rejection'] ?? 0) < 2;
      if (play.step('inner').phase === 'running') play.settle(left ? rejected() : approved(), 'inner');
      else if (play.step('outer').phase === 'running') play.settle(rejected(), 'outer');
    }
    for (const event of play.events) if (event.type === 'ReworkStarted' && event.by === 'inner') rounds++;
    expect(rounds).toBe(8);
    expect(play.state.ended?.verdict).toBe('rejected');
  });

  it('set the counters inside them back to zero, and no others', () => {
    const play = new Play(nested());
    play.settle(ok(), 'a');
    play.settle(ok(), 'b');
    play.settle(rejected(), 'inner');
    expect(play.state.rounds).toEqual({ 'inner:rejection': 1 });
    play.settle(ok(), 'b');
    play.settle(approved(), 'inner');
    play.settle(rejected(), 'outer');
    expect(play.state.rounds).toEqual({ 'outer:rejection': 1 });
    play.settle(ok(), 'a');
    play.settle(ok(), 'b');
    play.settle(rejected(), 'inner');
    expect(play.state.rounds).toEqual({ 'outer:rejection': 1, 'inner:rejection': 1 });
  });
});
