import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from './free-ports.js';

/** A service as Consul lists it, with the checks of its node and its own. */
export interface ConsulEntry {
  readonly Service: {
    readonly ID: string;
    readonly Address: string;
    readonly Port: number;
    readonly Tags: readonly string[] | null;
    readonly Meta: Readonly<Record<string, string>> | null;
  };
  readonly Checks: readonly {
    readonly CheckID: string;
    readonly Name: string;
    readonly Status: string;
    readonly Output: string;
  }[];
}

/** A real Consul agent in development mode: one server, nothing on disk. Needs `consul` on the PATH. */
export class ConsulAgent {
  #process: ChildProcess | undefined;

  private constructor(
    readonly httpPort: number,
    private readonly ports: readonly number[],
    private readonly folder: string,
  ) {}

  static async start(): Promise<ConsulAgent> {
    const ports = await freePorts(5);
    const agent = new ConsulAgent(ports[0] ?? 0, ports, mkdtempSync(join(tmpdir(), 'devmesh-consul-')));
    await agent.restart();
    return agent;
  }

  get address(): string {
    return `127.0.0.1:${this.httpPort}`;
  }

  /** Starts it at the same address, knowing nothing; returns when it has a leader. */
  async restart(): Promise<void> {
    const [http, server, serf, wan, grpc] = this.ports;
    const flags = [
      '-dev',
      '-log-level=error',
      '-client=127.0.0.1',
      '-bind=127.0.0.1',
      '-dns-port=-1',
      '-grpc-tls-port=-1',
    ];
    const ports = [
      `-http-port=${http}`,
      `-server-port=${server}`,
      `-serf-lan-port=${serf}`,
      `-serf-wan-port=${wan}`,
      `-grpc-port=${grpc}`,
    ];
    const child = spawn('consul', ['agent', ...flags, ...ports], {
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    let gone: Error | undefined;
    child.once('error', (error) => (gone = error));
    child.once('exit', (code, signal) => (gone ??= new Error(`consul ended with ${code ?? signal}`)));
    this.#process = child;
    for (;;) {
      if (gone !== undefined) throw gone;
      const leader = await fetch(`http://${this.address}/v1/status/leader`).then(
        (answer) => answer.text(),
        () => '',
      );
      if (leader.includes(':')) return;
      await delay(50);
    }
  }

  /** As if its machine lost power. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async entries(service: string): Promise<ConsulEntry[]> {
    const answer = await fetch(`http://${this.address}/v1/health/service/${service}`);
    return (await answer.json()) as ConsulEntry[];
  }

  /** What the check of an instance said last, as its agent knows it: the catalogue hears of output alone within minutes. */
  async output(instance: string): Promise<string> {
    const answer = await fetch(`http://${this.address}/v1/agent/checks`);
    const checks = Object.values((await answer.json()) as Record<string, { ServiceID: string; Output: string }>);
    return checks.find(({ ServiceID }) => ServiceID === instance)?.Output ?? '';
  }

  /** Names of services that have an instance, Consul's own left out. */
  async services(): Promise<string[]> {
    const answer = await fetch(`http://${this.address}/v1/catalog/services`);
    return Object.keys((await answer.json()) as Record<string, unknown>)
      .filter((name) => name !== 'consul')
      .sort();
  }
}
