import { createHash } from 'node:crypto';
import { context, createContextKey, trace, TraceFlags, type Context, type SpanContext } from '@opentelemetry/api';
import { parseExecutionKey, type ExecutionKey, type RunId } from '@devmesh/contracts/ids';
import { tracing } from './state.js';

/*
 * Spans of runs, steps and executions are always kept; spans of http and pg only in a share of the traces. So the parent of an
 * engine span must be an engine span: its context travels in a header beside `traceparent`.
 *
 * A run is one trace. The ids of its spans are derived from the run's id and the execution's key: an orchestrator that takes over
 * knows them, a run of days needs no span held open, and a resume lands in the same trace.
 */

/** Marks spans of runs, steps and executions. */
export const ENGINE_ATTRIBUTE = 'devmesh.engine';

const ENGINE_SPAN = createContextKey('devmesh engine span');

export function engineSpanOf(from: Context): SpanContext | undefined {
  return from.getValue(ENGINE_SPAN) as SpanContext | undefined;
}

export function withEngineSpan(from: Context, span: SpanContext): Context {
  return from.setValue(ENGINE_SPAN, span);
}

function spanIdFor(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 16);
}

/** The root span of a run. */
export function runSpan(runId: RunId): SpanContext {
  return {
    traceId: runId.replaceAll('-', ''),
    spanId: spanIdFor(runId),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  };
}

/** The span of one attempt of a step, a child of its run's. */
export function stepSpan(key: ExecutionKey): SpanContext {
  return { ...runSpan(parseExecutionKey(key).runId), spanId: spanIdFor(key) };
}

/** The span of the request that submitted a run, as far as it is part of the run: a child of the run's. */
export function submitSpan(runId: RunId): SpanContext {
  return { ...runSpan(runId), spanId: spanIdFor(`${runId}/submit`) };
}

/** The span of a turn's time on the queue, since that instant (Unix ms): a child of the run's. */
export function queueSpan(runId: RunId, since: number): SpanContext {
  return { ...runSpan(runId), spanId: spanIdFor(`${runId}/queue/${since}`) };
}

/** Does `work` as part of an engine span: calls made in it become its children, here and in the services called. */
export function withinEngineSpan<T>(span: () => SpanContext, work: () => T): T {
  if (tracing() === undefined) return work();
  const inside = span();
  return context.with(withEngineSpan(trace.setSpanContext(context.active(), inside), inside), work);
}
