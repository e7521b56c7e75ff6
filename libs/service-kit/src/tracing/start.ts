import type { Instrumentation } from '@opentelemetry/instrumentation';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Resource } from '@opentelemetry/resources';
import { setTracing } from './state.js';

export interface TracingOptions {
  readonly service: string;
  /** Share of the traces whose http and pg spans are kept, 0 to 1. */
  readonly ratio: number;
  /** Loads the instrumentations that `OTEL_NODE_ENABLED_INSTRUMENTATIONS` names, beside the four that every service has. */
  readonly more?: boolean;
  /** Default: OTLP over http, to where the environment says. */
  readonly exporter?: SpanExporter;
}

/** Health and metrics are asked every few seconds by machines; traces of that tell nothing. */
const UNTRACED = /^\/(health|metrics)\b/;
/** How long a span waits for others to be sent with, ms. */
const EXPORT_DELAY_MS = 2_000;

/** Must run before anything imports http, express, undici or pg. Imports come late, so that hooks see what they load. */
export async function startTracing(options: TracingOptions): Promise<void> {
  const hooks = await import('import-in-the-middle/register-hooks.mjs');
  // Only express needs the hook for ES modules; hooking all of them costs 60 MB and spans of http that come twice.
  hooks.register({ include: ['express'] });
  const [{ NodeTracerProvider }, { BatchSpanProcessor }, { registerInstrumentations }] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/instrumentation'),
  ]);
  const { EngineIdGenerator } = await import('./engine-id-generator.js');
  const { EnginePropagator } = await import('./propagator.js');
  const { EngineSampler } = await import('./sampler.js');
  const idGenerator = new EngineIdGenerator();
  const exporter = options.exporter ?? (await otlpExporter());
  const provider = new NodeTracerProvider({
    resource: await resource(options),
    sampler: new EngineSampler(options.ratio),
    idGenerator,
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: EXPORT_DELAY_MS })],
  });
  provider.register({ propagator: new EnginePropagator(options.service !== 'gateway') });
  registerInstrumentations({
    tracerProvider: provider,
    instrumentations: await instrumentations(options.more ?? false),
  });
  setTracing({ flush: () => provider.forceFlush(), withIds: (ids, start) => idGenerator.withIds(ids, start) });
}

async function otlpExporter(): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  return new OTLPTraceExporter();
}

async function resource({ service, more }: TracingOptions): Promise<Resource> {
  const { detectResources, envDetector, resourceFromAttributes } = await import('@opentelemetry/resources');
  const detectors = more === true ? (await autoInstrumentations()).getResourceDetectors() : [envDetector];
  return detectResources({ detectors }).merge(resourceFromAttributes({ 'service.name': service }));
}

async function instrumentations(more: boolean): Promise<Instrumentation[]> {
  const [
    { HttpInstrumentation },
    { ExpressInstrumentation, ExpressLayerType },
    { PgInstrumentation },
    { UndiciInstrumentation },
  ] = await Promise.all([
    import('@opentelemetry/instrumentation-http'),
    import('@opentelemetry/instrumentation-express'),
    import('@opentelemetry/instrumentation-pg'),
    import('@opentelemetry/instrumentation-undici'),
  ]);
  const own = [
    new HttpInstrumentation({
      ignoreIncomingRequestHook: (request) => UNTRACED.test(request.url ?? ''),
      requireParentforOutgoingSpans: true,
    }),
    new ExpressInstrumentation({ ignoreLayersType: [ExpressLayerType.MIDDLEWARE, ExpressLayerType.REQUEST_HANDLER] }),
    new PgInstrumentation({ requireParentSpan: true }),
    new UndiciInstrumentation({ requireParentforSpans: true }),
  ];
  if (!more) return own;
  const names = new Set(own.map((instrumentation) => instrumentation.instrumentationName));
  const named = (await autoInstrumentations()).getNodeAutoInstrumentations();
  return [...own, ...named.filter((instrumentation) => !names.has(instrumentation.instrumentationName as never))];
}

/** All instrumentations there are: 50 MB of modules, so only loaded when somebody asks for one of them. */
function autoInstrumentations(): Promise<typeof import('@opentelemetry/auto-instrumentations-node')> {
  return import('@opentelemetry/auto-instrumentations-node');
}
