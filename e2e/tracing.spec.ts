import type { StoredEvent } from '@devmesh/contracts/event';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { receiveTraces, type ReceivedSpan, type TraceReceiver } from '@devmesh/testing/trace-receiver';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Devmesh, type RunResult } from './support/devmesh.js';

const ENGINE = '@devmesh/engine';
/** Share of the traces whose http and pg spans are kept; half, so that a few runs show both kinds. */
const RATIO = 0.5;
const ENOUGH_RUNS = 16;

interface Traced {
  readonly id: string;
  readonly events: readonly StoredEvent[];
}

let receiver: TraceReceiver;
let repository: string;
const runs: Traced[] = [];

/** The rule of the sampler: the last 13 hex digits of the trace id, as a share of all that they can be. */
const isKept = (traceId: string): boolean => Number.parseInt(traceId.slice(-13), 16) < RATIO * 2 ** 52;
const traceOf = ({ id }: Traced): string => id.replaceAll('-', '');
const spansOf = (run: Traced): ReceivedSpan[] => receiver.spans.filter(({ traceId }) => traceId === traceOf(run));
const one = (kept: boolean): Traced => {
  const found = runs.find((run) => isKept(traceOf(run)) === kept);
  if (found === undefined)
    throw new Error(`none of ${runs.length} runs has a trace id that is ${kept ? '' : 'not '}kept`);
  return found;
};

beforeAll(async () => {
  receiver = await receiveTraces();
  const devmesh = await Devmesh.make(inject('clone'), {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_TRACES_SAMPLER_ARG: String(RATIO),
  });
  repository = makeRepository([
    ['package.json', '{ "name": "small", "main": "src/token.ts" }\n'],
    ['src/token.ts', 'export const token = (): string => Math.random().toString(36).slice(2);\n'],
  ]);
  try {
    const isShown = (kept: boolean): boolean => runs.some((run) => isKept(traceOf(run)) === kept);
    while (runs.length < ENOUGH_RUNS && !(isShown(true) && isShown(false))) {
      const { run } = (await devmesh.json<RunResult>(['run', '--repo', repository])).data;
      const { events } = (await devmesh.json<{ events: StoredEvent[] }>(['events', run.id])).data;
      runs.push({ id: run.id, events });
    }
  } finally {
    // Ending sends what waits to be exported.
    await devmesh.remove();
  }
});

afterAll(async () => {
  await receiver.close();
  removeAll(repository);
});

describe('a mesh with a collector of traces', () => {
  it('exports spans that the collector understands, and none without its parent', () => {
    expect(receiver.refused).toEqual([]);
    const known = new Set(receiver.spans.map(({ traceId, spanId }) => `${traceId} ${spanId}`));
    expect(known.size).toBe(receiver.spans.length);
    const orphans = receiver.spans.filter(
      ({ traceId, parentSpanId }) => parentSpanId !== '' && !known.has(`${traceId} ${parentSpanId}`),
    );
    expect(orphans).toEqual([]);
  });

  it.each([true, false])('keeps run, submit, step and execution spans of a run whose calls are kept: %s', (kept) => {
    const run = one(kept);
    const engine = spansOf(run).filter(({ scope }) => scope === ENGINE);
    const named = (word: string): ReceivedSpan[] => engine.filter(({ name }) => name.startsWith(`${word} `));
    const [root] = engine.filter(({ parentSpanId }) => parentSpanId === '');
    expect(root).toMatchObject({ service: 'orchestrator', name: 'run deliver', links: [{}] });
    expect(engine.filter(({ name }) => name === 'submit')).toMatchObject([
      { service: 'gateway', parentSpanId: root?.spanId },
    ]);
    const completed = run.events.flatMap(({ event }) => (event.type === 'StepCompleted' ? [event.step] : []));
    const steps = named('step');
    expect(steps.map(({ name }) => name).toSorted()).toEqual(completed.map((step) => `step ${step}`).toSorted());
    expect(new Set(steps.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([root?.spanId]));
    // Each step was executed once: one execution below each.
    expect(
      named('execute')
        .map(({ parentSpanId }) => parentSpanId)
        .toSorted(),
    ).toEqual(steps.map(({ spanId }) => spanId).toSorted());
    // A turn that no job brought was on no queue.
    const queued = engine.filter(({ name }) => name === 'queue');
    expect(engine).toHaveLength(2 + 2 * steps.length + queued.length);
  });

  it('has one trace of a run, from the gateway to the database', () => {
    const spans = spansOf(one(true));
    const agents = ['rag-context', 'code-review', 'infrastructure', 'cicd', 'documentation', 'feature-dev'];
    expect([...new Set(spans.map(({ service }) => service))].toSorted()).toEqual(
      [...agents, 'gateway', 'orchestrator', 'state-persistence'].toSorted(),
    );
    expect(spans.some(({ scope }) => scope.endsWith('instrumentation-pg'))).toBe(true);
  });

  it('keeps http and pg spans of a share of the traces alone', () => {
    expect(spansOf(one(false)).filter(({ scope }) => scope !== ENGINE)).toEqual([]);
    const calls = receiver.spans.filter(({ scope }) => scope !== ENGINE);
    expect(calls.filter(({ traceId }) => !isKept(traceId))).toEqual([]);
  });

  it('does not trace what is asked whether or not anything happens', () => {
    const names = receiver.spans.map(({ name }) => name);
    expect(names.filter((name) => /\/(health|metrics|agent|due)\b/.test(name))).toEqual([]);
  });
});
