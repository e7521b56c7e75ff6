import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';

const Value = z.object({ stringValue: z.string().optional(), boolValue: z.boolean().optional() });
const Attributes = z.array(z.object({ key: z.string(), value: Value })).default([]);
const Span = z.object({
  traceId: z.string().length(32),
  spanId: z.string().length(16),
  parentSpanId: z.string().default(''),
  name: z.string(),
  attributes: Attributes,
  links: z.array(z.object({ traceId: z.string() })).default([]),
});
/** What of OTLP over http, encoded as JSON, tests look at. */
const ExportRequest = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeSpans: z.array(z.object({ scope: z.object({ name: z.string() }), spans: z.array(Span) })),
    }),
  ),
});

export interface ReceivedSpan extends z.output<typeof Span> {
  readonly service: string;
  /** What made it: `@devmesh/engine` or the name of an instrumentation. */
  readonly scope: string;
}

/** A collector of traces that keeps what it is sent. */
export interface TraceReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** Requests that were no export of traces in JSON, and why: a test expects none. */
  readonly refused: readonly string[];
  close(): Promise<void>;
}

export async function receiveTraces(): Promise<TraceReceiver> {
  const spans: ReceivedSpan[] = [];
  const refused: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      try {
        if (request.method !== 'POST' || request.url !== '/v1/traces') throw new Error('not an export of traces');
        const body = Buffer.concat(chunks);
        const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
        spans.push(...flatten(ExportRequest.parse(JSON.parse(text.toString()))));
        response.setHeader('content-type', 'application/json').end('{}');
      } catch (error) {
        refused.push(`${request.method} ${request.url}: ${String(error)}`);
        response.writeHead(400).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver of traces has no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    spans,
    refused,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function flatten({ resourceSpans }: z.output<typeof ExportRequest>): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = resource.attributes.find(({ key }) => key === 'service.name')?.value.stringValue ?? '';
    return scopeSpans.flatMap(({ scope, spans }) => spans.map((span) => ({ ...span, service, scope: scope.name })));
  });
}
