import { Controller, Get, Module, type INestApplication } from '@nestjs/common';
import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { executionKey } from '@devmesh/contracts/ids';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runSpan, stepSpan, withinEngineSpan } from './engine-context.js';
import { flushTraces, inExecutionSpan, recordQueueSpan, recordRunSpan, recordStepSpan } from './engine-span.js';
import { EnginePropagator } from './propagator.js';
import { startTracing } from './start.js';

/** Half of the trace ids are kept: this one is, the other is not. */
const KEPT = '01900000-0000-7000-8000-000000000001';
const DROPPED = '01900000-0000-7000-bfff-ffffffffffff';

const exporter = new InMemorySpanExporter();
let app: INestApplication;
let url: string;

@Controller()
class AgentController {
  @Get('execute')
  execute(): Promise<string> {
    const key = executionKey(current, 'review', 1, 1);
    return inExecutionSpan(
      { key, action: 'code-review/review' },
      async () => (await fetch(`${url}/state`)).text(),
      () => undefined,
    );
  }

  @Get('state')
  state(): string {
    return 'stored';
  }

  @Get('health/live')
  live(): string {
    return 'ok';
  }
}

@Module({ controllers: [AgentController] })
class AgentModule {}

let current = KEPT;

beforeAll(async () => {
  await startTracing({ service: 'test', ratio: 0.5, exporter });
  const { NestFactory } = await import('@nestjs/core');
  app = await NestFactory.create(AgentModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
afterAll(async () => {
  await app.close();
});
beforeEach(() => exporter.reset());

/** A run of one step, as the orchestrator drives it. */
async function run(runId: string): Promise<ReadableSpan[]> {
  current = runId;
  const key = executionKey(runId, 'review', 1, 1);
  await withinEngineSpan(
    () => stepSpan(key),
    async () => (await fetch(`${url}/execute`)).text(),
  );
  recordStepSpan({ runId, key, step: 'review', action: 'code-review/review', startedAt: 1, endedAt: 2 });
  recordRunSpan({
    runId,
    workflow: 'deliver',
    startedAt: 1,
    endedAt: 3,
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
  });
  await flushTraces();
  return exporter.getFinishedSpans();
}

function orphans(spans: readonly ReadableSpan[]): string[] {
  const known = new Set(spans.map((span) => span.spanContext().spanId));
  return spans
    .filter((span) => span.parentSpanContext !== undefined && !known.has(span.parentSpanContext.spanId))
    .map((span) => span.name);
}

describe('tracing', () => {
  it('keeps the engine spans of every run, each below the other', async () => {
    const spans = await run(DROPPED);
    expect(spans.map((span) => span.name).sort()).toEqual(['execute code-review/review', 'run deliver', 'step review']);
    expect(orphans(spans)).toEqual([]);
    const byName = new Map(spans.map((span) => [span.name.split(' ')[0], span]));
    expect(byName.get('execute')?.parentSpanContext?.spanId).toBe(byName.get('step')?.spanContext().spanId);
    expect(byName.get('step')?.parentSpanContext?.spanId).toBe(byName.get('run')?.spanContext().spanId);
    expect(byName.get('run')?.parentSpanContext).toBeUndefined();
    expect(byName.get('run')?.links[0]?.context.traceId).toBe('a'.repeat(32));
  });

  it('keeps the calls of a share of the runs, all in the one trace of the run', async () => {
    const spans = await run(KEPT);
    // Two calls, each with the side that makes it; what serves them is seen where node:http was loaded after the start.
    expect(spans.length).toBeGreaterThanOrEqual(5);
    expect(orphans(spans)).toEqual([]);
    expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([runSpan(KEPT).traceId]));
  });

  it('links a run that goes on from another to the trace of that, and shows what it waited on the queue', async () => {
    recordQueueSpan({ runId: KEPT, startedAt: 1, endedAt: 5 });
    recordQueueSpan({ runId: KEPT, startedAt: 6, endedAt: 7 });
    recordRunSpan({ runId: KEPT, workflow: 'deliver', startedAt: 1, endedAt: 9, forkOf: DROPPED });
    await flushTraces();
    const spans = exporter.getFinishedSpans();
    expect(orphans(spans)).toEqual([]);
    expect(spans.map(({ name }) => name)).toEqual(['queue', 'queue', 'run deliver']);
    expect(new Set(spans.map((span) => span.spanContext().spanId)).size).toBe(3);
    expect(spans[2]?.links.map((link) => link.context.traceId)).toEqual([runSpan(DROPPED).traceId]);
  });

  it('makes no span of its own for what no traced work asked for', async () => {
    await (await fetch(`${url}/health/live`)).text();
    await flushTraces();
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});

describe('EnginePropagator', () => {
  const carrier: Record<string, string> = {};
  const setter = { set: (into: Record<string, string>, name: string, value: string) => void (into[name] = value) };
  const getter = {
    get: (from: Record<string, string>, name: string) => from[name],
    keys: (from: object) => Object.keys(from),
  };

  it('carries the engine span beside the span, and gives both back', () => {
    const key = executionKey(KEPT, 'review', 1, 1);
    withinEngineSpan(
      () => stepSpan(key),
      () => new EnginePropagator(true).inject(context.active(), carrier, setter),
    );
    const { traceId, spanId } = stepSpan(key);
    expect(carrier).toEqual({
      traceparent: `00-${traceId}-${spanId}-01`,
      'x-devmesh-engine-traceparent': `00-${traceId}-${spanId}-01`,
    });
    const extracted = new EnginePropagator(true).extract(ROOT_CONTEXT, carrier, getter);
    expect(trace.getSpanContext(extracted)).toMatchObject({ traceId, spanId });
  });

  it('takes nothing from callers at the public door, and nothing that is malformed', () => {
    expect(new EnginePropagator(false).extract(ROOT_CONTEXT, carrier, getter)).toBe(ROOT_CONTEXT);
    expect(new EnginePropagator(true).extract(ROOT_CONTEXT, { traceparent: '00-zz-1-01' }, getter)).toBe(ROOT_CONTEXT);
    expect(
      new EnginePropagator(true).extract(
        ROOT_CONTEXT,
        { traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` },
        getter,
      ),
    ).toBe(ROOT_CONTEXT);
  });
});
