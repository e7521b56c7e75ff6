import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { freePorts } from '@devmesh/testing/free-ports';
import { LokiServer } from '@devmesh/testing/loki';
import { OtelCollector } from '@devmesh/testing/otel-collector';
import { describeWith } from '@devmesh/testing/peers';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { collectorConfig } from '../../tools/monitoring/collector.ts';
import { readSite } from '../../tools/monitoring/site.ts';
import { Devmesh, type RunResult } from '../support/devmesh.js';
import { monitoring } from './prometheus-mesh.ts';
import { shippingTo } from './shipped-logs.ts';

const config = `${monitoring}logs/loki.yml`;

describeWith(['loki', 'otelcol'], 'a Loki that the collector ships the logs of a mesh to', () => {
  let folder: string;
  let loki: LokiServer;
  let collector: OtelCollector;
  let devmesh: Devmesh;
  let repository: string;
  let run: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'devmesh-collected-'));
    loki = await LokiServer.start((place) =>
      readFileSync(config, 'utf8')
        .replaceAll('/loki', place)
        // Its parts call each other, by the address of a network card unless told otherwise.
        .replace('\ncommon:\n', '\ncommon:\n  instance_addr: 127.0.0.1\n'),
    );
    devmesh = await Devmesh.make(inject('clone'));
    const [grpc = 0, http = 0] = await freePorts(2);
    const site = readSite(`${monitoring}site.yaml`);
    const traces = { ...site.traces, to: ['file' as const], file: join(folder, 'traces.jsonl') };
    collector = await OtelCollector.start(http, [
      stringify(collectorConfig({ ...site, traces }, '127.0.0.1', [grpc, http])),
      shippingTo(`${loki.url}/otlp`, { logs: join(devmesh.home, 'logs'), state: folder }),
    ]);
    repository = makeRepository([['index.js', 'console.log("hello");\n']]);
    run = (await devmesh.json<RunResult>(['run', '--repo', repository, '--workflow', 'review'])).data.run.id;
  });
  afterAll(async () => {
    await devmesh.remove();
    await collector.stop();
    await loki.stop();
    removeAll(repository);
    rmSync(folder, { recursive: true, force: true });
  });

  it('takes the committed configuration', () => {
    const said = execFileSync('loki', ['-verify-config', `-config.file=${config}`, '-log.level=error'], {
      stdio: 'pipe',
    });
    expect(said.toString()).toBe('');
  });

  it('finds the lines of a run in all services by the query that docs/monitoring.md has', async () => {
    const documented = /\| Loki .*`(\{[^`]+)`/.exec(readFileSync(`${monitoring}../docs/monitoring.md`, 'utf8'))?.[1];
    const query = documented?.replaceAll('\\|', '|').replace('<run id>', run);
    await vi.waitFor(
      async () => {
        const found = await loki.query(query ?? '');
        const services = new Set(found.map(({ labels }) => labels['service_name']));
        expect([...services]).toEqual(expect.arrayContaining(['orchestrator', 'code-review']));
        for (const { line } of found) expect(line).toContain(run);
      },
      { timeout: 30_000, interval: 500 },
    );
  });
});
