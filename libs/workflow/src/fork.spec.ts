import { RunEvent } from '@devmesh/contracts/event';
import type { StepId } from '@devmesh/contracts/ids';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { advance, start } from './advance.js';
import { apply } from './evolve.js';
import { forkOf, type Fork, type ForkRequest } from './fork.js';
import { reachable, type Graph } from './graph.js';
import { staticStep } from './references.js';
import type { RunState } from './state.js';
import { approved, created, environment, failed, graphOfSteps, ok, Play, rejected, RUN } from './testing/fixtures.js';
import { playOn, playRandomly, randomChoices, randomGraph } from './testing/random-run.js';

vi.setConfig({ testTimeout: 60_000 });

const NEW_RUN = '01890000-0000-7000-8000-000000000002';
const BY = { now: 2_000_000, requestedBy: 'you', traceparent: null, input: null } as const;

function forkRequest(kind: ForkRequest['kind'], from: StepId | null = null, input: ForkRequest['input'] = null) {
  return { ...BY, kind, from, input };
}

function fork(graph: Graph, state: RunState, request: ForkRequest): Fork {
  const made = forkOf(graph, { created: created(), state, at: 7 }, request);
  if ('refused' in made) throw new Error(made.refused);
  return made;
}

const inheritedIn = (made: Fork): StepId[] => made.inherited?.steps.map(({ step }) => step) ?? [];

describe('a run that goes on from another one', () => {
  const graph = graphOfSteps(
    { id: 'a' },
    { id: 'b', needs: 'a' },
    { id: 'c', needs: 'a' },
    { id: 'd', needs: ['b', 'c'] },
  );

  function half(): Play {
    const play = new Play(graph);
    play.settle(ok({ n: 1 }), 'a');
    play.settle(ok(), 'b');
    play.settle(failed(false), 'c');
    return play;
  }

  it('retries what failed and what follows, with the outcomes of the rest', () => {
    const made = fork(graph, half().state, forkRequest('retry'));
    expect(inheritedIn(made)).toEqual(['a', 'b']);
    expect(made.inherited?.steps[0]).toMatchObject({ as: 'succeeded', outcome: ok({ n: 1 }), iteration: 1 });
    expect(made.created).toMatchObject({
      requestedBy: 'you',
      task: 'the task',
      forkOf: { runId: RUN, at: 7, kind: 'retry', from: null },
    });
    const begun = start(graph, NEW_RUN, made.created, environment(), made.inherited ?? undefined);
    expect(begun.events.map((event) => event.type)).toEqual(['RunCreated', 'StepsInherited', 'StepScheduled']);
    expect(begun.state.steps['c']).toMatchObject({ phase: 'running', key: `${NEW_RUN}/c/1/1` });
  });

  it('reruns a step and what follows, and keeps a failure beside it', () => {
    expect(inheritedIn(fork(graph, half().state, forkRequest('rerun', 'b')))).toEqual(['a', 'c']);
    expect(fork(graph, half().state, forkRequest('rerun', 'a')).inherited).toBeNull();
  });

  it('forks with an input laid over that of the step, and over an earlier fork', () => {
    const play = half();
    const state = { ...play.state, overrides: { b: { x: 1, y: 1 } } };
    const made = fork(graph, state, forkRequest('fork', 'b', { y: 2 }));
    expect(made.created.overrides).toEqual({ b: { x: 1, y: 2 } });
    const begun = start(graph, NEW_RUN, made.created, environment(), made.inherited ?? undefined);
    expect(begun.state.steps['b']?.input).toEqual({ x: 1, y: 2 });
  });

  it('keeps the iterations of what it takes over, and begins loops anew', () => {
    const loop = graphOfSteps(
      { id: 'work' },
      {
        id: 'check',
        needs: 'work',
        action: 'judge/act',
        on_rejection: { action: 'retry', target: 'work', max_attempts: 1 },
      },
      { id: 'after', needs: 'check' },
    );
    const play = new Play(loop);
    for (const verdict of [rejected(), approved()]) {
      play.settle(ok(), 'work');
      play.settle(verdict, 'check');
    }
    play.settle(failed(false), 'after');
    const made = fork(loop, play.state, forkRequest('retry'));
    expect(made.inherited?.steps).toMatchObject([
      { step: 'work', iteration: 2 },
      { step: 'check', iteration: 2 },
    ]);
    expect(start(loop, NEW_RUN, made.created, environment(), made.inherited ?? undefined).state.rounds).toEqual({});
  });

  it('takes items along with their fan-out, and steps of a sub-workflow that did well', () => {
    const wide = graphOfSteps(
      { id: 'list' },
      { id: 'each', needs: 'list', for_each: '${{ steps.list.output.items }}' },
      { id: 'last', needs: 'each' },
    );
    const play = new Play(wide);
    play.settle(ok({ items: ['x', 'y'] }), 'list');
    play.settle(ok(), 'each.0', 'each.1');
    play.settle(failed(false), 'last');
    expect(inheritedIn(fork(wide, play.state, forkRequest('retry')))).toEqual(['list', 'each', 'each.0', 'each.1']);
    expect(inheritedIn(fork(wide, play.state, forkRequest('rerun', 'each')))).toEqual(['list']);
    expect(forkOf(wide, { created: created(), state: play.state, at: 1 }, forkRequest('rerun', 'each.1'))).toEqual({
      refused: 'step each.1 came about from each: name each',
    });
  });

  it('does again what was taken back', () => {
    const undoable = graphOfSteps(
      { id: 'push', action: 'actor/act', undo: { action: 'actor/undo' } },
      { id: 'next', needs: 'push', on_failure: 'fail' },
    );
    const play = new Play(undoable);
    play.settle(ok(), 'push');
    play.settle(failed(false), 'next');
    play.settle(ok(), 'push.undo');
    expect(play.state.ended?.verdict).toBe('failed');
    expect(fork(undoable, play.state, forkRequest('retry')).inherited).toBeNull();
  });

  it('leaves a loser of a join lying, unless the join is done again', () => {
    const race = graphOfSteps(
      { id: 'fast' },
      { id: 'slow' },
      { id: 'first', needs: ['fast', 'slow'], join: 'any', losers: 'cancel' },
      { id: 'last', needs: 'first' },
    );
    const play = new Play(race);
    play.settle(ok(), 'fast');
    play.settle(ok(), 'first');
    play.settle(failed(false), 'last');
    expect(play.state.steps['slow']?.phase).toBe('cancelled');
    expect(inheritedIn(fork(race, play.state, forkRequest('retry')))).toEqual(['fast', 'slow', 'first']);
    expect(inheritedIn(fork(race, play.state, forkRequest('rerun', 'first')))).toEqual(['fast']);
  });

  it.each<[string, RunState, ForkRequest, RegExp]>([
    ['an unknown step', half().state, forkRequest('rerun', 'nope'), /no step nope: name one of a, b, c, d/],
    ['a rerun of a run under way', new Play(graph).state, forkRequest('rerun', 'a'), /has not ended: cancel it/],
  ])('refuses %s', (_about, state, request, text) => {
    const made = forkOf(graph, { created: created(), state, at: 1 }, request);
    expect('refused' in made && made.refused).toMatch(text);
  });

  it('refuses a retry of what passed, and an input for an approval', () => {
    const asking = graphOfSteps({ id: 'a' }, { id: 'ok', needs: 'a', approval: {} });
    const play = new Play(asking);
    play.settle(ok(), 'a');
    const source = { created: created(), state: play.state, at: 1 };
    expect(forkOf(asking, source, forkRequest('fork', 'ok', { x: 1 }))).toMatchObject({
      refused: expect.stringContaining('no input of its own (it is an approval)') as string,
    });
    const one = graphOfSteps({ id: 'a' });
    const over = new Play(one);
    over.settle(ok(), 'a');
    expect(forkOf(one, { ...source, state: over.state }, forkRequest('retry'))).toMatchObject({
      refused: expect.stringContaining('passed') as string,
    });
  });
});

