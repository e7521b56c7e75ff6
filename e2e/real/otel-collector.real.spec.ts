import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { freePorts } from '@devmesh/testing/free-ports';
import { JaegerServer } from '@devmesh/testing/jaeger';
import { OtelCollector } from '@devmesh/testing/otel-collector';
import { describeWith } from '@devmesh/testing/peers';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { collectorConfig } from '../../tools/monitoring/collector.ts';
import { readSite } from '../../tools/monitoring/site.ts';
import { Devmesh, type RunResult } from '../support/devmesh.js';
import { monitoring } from './prometheus-mesh.ts';
import { shippingTo } from './shipped-logs.ts';

/** Until a batch of the collector is sent, or a line of a log is read. */
const SOON = { timeout: 30_000, interval: 200 };

const Value = z.object({ stringValue: z.string().optional() });
const Attributes = z.array(z.object({ key: z.string(), value: Value })).default([]);
/** What of OTLP in JSON is looked at: spans in the file, log records as they come to the store. */
const Spans = z.object({
  resourceSpans: z.array(
    z.object({
      scopeSpans: z.array(z.object({ spans: z.array(z.object({ traceId: z.string(), spanId: z.string() })) })),
    }),
  ),
});
const Logs = z.object({
  resourceLogs: z.array(
    z.object({
      resource: z.object({ attributes: Attributes }),
      scopeLogs: z.array(
        z.object({ logRecords: z.array(z.object({ traceId: z.string().default(''), attributes: Attributes })) }),
      ),
    }),
  ),
});
interface ShippedLine {
  readonly service: string | undefined;
  readonly traceId: string;
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

const committed = (file: string): string => readFileSync(`${monitoring}${file}`, 'utf8');
const byName = (attributes: z.output<typeof Attributes>): Record<string, string | undefined> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));

describeWith(['otelcol', 'jaeger'], 'a collector between a mesh and what keeps its traces and logs', () => {
  let folder: string;
  let jaeger: JaegerServer;
  let store: Server;
  let collector: OtelCollector;
  let devmesh: Devmesh;
  let repository: string;
  let run: string;
  let file: string;
  const lines: ShippedLine[] = [];
  const refused: string[] = [];

  /** Stands in for Loki: takes what is shipped to it. */
  function takeLogs(body: string): void {
    for (const { resource, scopeLogs } of Logs.parse(JSON.parse(body)).resourceLogs)
      for (const { traceId, attributes } of scopeLogs.flatMap(({ logRecords }) => logRecords))
        lines.push({ service: byName(resource.attributes)['service.name'], traceId, attributes: byName(attributes) });
  }
  /** Protocol buffers, as shipped, are nothing that a test reads. */
  const readable = (url: string): string => `${url}\n    encoding: json\n    compression: none`;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'devmesh-collected-'));
    file = join(folder, 'traces.jsonl');
    store = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        try {
          if (request.url !== '/otlp/v1/logs') throw new Error('no place for logs');
          takeLogs(body);
          response.setHeader('content-type', 'application/json').end('{}');
        } catch (error) {
          refused.push(`${request.url}: ${String(error)}`);
          response.writeHead(400).end();
        }
      });
    });
    await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve));
    jaeger = await JaegerServer.start();
    const [grpc = 0, http = 0] = await freePorts(2);
    devmesh = await Devmesh.make(inject('clone'), {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${http}`,
      OTEL_TRACES_SAMPLER_ARG: '1',
    });
    const site = readSite(`${monitoring}site.yaml`);
    const traces = { ...site.traces, jaeger: jaeger.grpc, file };
    expect(traces.to.toSorted()).toEqual(['file', 'jaeger']);
    const traced = stringify(collectorConfig({ ...site, traces }, '127.0.0.1', [grpc, http]));
    const place = `http://127.0.0.1:${(store.address() as AddressInfo).port}/otlp`;
    const shipping = shippingTo(readable(place), { logs: join(devmesh.home, 'logs'), state: folder });
    collector = await OtelCollector.start(http, [traced, shipping]);
    repository = makeRepository([['index.js', 'console.log("hello");\n']]);
    run = (await devmesh.json<RunResult>(['run', '--repo', repository, '--workflow', 'review'])).data.run.id;
    // Ending sends what waits to be exported.
    await devmesh.down();
  });
  afterAll(async () => {
    await devmesh.remove();
    await collector.stop();
    await jaeger.stop();
    store.closeAllConnections();
    await new Promise((resolve) => store.close(resolve));
    removeAll(repository);
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    [['otel-collector/otel-collector.yml']],
    [['otel-collector/otel-collector.yml', 'logs/otel-collector-loki.yml']],
  ])('takes the committed configuration: %j', (files) => {
    // It wants the folders to be there.
    const given = files.map((name, at) => {
      writeFileSync(join(folder, `${at}.yml`), committed(name).replaceAll('/var/lib/otelcol', folder));
      return `--config=${join(folder, `${at}.yml`)}`;
    });
    expect(execFileSync('otelcol', ['validate', ...given], { encoding: 'utf8', stdio: 'pipe' })).toBe('');
  });

  it('writes every span of a run into the file, and hands each on to Jaeger', async () => {
    const trace = run.replaceAll('-', '');
    await vi.waitFor(async () => {
      const written = readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .flatMap((line) => Spans.parse(JSON.parse(line)).resourceSpans)
        .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
        .filter(({ traceId }) => traceId === trace)
        .map(({ spanId }) => spanId);
      const kept = await jaeger.trace(trace);
      expect(kept.map(({ name }) => name)).toContain('run review');
      expect(new Set(kept.map(({ service }) => service)).size).toBeGreaterThan(3);
      expect(written.toSorted()).toEqual(kept.map(({ id }) => id).toSorted());
    }, SOON);
  });

  it('ships the lines of the logs, with service, run and trace to find them by', async () => {
    const trace = run.replaceAll('-', '');
    await vi.waitFor(() => {
      const found = lines.filter(({ attributes }) => attributes['runId'] === run);
      expect(new Set(found.map(({ service }) => service)).size).toBeGreaterThan(1);
      expect(found.some(({ traceId }) => traceId === trace)).toBe(true);
    }, SOON);
    expect(refused).toEqual([]);
  });
});
