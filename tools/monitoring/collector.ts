import type { Site } from './site.ts';

/** Memory of the collector at which it refuses, MiB; its container should have a quarter more. */
const MEMORY_MIB = 400;

/** Where traces may go, by the name in `site.yaml`: the exporter's name in the collector, and its settings. */
const EXPORTERS: Readonly<Record<Site['traces']['to'][number], (site: Site) => readonly [string, object]>> = {
  jaeger: ({ traces }) => ['otlp/jaeger', { endpoint: traces.jaeger, tls: { insecure: true } }],
  tempo: ({ traces }) => ['otlp/tempo', { endpoint: traces.tempo, tls: { insecure: true } }],
  // Lines of OTLP in JSON: for a machine without a store of traces, and for what must be kept elsewhere.
  file: ({ traces }) => ['file', { path: traces.file, rotation: { max_megabytes: 100, max_days: 7, max_backups: 5 } }],
};

/**
 * Configuration of the OpenTelemetry collector (contrib, for the file): takes OTLP, and hands it on in batches. Services sample by
 * themselves (ADR 2), so nothing is dropped here.
 */
export function collectorConfig(site: Site, host = '0.0.0.0', [grpc, http] = [4317, 4318]): object {
  const exporters = Object.fromEntries(site.traces.to.map((name) => EXPORTERS[name](site)));
  return {
    receivers: {
      otlp: { protocols: { grpc: { endpoint: `${host}:${grpc}` }, http: { endpoint: `${host}:${http}` } } },
    },
    processors: {
      memory_limiter: { check_interval: '1s', limit_mib: MEMORY_MIB },
      batch: { timeout: '1s' },
    },
    exporters,
    service: {
      pipelines: {
        traces: { receivers: ['otlp'], processors: ['memory_limiter', 'batch'], exporters: Object.keys(exporters) },
      },
    },
  };
}
