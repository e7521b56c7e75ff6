import {
  isSpanContextValid,
  trace,
  type Context,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api';
import { engineSpanOf, withEngineSpan } from './engine-context.js';
import { formatTraceparent, parseTraceparent } from './trace-header.js';

export const TRACEPARENT = 'traceparent';
/** The engine span that the work belongs to, in the form of a `traceparent`. */
export const ENGINE_TRACEPARENT = 'x-devmesh-engine-traceparent';

/** Carries `traceparent` and, beside it, the engine span. */
export class EnginePropagator implements TextMapPropagator {
  readonly #trustsCallers: boolean;

  /** `trustsCallers` is false at the public door: there every request begins a trace of its own. */
  constructor(trustsCallers: boolean) {
    this.#trustsCallers = trustsCallers;
  }

  inject(from: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(from);
    if (span !== undefined && isSpanContextValid(span)) setter.set(carrier, TRACEPARENT, formatTraceparent(span));
    const engine = engineSpanOf(from);
    if (engine !== undefined) setter.set(carrier, ENGINE_TRACEPARENT, formatTraceparent(engine));
  }

  extract(into: Context, carrier: unknown, getter: TextMapGetter): Context {
    if (!this.#trustsCallers) return into;
    const span = parseTraceparent(first(getter.get(carrier, TRACEPARENT)));
    const engine = parseTraceparent(first(getter.get(carrier, ENGINE_TRACEPARENT)));
    const traced = span === undefined ? into : trace.setSpanContext(into, span);
    return engine === undefined ? traced : withEngineSpan(traced, engine);
  }

  fields(): string[] {
    return [TRACEPARENT, ENGINE_TRACEPARENT];
  }
}

function first(value: undefined | string | string[]): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