describe('every fork of every run', () => {
  it('does nothing again that it took over, does all the rest, asks anew, and ends', () => {
    let forks = 0;
    const kinds = fc.constantFrom('retry' as const, 'rerun' as const, 'fork' as const);
    fc.assert(
      fc.property(randomGraph, randomChoices, randomChoices, kinds, fc.nat(), (graph, choices, second, kind, dice) => {
        const { events } = playRandomly(graph, choices);
        const at = kind === 'fork' ? 1 + (dice % events.length) : events.length;
        let source: RunState | null = null;
        for (const event of events.slice(0, at)) source = apply(graph, RUN, source, event);
        const state = source as unknown as RunState;
        const from = kind === 'retry' ? null : (graph.order[dice % graph.order.length] ?? null);
        const made = forkOf(graph, { created: created(), state, at }, forkRequest(kind, from));
        if ('refused' in made) return;
        forks++;
        if (made.inherited) RunEvent.parse(made.inherited);
        const first = start(graph, NEW_RUN, made.created, environment(), made.inherited ?? undefined);
        const asked = advance(graph, first.state, [], environment());
        const run = playOn(graph, asked.state, [...first.events, ...asked.events], second);
        expect(run.over).toBe(true);
        const kept = new Set(inheritedIn(made));
        for (const id of kept) {
          expect(graph.steps.get(staticStep(graph, id))?.kind).not.toBe('approval');
          if (from !== null) expect(reachable(graph.successors, from).has(staticStep(graph, id))).toBe(false);
        }
        // Until a loop sends the work back, what was taken over is left alone.
        const reset = new Set<StepId>();
        for (const event of run.events) {
          if (event.type === 'ReworkStarted') for (const { step } of event.reset) reset.add(step);
          if (!('step' in event) || !kept.has(event.step) || event.type === 'NotificationRecorded') continue;
          if (event.type === 'UndoStarted') expect(reset.has(staticStep(graph, event.step))).toBe(true);
          else expect(reset, `${event.type} ${event.step}`).toContain(staticStep(graph, event.step));
        }
        for (const id of graph.order) {
          if (kept.has(id)) continue;
          const settled = run.events.some(
            (event) =>
              (event.type === 'StepSettled' || event.type === 'StepSkipped' || event.type === 'StepCancelled') &&
              event.step === id,
          );
          expect(settled, `${id} was settled by the run itself`).toBe(true);
        }
      }),
      { numRuns: 400, seed: 20_262 },
    );
    expect(forks).toBeGreaterThan(200);
  });
});
