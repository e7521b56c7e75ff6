import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BOX_WORKFLOWS } from '@devmesh/testing/mesh-box-workflows';
import { createDatabase, startPostgres, type PostgresServer } from '@devmesh/testing/postgres';
import { BenchMesh } from '../mesh.ts';
import { family } from '../processes.ts';
import { answering, drive, FOUR, placeAgent, postgresPid, traceTo } from '../six-steps.ts';

/** What became of runs that a kill met. */
export interface Crash {
  /** From the kill until all of them had ended. */
  readonly seconds: number;
  /** Bodies of steps that ran again. */
  readonly repeated: number;
  /** Steps whose body ran. */
  readonly executions: number;
}

export type Shape = 'six' | 'sequence';

/** An engine under measurement: the six-step graph with a no-op agent over HTTP. */
export interface Contestant {
  readonly name: string;
  start(): Promise<void>;
  /** Runs so many with so many at once; gives the time of each from submit to end, ms. */
  drive(runs: number, atOnce: number, shape?: Shape, stepMs?: number): Promise<number[]>;
  /** Processes: those of the engine itself (its database among them), and all of them. */
  pids(): Promise<{ engine: number[]; tree: number[] }>;
  /** Submits so many runs at once, and kills the engine with -9 (not its database) when a third of their steps have run. */
  killed(runs: number): Promise<Crash>;
  stop(): Promise<void>;
}

const PEERS = fileURLToPath(new URL('peers/', import.meta.url));

