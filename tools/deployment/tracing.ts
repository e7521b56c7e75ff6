import { z } from 'zod';

/** What Jaeger answers to `GET /api/traces/ID`, as far as it is looked at. */
export const JaegerTrace = z.object({
  data: z.array(
    z.object({
      spans: z.array(
        z.object({
          spanID: z.string(),
          operationName: z.string(),
          processID: z.string(),
          references: z.array(z.object({ refType: z.string(), traceID: z.string(), spanID: z.string() })).default([]),
        }),
      ),
      processes: z.record(z.string(), z.object({ serviceName: z.string() })),
    }),
  ),
});
export type JaegerTrace = z.output<typeof JaegerTrace>;

/** The one trace of a run: its id without the hyphens. */
export const traceIdOf = (runId: string): string => runId.replaceAll('-', '');

/** What is wrong with the trace of a run whose `steps` were completed; nothing when all of it is there. */
export function faultsOf(trace: JaegerTrace, traceId: string, steps: readonly string[]): string[] {
  const [found] = trace.data;
  if (found === undefined)
    return [`there is no trace ${traceId}: is OTEL_EXPORTER_OTLP_ENDPOINT set, and the collector up?`];
  const spans = found.spans.map((span) => ({
    id: span.spanID,
    name: span.operationName,
    service: found.processes[span.processID]?.serviceName ?? 'unknown',
    // A link to the request that submitted the run is no parent.
    parent: span.references.find(({ refType, traceID }) => refType === 'CHILD_OF' && traceID === traceId)?.spanID,
  }));
  const ids = new Set(spans.map(({ id }) => id));
  const faults = spans
    .filter(({ parent }) => parent !== undefined && !ids.has(parent))
    .map(({ name, service }) => `span "${name}" of ${service} has a parent that is not there`);
  const roots = spans.filter(({ parent, name }) => parent === undefined && name.startsWith('run '));
  const [top] = roots;
  if (roots.length !== 1 || top?.service !== 'orchestrator')
    faults.push(`there are ${roots.length} spans of the run as a whole, where the orchestrator makes one`);
  if (!spans.some(({ name, service }) => name === 'submit' && service === 'gateway'))
    faults.push('the submit of the gateway is missing');
  for (const step of new Set(steps)) {
    const shown = spans.filter(({ name }) => name === `step ${step}`);
    if (shown.length === 0) faults.push(`step ${step} is missing`);
    for (const { id } of shown)
      if (!spans.some(({ name, parent }) => parent === id && name.startsWith('execute ')))
        faults.push(`step ${step} has no execution below it`);
  }
  return faults;
}
