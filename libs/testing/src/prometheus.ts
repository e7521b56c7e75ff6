import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { freePort } from './free-ports.js';

const Answer = z.object({
  data: z.object({
    result: z.array(z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) })),
  }),
});

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A real program with an HTTP port, in a folder of its own. */
class Peer {
  protected constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGKILL');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Starts it, and returns when it says at `/-/ready` that it is. Rejects with what it wrote when it ends before. */
  protected static async launch(program: string, folder: string, args: readonly string[], port: number) {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
    let gone: Error | undefined;
    child.once('error', (error) => (gone = error));
    child.once('exit', (code, signal) => (gone ??= new Error(`${program} ended with ${code ?? signal}: ${said}`)));
    for (;;) {
      if (gone !== undefined) throw gone;
      const ready = await fetch(`http://127.0.0.1:${port}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (ready) return child;
      await delay(50);
    }
  }
}

/** A real Prometheus. Needs `prometheus` on the PATH. */
export class PrometheusServer extends Peer {
  /** `files` by name, `prometheus.yml` among them. */
  static async start(files: Readonly<Record<string, string>>): Promise<PrometheusServer> {
    const folder = mkdtempSync(join(tmpdir(), 'devmesh-prometheus-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const port = await freePort();
    const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=127.0.0.1:${port}`];
    return new PrometheusServer(port, folder, await Peer.launch('prometheus', folder, args, port));
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
export class Alertmanager extends Peer {
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
    return new Alertmanager(port, folder, await Peer.launch('alertmanager', folder, args, port));
  }
}