/** Gets the peers' packages, once. */
export function installPeers(): void {
  if (existsSync(join(PEERS, 'node_modules/@restatedev/restate-server'))) return;
  console.error('getting the packages of the peers…');
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: PEERS,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

const STEPS = 6;
/** What the four steps take in the runs that a kill meets, ms: long enough that all are under way when it comes. */
const CRASH_STEP_MS = 500;

/** A run's id at a peer: a UUIDv7, as the agent wants it. */
function nextId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  const rest = randomBytes(9).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(6)}`;
}

/** The no-op agent of all contestants, a process. */
class NoopAgent {
  readonly url: string;
  readonly #process: ChildProcess;

  constructor(port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#process = spawn(process.execPath, [fileURLToPath(new URL('agent.ts', import.meta.url))], {
      env: { PATH: process.env['PATH'], PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  get pids(): number[] {
    return this.#process.pid === undefined ? [] : [this.#process.pid];
  }

  /** How often a body ran, and of how many steps. */
  async bodies(): Promise<{ runs: number; steps: number }> {
    return (await (await fetch(`${this.url}/bodies`)).json()) as { runs: number; steps: number };
  }

  /** Resolves when bodies have run so often. */
  async reached(runs: number): Promise<void> {
    while ((await this.bodies()).runs < runs) await sleep(1);
  }

  async since(before: { runs: number; steps: number }): Promise<{ repeated: number; executions: number }> {
    const { runs, steps } = await this.bodies();
    return { repeated: runs - before.runs - (steps - before.steps), executions: steps - before.steps };
  }

  stop(): Promise<void> {
    return kill(this.#process);
  }
}

/** So many ports that are free now, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Kills it with -9; resolves when it is gone. */
async function kill(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function inParallel(runs: number, atOnce: number, one: () => Promise<void>): Promise<number[]> {
  const latencies: number[] = [];
  let left = runs;
  const worker = async () => {
    while (left-- > 0) {
      const started = performance.now();
      await one();
      latencies.push(performance.now() - started);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return latencies;
}

/** A peer: a worker process over a PostgreSQL, or over a server of its own, and the peers' no-op agent. */
export class Peer implements Contestant {
  readonly name: string;
  readonly #script: string;
  #postgres: PostgresServer | undefined;
  #agent: NoopAgent | undefined;
  #worker: ChildProcess | undefined;
  #server: ChildProcess | undefined;
  #folder = '';
  #ports = { worker: 0, ingress: 0, admin: 0, node: 0 };
  #database = '';

  constructor(name: string, script: string) {
    this.name = name;
    this.#script = script;
  }

  get #noop(): NoopAgent {
    if (!this.#agent) throw new Error('the agent is not up');
    return this.#agent;
  }

  get #isServed(): boolean {
    return this.#script === 'restate';
  }

  async start(): Promise<void> {
    const [agent = 0, worker = 0, ingress = 0, admin = 0, node = 0] = await freePorts(5);
    this.#ports = { worker, ingress, admin, node };
    this.#agent = new NoopAgent(agent);
    await answering(this.#agent.url);
    if (this.#isServed) await this.#startServer();
    else {
      this.#postgres = await startPostgres({ fsync: true });
      this.#database = (await createDatabase(this.#postgres.url)).url;
    }
    await this.#startWorker();
    await this.drive(200, 16);
  }

  async #startWorker(): Promise<void> {
    this.#worker = this.#spawn(`${this.#script}.mjs`, this.#ports.worker);
    if (!this.#isServed) {
      await this.#answers(`http://127.0.0.1:${this.#ports.worker}/`);
      return;
    }
    for (let attempt = 0; attempt < 100; attempt++) {
      const registered = await fetch(`http://127.0.0.1:${this.#ports.admin}/deployments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ uri: `http://127.0.0.1:${this.#ports.worker}`, force: true }),
      })
        .then((response) => response.ok)
        .catch(() => false);
      if (registered) return;
      await sleep(100);
    }
    throw new Error('the service could not be registered with Restate');
  }

  async #startServer(): Promise<void> {
    this.#folder ||= mkdtempSync(join(tmpdir(), 'bench-restate-'));
    const nodePort = this.#ports.node;
    const name = `restate-server-${process.platform}-${process.arch}`;
    const binary = join(PEERS, 'node_modules/@restatedev', name, 'bin/restate-server');
    this.#server = spawn(binary, ['--base-dir', join(this.#folder, 'restate')], {
      env: {
        ...process.env,
        RESTATE_BIND_ADDRESS: `127.0.0.1:${nodePort}`,
        RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${nodePort}`,
        RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${this.#ports.ingress}`,
        RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${this.#ports.admin}`,
        RESTATE_LOG_FILTER: 'error',
        DO_NOT_TRACK: '1',
      },
      stdio: 'ignore',
    });
    await this.#answers(`http://127.0.0.1:${this.#ports.admin}/health`);
  }

  #spawn(script: string, port: number): ChildProcess {
    return spawn(process.execPath, [join(PEERS, script)], {
      cwd: PEERS,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        PORT: String(port),
        AGENT_URL: this.#agent?.url,
        DATABASE_URL: this.#database,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  async #answers(url: string): Promise<void> {
    for (let attempt = 0; attempt < 300; attempt++) {
      if (
        await fetch(url)
          .then((response) => response.ok)
          .catch(() => false)
      )
        return;
      await sleep(100);
    }
    throw new Error(`${this.name}: nobody answers at ${url}`);
  }

  async #run(id: string, shape: Shape, ms: number): Promise<void> {
    const response = this.#isServed
      ? await fetch(`http://127.0.0.1:${this.#ports.ingress}/six/run`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': id },
          body: JSON.stringify({ id, ms, shape }),
        })
      : await fetch(`http://127.0.0.1:${this.#ports.worker}/run?id=${id}&ms=${ms}&shape=${shape}`, { method: 'POST' });
    if (!response.ok) throw new Error(`${this.name} answered ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
  }

  drive(runs: number, atOnce: number, shape: Shape = 'six', stepMs = 0): Promise<number[]> {
    return inParallel(runs, atOnce, () => this.#run(nextId(), shape, stepMs));
  }

  async pids(): Promise<{ engine: number[]; tree: number[] }> {
    const engine = [this.#worker?.pid, this.#server?.pid, this.#postgres?.pid()].flatMap((pid) =>
      typeof pid === 'number' ? family(pid) : [],
    );
    return { engine, tree: [...engine, ...(this.#agent?.pids ?? [])] };
  }

  async killed(runs: number): Promise<Crash> {
    const agent = this.#noop;
    const before = await agent.bodies();
    const ids = Array.from({ length: runs }, nextId);
    const waiting = ids.map((id) => this.#run(id, 'six', CRASH_STEP_MS).catch(() => undefined));
    await agent.reached(before.runs + (runs * STEPS) / 3);
    const started = performance.now();
    // Of Restate the server is the engine, and the worker is what runs the steps; elsewhere the worker is both.
    await Promise.all([this.#worker, this.#server].map(kill));
    if (this.#isServed) {
      await this.#startServer();
      await this.#startWorker();
      await Promise.all(waiting);
      // What was accepted ends, and asking again by the same key waits for that.
      await Promise.all(ids.map((id) => this.#run(id, 'six', CRASH_STEP_MS)));
    } else {
      await this.#startWorker();
      const door = `http://127.0.0.1:${this.#ports.worker}`;
      await fetch(`${door}/recover`, { method: 'POST' });
      while (Number(await (await fetch(`${door}/unfinished`)).text()) > 0) await sleep(20);
    }
    return { seconds: (performance.now() - started) / 1000, ...(await agent.since(before)) };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#worker, this.#server].map(kill));
    await this.#agent?.stop();
    await this.#postgres?.stop();
    if (this.#folder !== '') rmSync(this.#folder, { recursive: true, force: true });
  }
}

