import { holdYoungGeneration } from '../start-up/young-generation.js';

/*
 * Loaded by `node --import` before the application. Without an OTLP endpoint it loads nothing else, so that tracing which is
 * off costs neither memory nor time.
 */
holdYoungGeneration();

const { env } = process;
const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'];

if (endpoint && env['OTEL_SDK_DISABLED'] !== 'true') {
  const { startTracing } = await import('./start.js');
  await startTracing({
    service: env['OTEL_SERVICE_NAME'] || serviceOf(process.argv[1]),
    ratio: ratioOf(env['OTEL_TRACES_SAMPLER_ARG'], env['NODE_ENV'] === 'production' ? 0.1 : 1),
  });
}

/** A service is started by `apps/<service>/dist/main.js`. */
function serviceOf(script: string | undefined): string {
  return /[/\\]apps[/\\]([^/\\]+)[/\\]/.exec(script ?? '')?.[1] ?? 'devmesh';
}

function ratioOf(text: string | undefined, otherwise: number): number {
  const ratio = text ? Number(text) : otherwise;
  if (ratio >= 0 && ratio <= 1) return ratio;
  throw new Error(`OTEL_TRACES_SAMPLER_ARG is "${text}": set it to a number from 0 to 1, or unset it`);
}
