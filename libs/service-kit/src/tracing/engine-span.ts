import {
  context,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Attributes,
  type Link,
  type SpanContext,
} from '@opentelemetry/api';
import type { ExecutionKey, RunId } from '@devmesh/contracts/ids';
import {
  ENGINE_ATTRIBUTE,
  engineSpanOf,
  queueSpan,
  runSpan,
  stepSpan,
  submitSpan,
  withEngineSpan,
} from './engine-context.js';
import { tracing } from './state.js';
import { parseTraceparent } from './trace-header.js';

const TRACER = '@devmesh/engine';

interface EngineSpanTimes {
  /** Unix ms. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes?: Attributes;
  /** Why it failed; absent for success. */
  readonly error?: string;
}

interface Recorded extends EngineSpanTimes {
  readonly name: string;
  readonly ids: SpanContext;
  readonly parent?: SpanContext;
  readonly links?: Link[];
}

function record({ name, ids, parent, links, startedAt, endedAt, attributes, error }: Recorded): void {
  const state = tracing();
  if (state === undefined) return;
  const from = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
  const options = {
    startTime: startedAt,
    attributes: { ...attributes, [ENGINE_ATTRIBUTE]: true },
    ...(links === undefined ? {} : { links }),
  };
  const span = state.withIds(ids, () => trace.getTracer(TRACER).startSpan(name, options, from));
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
  span.end(endedAt);
}

/**
 * Exports the span of a run that has ended; called once, after the append that ended it. `traceparent` is that of the request
 * that submitted it, which becomes a link; so does the trace of the run that it goes on from, `forkOf`.
 */
export function recordRunSpan(
  run: EngineSpanTimes & { runId: RunId; workflow: string; traceparent?: string | null; forkOf?: RunId | null },
): void {
  if (tracing() === undefined) return;
  const request = parseTraceparent(run.traceparent ?? undefined);
  const links = [
    ...(request === undefined ? [] : [{ context: request }]),
    ...(run.forkOf ? [{ context: runSpan(run.forkOf), attributes: { 'devmesh.run': run.forkOf } }] : []),
  ];
  record({
    ...run,
    name: `run ${run.workflow}`,
    ids: runSpan(run.runId),
    attributes: { ...run.attributes, 'devmesh.run': run.runId, 'devmesh.workflow': run.workflow },
    ...(links.length === 0 ? {} : { links }),
  });
}

/**
 * Exports the submit as a span of the run that it made, so that the run's trace begins at the door; `work` hands the run over.
 * The request itself is a trace of its own, and a link. A submit that found a known run makes none.
 */
export async function inSubmitSpan<T extends { readonly runId: RunId; readonly fresh: boolean }>(
  work: () => Promise<T>,
): Promise<T> {
  if (tracing() === undefined) return work();
  const request = trace.getSpanContext(context.active());
  const startedAt = Date.now();
  const made = await work();
  if (made.fresh) {
    record({
      name: 'submit',
      ids: submitSpan(made.runId),
      parent: runSpan(made.runId),
      startedAt,
      endedAt: Date.now(),
      attributes: { 'devmesh.run': made.runId },
      ...(request === undefined ? {} : { links: [{ context: request }] }),
    });
  }
  return made;
}

/** Exports the time that a turn of a run waited on the queue, as a span of the run. */
export function recordQueueSpan(turn: EngineSpanTimes & { runId: RunId }): void {
  record({
    ...turn,
    name: 'queue',
    ids: queueSpan(turn.runId, turn.startedAt),
    parent: runSpan(turn.runId),
    attributes: { 'devmesh.run': turn.runId },
  });
}

/** Exports the span of one attempt of a step, once its end (completed, cancelled, superseded) is on record. */
export function recordStepSpan(
  step: EngineSpanTimes & { runId: RunId; key: ExecutionKey; step: string; action: string },
): void {
  if (tracing() === undefined) return;
  record({
    ...step,
    name: `step ${step.step}`,
    ids: stepSpan(step.key),
    parent: runSpan(step.runId),
    attributes: {
      ...step.attributes,
      'devmesh.run': step.runId,
      'devmesh.step': step.step,
      'devmesh.key': step.key,
      'devmesh.action': step.action,
    },
  });
}

/**
 * Runs an execution inside a span of its own, a child of the step's span that the caller sent along (or, without one, of the
 * one that the key tells). `failure` reads from the result why it failed, if it did.
 */
export async function inExecutionSpan<T>(
  execution: { key: ExecutionKey; action: string },
  work: () => Promise<T>,
  failure: (result: T) => string | undefined,
): Promise<T> {
  if (tracing() === undefined) return work();
  const active = context.active();
  const parent = engineSpanOf(active) ?? stepSpan(execution.key);
  const attributes = { [ENGINE_ATTRIBUTE]: true, 'devmesh.key': execution.key, 'devmesh.action': execution.action };
  const span = trace
    .getTracer(TRACER)
    .startSpan(`execute ${execution.action}`, { attributes }, trace.setSpanContext(active, parent));
  try {
    const inside = withEngineSpan(trace.setSpan(active, span), span.spanContext());
    const result = await context.with(inside, work);
    const why = failure(result);
    if (why !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: why });
    return result;
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** Sends spans that wait to be exported; at once when tracing is off. */
export async function flushTraces(): Promise<void> {
  await tracing()?.flush();
}