const SLOW = (shape: Shape, ms: number): string => {
  const steps = ['a', 'b', 'c', 'd'].map((id, index, all) => {
    const needs = shape === 'sequence' && index > 0 ? all[index - 1] : 'plan';
    return `  - { id: ${id}, action: noop/slow, with: { ms: ${ms} }, needs: ${needs} }`;
  });
  return `name: slow\nfinish: false\nsteps:\n  - { id: plan, action: noop/act }\n${steps.join('\n')}\n  - { id: summary, action: noop/act, needs: [a, b, c, d] }\n`;
};

/** This mesh as shipped: supervisor, nine processes, gateway, API key, validation, traces exported, embedded PostgreSQL. */
export class Mesh implements Contestant {
  readonly name = 'Devmesh';
  #mesh: BenchMesh | undefined;
  #sink: Server | undefined;
  #agent: NoopAgent | undefined;

  get #noop(): NoopAgent {
    if (!this.#agent) throw new Error('the agent is not up');
    return this.#agent;
  }

  get #up(): BenchMesh {
    if (!this.#mesh) throw new Error('the mesh is not up');
    return this.#mesh;
  }

  async start(): Promise<void> {
    this.#mesh = await BenchMesh.make();
    placeAgent(this.#mesh);
    this.#sink = await traceTo(this.#mesh);
    await this.#mesh.cli('up');
    this.#agent = new NoopAgent(this.#mesh.portBase + 10);
    await answering(this.#agent.url);
    await drive(this.#mesh, 300, 16);
  }

  drive(runs: number, atOnce: number, shape: Shape = 'six', stepMs = 0): Promise<number[]> {
    const source = shape === 'six' && stepMs === 0 ? BOX_WORKFLOWS.six : SLOW(shape, stepMs);
    return drive(this.#up, runs, atOnce, source);
  }

  async pids(): Promise<{ engine: number[]; tree: number[] }> {
    const services = await this.#up.services();
    const postgres = postgresPid(this.#up);
    const database = postgres === undefined ? [] : family(postgres);
    const pidsOf = (names: readonly string[] | null) =>
      services.flatMap(({ name, pid }) => (pid !== null && (names === null || names.includes(name)) ? [pid] : []));
    return {
      engine: [...pidsOf(FOUR), ...database],
      tree: [...pidsOf(null), ...database, ...(this.#agent?.pids ?? [])],
    };
  }

  async killed(runs: number): Promise<Crash> {
    const agent = this.#noop;
    const before = await agent.bodies();
    const services = await this.#up.services();
    const submitted = Array.from({ length: runs }, async () => {
      const body = { workflow: { source: SLOW('six', CRASH_STEP_MS) } };
      return (await this.#up.api<{ id: string }>('/v1/runs', body)).id;
    });
    const open = new Set(await Promise.all(submitted));
    await agent.reached(before.runs + (runs * STEPS) / 3);
    const started = performance.now();
    for (const { name, pid } of services) if (FOUR.includes(name) && pid !== null) process.kill(pid, 'SIGKILL');
    while (open.size > 0) {
      await sleep(20);
      const page = await this.#up
        .api<{ items: { id: string; endedAt: string | null }[] }>('/v1/runs?limit=200')
        .catch(() => ({ items: [] }));
      for (const { id, endedAt } of page.items) if (endedAt !== null) open.delete(id);
    }
    return { seconds: (performance.now() - started) / 1000, ...(await agent.since(before)) };
  }

  async stop(): Promise<void> {
    await this.#agent?.stop();
    await this.#mesh?.close();
    this.#sink?.close();
  }
}
