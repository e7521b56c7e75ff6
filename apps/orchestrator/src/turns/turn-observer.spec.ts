import type { RunEvent } from '@devmesh/contracts/event';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { recordRunSpan, recordStepSpan } from '@devmesh/service-kit/tracing/engine-span';
import { graphOfSteps, ok, Play, rejected, RUN } from '@devmesh/workflow/testing/fixtures';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { TurnObserver } from './turn-observer.js';

vi.mock('@devmesh/service-kit/tracing/engine-span', () => ({ recordRunSpan: vi.fn(), recordStepSpan: vi.fn() }));

const silent = { info: () => {}, warn: () => {} } as unknown as Logger;

/** `work`, beside it `slow` below it, and a judge who sends back to `work`. */
const graph = graphOfSteps(
  { id: 'work' },
  { id: 'slow', needs: ['work'] },
  {
    id: 'judge',
    action: 'judge/act',
    needs: ['work'],
    on_rejection: { action: 'retry', target: 'work', max_attempts: 2 },
  },
);

let metrics: Metrics;
let play: Play;

beforeEach(() => {
  vi.clearAllMocks();
  metrics = new Metrics();
  play = new Play(graph);
});

/** One append: what the inputs made, as the turn tells it once it is committed. */
function commit(...inputs: Parameters<Play['take']>): readonly RunEvent[] {
  const before = play.state;
  const events = play.take(...inputs);
  new TurnObserver(silent, metrics).onCommitted(RUN, graph, before, play.state, events);
  return events;
}

const keyOf = (step: string): string => {
  const key = play.state.steps[step]?.key;
  if (typeof key !== 'string') throw new Error(`step ${step} is not running`);
  return key;
};
const spans = (): unknown[] => vi.mocked(recordStepSpan).mock.calls.map(([{ key, error }]) => [key, error]);

describe('TurnObserver', () => {
  it('gives every execution that ends a span, and the run one', () => {
    const work = keyOf('work');
    commit({ kind: 'result', key: work, outcome: ok() });
    expect(spans()).toEqual([[work, undefined]]);
    expect(recordRunSpan).not.toHaveBeenCalled();
  });

  it('gives what is cancelled in flight a span too, as its execution is below it', () => {
    commit({ kind: 'result', key: keyOf('work'), outcome: ok() });
    const inFlight = [keyOf('slow'), keyOf('judge')];
    vi.clearAllMocks();
    commit({ kind: 'cancel', by: 'me', reason: 'enough' });
    expect(spans()).toEqual(inFlight.map((key) => [key, 'cancelled']));
    expect(recordRunSpan).toHaveBeenCalledOnce();
  });

  it('gives what is superseded a span, and what sent it back one alone', () => {
    commit({ kind: 'result', key: keyOf('work'), outcome: ok() });
    const [slow, judge] = [keyOf('slow'), keyOf('judge')];
    vi.clearAllMocks();
    commit({ kind: 'result', key: judge, outcome: rejected() });
    expect(spans()).toEqual([
      [judge, undefined],
      [slow, 'superseded'],
    ]);
  });
});
