import type { SpanContext } from '@opentelemetry/api';

/** What the set-up that ran before the application leaves for it. Absent: tracing is off and costs nothing. */
export interface Tracing {
  /** Sends spans that wait to be exported. */
  flush(): Promise<void>;
  /** Makes the span that is started inside of `start` have these ids. */
  withIds<T>(ids: Pick<SpanContext, 'traceId' | 'spanId'>, start: () => T): T;
}

let active: Tracing | undefined;

export function tracing(): Tracing | undefined {
  return active;
}

export function setTracing(tracing: Tracing | undefined): void {
  active = tracing;
}
