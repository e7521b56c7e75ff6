import { env } from 'node:process';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import type { SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { Resource } from '@opentelemetry/resources';
import { setTracing } from './state.js';

export interface TracingOptions {
  readonly service: string;
  /** Share of the traces whose http and pg spans are kept, 0 to 1. */
  readonly ratio: number;
  /** Default: OTLP over http, to where the environment says. */
  readonly exporter?: SpanExporter;
}

/**
 * What machines ask every few seconds, whether or not anything happens: traces of that tell nothing, and a long poll would
 * export what it asked the database half a minute before itself.
 */
const UNTRACED = /^\/(health|metrics)\b|^\/v1\/(agent|runs\/due|triggers\/due)(\?|$)/;
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
    resource: await resource(options.service),
    sampler: new EngineSampler(options.ratio),
    idGenerator,
    spanProcessors: [new BatchSpanProcessor(exporter, { scheduledDelayMillis: EXPORT_DELAY_MS })],
  });
  provider.register({ propagator: new EnginePropagator(options.service !== 'gateway') });
  registerInstrumentations({
    tracerProvider: provider,
    instrumentations: await instrumentations(),
  });
  setTracing({ flush: () => provider.forceFlush(), withIds: (ids, start) => idGenerator.withIds(ids, start) });
}

async function otlpExporter(): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  return new OTLPTraceExporter();
}

async function resource(service: string): Promise<Resource> {
  const { detectResources, resourceFromAttributes } = await import('@opentelemetry/resources');
  const { getResourceDetectors } = await import('@opentelemetry/auto-instrumentations-node');
  // The detectors of clouds and containers ask around, which takes seconds where there is nobody to answer.
  env['OTEL_NODE_RESOURCE_DETECTORS'] ||= 'env';
  return detectResources({ detectors: getResourceDetectors() }).merge(
    resourceFromAttributes({ 'service.name': service }),
  );
}

/** Those that `OTEL_NODE_ENABLED_INSTRUMENTATIONS` names; the four that a service has use for, when it names none. */
async function instrumentations(): Promise<Instrumentation[]> {
  const { getNodeAutoInstrumentations } = await import('@opentelemetry/auto-instrumentations-node');
  const { ExpressLayerType } = await import('@opentelemetry/instrumentation-express');
  // The package takes this choice from the environment only.
  env['OTEL_NODE_ENABLED_INSTRUMENTATIONS'] ||= 'http,express,pg,undici';
  return getNodeAutoInstrumentations({
    '@opentelemetry/instrumentation-http': {
      ignoreIncomingRequestHook: (request) => UNTRACED.test(request.url ?? ''),
      requireParentforOutgoingSpans: true,
    },
    '@opentelemetry/instrumentation-express': {
      ignoreLayersType: [ExpressLayerType.MIDDLEWARE, ExpressLayerType.REQUEST_HANDLER],
    },
    '@opentelemetry/instrumentation-pg': { requireParentSpan: true },
    '@opentelemetry/instrumentation-undici': { requireParentforSpans: true },
  });
}
