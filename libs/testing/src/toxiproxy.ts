import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from './free-ports.js';

/** A toxic as Toxiproxy's API takes it: its type, its direction, and the attributes of that type. */
export interface Toxic {
  readonly type: 'latency' | 'bandwidth' | 'slow_close' | 'timeout' | 'reset_peer' | 'slicer' | 'limit_data';
  /** `downstream`: from the server to its client. */
  readonly stream?: 'upstream' | 'downstream';
  readonly attributes: Readonly<Record<string, number>>;
}

/** A real Toxiproxy: a TCP proxy whose connections can be made bad. Needs `toxiproxy-server` on the PATH. */
export class Toxiproxy {
  private constructor(
    private readonly process: ChildProcess,
    private readonly api: string,
  ) {}

  static async start(): Promise<Toxiproxy> {
    const [port] = await freePorts(1);
    const child = spawn('toxiproxy-server', ['-host', '127.0.0.1', '-port', String(port)], { stdio: 'ignore' });
    let gone: Error | undefined;
    child.once('error', (error) => (gone = error));
    child.once('exit', (code, signal) => (gone ??= new Error(`toxiproxy-server ended with ${code ?? signal}`)));
    const api = `http://127.0.0.1:${port}`;
    for (;;) {
      if (gone !== undefined) throw gone;
      const answers = await fetch(`${api}/version`).then(
        () => true,
        () => false,
      );
      if (answers) return new Toxiproxy(child, api);
      await delay(30);
    }
  }

  /** A way to `port` of this machine; returns its URL. */
  async proxy(name: string, port: number): Promise<string> {
    const [listen] = await freePorts(1);
    await this.#call('POST', '/proxies', { name, listen: `127.0.0.1:${listen}`, upstream: `127.0.0.1:${port}` });
    return `http://127.0.0.1:${listen}`;
  }

  async poison(name: string, { type, stream = 'downstream', attributes }: Toxic): Promise<void> {
    await this.#call('POST', `/proxies/${name}/toxics`, { type, stream, attributes, name: type });
  }

  /** Every connection that is open is cut, and none is taken, until `enable`. */
  async disable(name: string): Promise<void> {
    await this.#call('POST', `/proxies/${name}`, { enabled: false });
  }

  /** Takes all toxics away and lets every proxy take connections. */
  async cure(): Promise<void> {
    await this.#call('POST', '/reset');
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL');
      await gone;
    }
  }

  async #call(method: string, path: string, body?: unknown): Promise<void> {
    const answer = await fetch(`${this.api}${path}`, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`toxiproxy ${method} ${path}: ${answer.status} ${await answer.text()}`);
  }
}
