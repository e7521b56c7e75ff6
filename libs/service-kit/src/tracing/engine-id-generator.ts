import type { SpanContext } from '@opentelemetry/api';
import { RandomIdGenerator, type IdGenerator } from '@opentelemetry/sdk-trace-base';

/** Random ids, but for spans whose ids are derived. Starting a span is synchronous, so one slot is enough. */
export class EngineIdGenerator implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #next: Pick<SpanContext, 'traceId' | 'spanId'> | undefined;

  withIds<T>(ids: Pick<SpanContext, 'traceId' | 'spanId'>, start: () => T): T {
    this.#next = ids;
    try {
      return start();
    } finally {
      this.#next = undefined;
    }
  }

  generateTraceId = (): string => this.#next?.traceId ?? this.#random.generateTraceId();

  generateSpanId = (): string => this.#next?.spanId ?? this.#random.generateSpanId();
}
