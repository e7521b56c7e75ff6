import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { freePort } from './free-ports.js';
import { PeerProcess } from './peer-process.js';

const Answer = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const readyAt = (port: number) => (): Promise<Response> => fetch(`http://127.0.0.1:${port}/-/ready`);

/** A real Prometheus. Needs `prometheus` on the PATH. */
export class PrometheusServer extends PeerProcess {
  /** `files` by name, `prometheus.yml` among them. */
  static async start(files: Readonly<Record<string, string>>): Promise<PrometheusServer> {
    const folder = mkdtempSync(join(tmpdir(), 'devmesh-prometheus-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const port = await freePort();
    const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`];
    return new PrometheusServer(port, folder, await PeerProcess.launch('prometheus', folder, args, readyAt(port)));
  }

  /** The instant vector that an expression gives now. Rejects with Prometheus' complaint. */
  async query(expr: string): Promise<Sample[]> {
    const answer = await fetch(`${this.url}/api/v1/query`, {
      method: 'POST',
      body: new URLSearchParams({ query: expr }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${expr}: ${text}`);
    return Answer.parse(JSON.parse(text)).data.result.map(({ metric, value }) => ({
      labels: metric,
      value: Number(value[1]),
    }));
  }
}

/** A real Alertmanager. Needs `alertmanager` on the PATH. */
export class Alertmanager extends PeerProcess {
  static async start(config: string): Promise<Alertmanager> {
    const folder = mkdtempSync(join(tmpdir(), 'devmesh-alertmanager-'));
    writeFileSync(join(folder, 'alertmanager.yml'), config);
    const port = await freePort();
    const args = [
      '--config.file=alertmanager.yml',
      '--storage.path=data',
      '--cluster.listen-address=',
      `--web.listen-address=127.0.0.1:${port}`,
    ];
    return new Alertmanager(port, folder, await PeerProcess.launch('alertmanager', folder, args, readyAt(port)));
  }
}
