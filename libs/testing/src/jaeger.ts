import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { freePorts } from './free-ports.js';
import { PeerProcess } from './peer-process.js';

const Tags = z.array(z.object({ key: z.string(), value: z.unknown() })).default([]);
/** What Jaeger answers at `/api/traces`, as far as tests look at it. */
const Traces = z.object({
  data: z.array(
    z.object({
      traceID: z.string(),
      spans: z.array(
        z.object({
          spanID: z.string(),
          operationName: z.string(),
          processID: z.string(),
          references: z.array(z.object({ refType: z.string(), traceID: z.string(), spanID: z.string() })).default([]),
          tags: Tags,
        }),
      ),
      processes: z.record(z.string(), z.object({ serviceName: z.string() })),
    }),
  ),
});

/** A span as Jaeger's query API tells it. */
export interface JaegerSpan {
  readonly id: string;
  readonly name: string;
  readonly service: string;
  /** Within its trace; undefined for the first span of one. */
  readonly parent: string | undefined;
  /** Ids of the other traces that it refers to. */
  readonly links: readonly string[];
  readonly tags: Readonly<Record<string, unknown>>;
}

/** A real Jaeger that keeps in memory what it is sent. Needs `jaeger` on the PATH. */
export class JaegerServer extends PeerProcess {
  private constructor(
    query: number,
    private readonly http: number,
    private readonly otlp: number,
    folder: string,
    child: ChildProcess,
  ) {
    super(query, folder, child);
  }

  /** Takes OTLP over HTTP: for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.http}`;
  }

  /** Takes OTLP over gRPC, as `host:port`. */
  get grpc(): string {
    return `127.0.0.1:${this.otlp}`;
  }

  static async start(): Promise<JaegerServer> {
    const [query = 0, queryGrpc = 0, http = 0, grpc = 0] = await freePorts(4);
    const folder = mkdtempSync(join(tmpdir(), 'devmesh-jaeger-'));
    // YAML, of which JSON is a part.
    writeFileSync(join(folder, 'jaeger.yaml'), JSON.stringify(configuration({ query, queryGrpc, http, grpc })));
    const ask = (): Promise<Response> => fetch(`http://127.0.0.1:${query}/api/services`);
    const child = await PeerProcess.launch('jaeger', folder, ['--config=jaeger.yaml'], ask);
    return new JaegerServer(query, http, grpc, folder, child);
  }

  /** The spans of a trace; none when Jaeger has no such trace. */
  async trace(id: string): Promise<JaegerSpan[]> {
    const answer = await fetch(`${this.url}/api/traces/${id}`);
    if (answer.status === 404) return [];
    const [found] = await this.#traces(answer);
    return found?.spans ?? [];
  }

  /** Ids of the traces in which a service has a span of this name. */
  async find(service: string, operation: string): Promise<string[]> {
    const query = new URLSearchParams({ service, operation, limit: '1000', lookback: '1h' });
    const traces = await this.#traces(await fetch(`${this.url}/api/traces?${query.toString()}`));
    return traces.map(({ id }) => id);
  }

  async #traces(answer: Response): Promise<{ id: string; spans: JaegerSpan[] }[]> {
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Jaeger answered ${answer.status} at ${answer.url}: ${text}`);
    return Traces.parse(JSON.parse(text)).data.map(({ traceID, spans, processes }) => ({
      id: traceID,
      spans: spans.map(({ spanID, operationName, processID, references, tags }) => ({
        id: spanID,
        name: operationName,
        service: processes[processID]?.serviceName ?? '',
        parent: references.find(({ refType, traceID: of }) => refType === 'CHILD_OF' && of === traceID)?.spanID,
        links: references.map(({ traceID: of }) => of).filter((of) => of !== traceID),
        tags: Object.fromEntries(tags.map(({ key, value }) => [key, value])),
      })),
    }));
  }
}

function configuration(ports: Readonly<Record<'query' | 'queryGrpc' | 'http' | 'grpc', number>>): object {
  const at = (port: number): object => ({ endpoint: `127.0.0.1:${port}` });
  return {
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: 100_000 } } } },
      jaeger_query: { storage: { traces: 'memory' }, http: at(ports.query), grpc: at(ports.queryGrpc) },
    },
    receivers: { otlp: { protocols: { http: at(ports.http), grpc: at(ports.grpc) } } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
    },
  };
}
