import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { StoredEvent } from '@devmesh/contracts/event';
import type { RunId } from '@devmesh/contracts/ids';
import { SubmitReply, type SubmitRun } from '@devmesh/contracts/orchestrator-api';
import { EventPage } from '@devmesh/contracts/state-api';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { graphOf, type Graph } from '@devmesh/workflow/graph';
import pg from 'pg';
import type { z } from 'zod';
import { readBodies, type Body, type Evidence, type RunEvidence } from './mesh-box-evidence.js';
import { boxPlan, type BoxPlan, type MeshBoxOptions } from './mesh-box-plan.js';
import { BoxProcess } from './mesh-box-process.js';
import { HttpDoor, QueueDoor, Wire, type Door } from './mesh-box-wire.js';
import { startPostgres, type PostgresServer } from './postgres.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** How long anything in a box may take, ms: generous, since machines that run tests are busy. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 50;

/**
 * A mesh of real processes for crash tests: PostgreSQL, state-persistence, orchestrators and test agents (`test-agent.ts`), each
 * from its build, each reaching the others through doors of the test (`mesh-box-wire.ts`). `stop` ends all of it, whatever state it is in.
 */
export class MeshBox {
  readonly wire = new Wire();
  private readonly processes = new Map<string, BoxProcess>();
  /** Doors that lead to a process, by its name. */
  private readonly doors = new Map<string, Door[]>();
  private readonly deaths = new Map<number, number>();
  private readonly graphs = new Map<string, Promise<Graph>>();

  private constructor(
    private readonly postgres: PostgresServer,
    private readonly folder: string,
    private readonly plan: BoxPlan,
    private readonly token: string,
  ) {}

  /** Starts all of it, and resolves when it is ready for runs. */
  static async start(options: MeshBoxOptions = {}): Promise<MeshBox> {
    if (!existsSync(join(ROOT, 'apps/orchestrator/dist/main.js')))
      throw new Error('a mesh in a box runs what is built: build first (tsc -b)');
    const folder = mkdtempSync(join(tmpdir(), 'devmesh-box-'));
    // Commits must outlive the database's processes, though not the machine.
    const postgres = await startPostgres({ fsync: true, settings: { fsync: 'off', ...options.postgres } });
    try {
      const token = randomBytes(24).toString('hex');
      writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
      const plan = await boxPlan(options, folder, postgres);
      const box = new MeshBox(postgres, folder, plan, token);
      try {
        await box.startAll();
        return box;
      } catch (error) {
        const logs = box.logs();
        await box.stop();
        throw new Error(`the mesh in a box did not start: ${String(error)}\n${logs}`, { cause: error });
      }
    } catch (error) {
      await postgres.stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  get orchestrators(): string[] {
    return this.names('orchestrator-');
  }

  get agents(): string[] {
    return this.names('agent-');
  }

  /** Pid of a process; undefined while it is down. */
  pid(name: string): number | undefined {
    return this.process(name).pid;
  }

  isUp(name: string): boolean {
    return this.process(name).isUp;
  }

  /** Sends a signal; SIGKILL by default, and then the process is gone when this resolves. `postgres` only knows SIGKILL. */
  async kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (name === 'postgres') return this.postgres.kill();
    const process = this.process(name);
    const { pid } = process;
    const ends = signal !== 'SIGSTOP' && signal !== 'SIGCONT';
    const gone = process.kill(signal);
    // Whoever calls it now finds nobody, as without the doors.
    if (ends) await Promise.all((this.doors.get(name) ?? []).map((door) => door.shut()));
    await gone;
    if (ends && pid !== undefined && name.startsWith('agent-')) this.deaths.set(pid, this.bodies().length);
  }

  /** Starts a process again; `healthy` tells when it is ready. */
  async start(name: string): Promise<void> {
    if (name === 'postgres') return this.postgres.restart();
    this.process(name).start();
    await Promise.all((this.doors.get(name) ?? []).map((door) => door.open()));
  }

  /** Resolves when the process says that it is ready. */
  async healthy(...names: string[]): Promise<void> {
    await Promise.all(
      names.map((name) =>
        this.until(`${name} is ready`, async () => {
          const process = this.process(name);
          if (!process.isUp) throw new Hopeless(`${name} has ended:\n${tail(process.log())}`);
          return (await this.get(process, '/health/ready')).ok;
        }),
      ),
    );
  }

  /** Starts what is down, lets go on what was stopped, and resolves when all is ready: between two tests on one box. */
  async restore(): Promise<void> {
    for (const process of this.processes.values()) {
      if (process.isUp) await process.kill('SIGCONT');
      else await this.start(process.name);
    }
    await this.ready();
  }

  /** Submits a run of a workflow source, again and again under one idempotency key until an orchestrator has taken it. */
  async submit(source: string, task = ''): Promise<RunId> {
    const key = randomUUID();
    const run: SubmitRun = {
      projectId: 'default',
      requestedBy: 'the box',
      task,
      workflow: { source },
      repository: null,
      idempotency: { key, requestHash: '0'.repeat(64) },
    };
    return this.until(`a run is taken`, async () => {
      for (const name of this.orchestrators) {
        const reply = await this.call(this.process(name), 'POST', '/v1/runs', run);
        if (reply.ok) return SubmitReply.parse(await reply.json()).runId;
        const text = await reply.text();
        if (reply.status < 500) throw new Hopeless(`the run was refused: ${text}`);
      }
      return undefined;
    });
  }

  async cancel(runId: RunId): Promise<void> {
    const body = { by: 'the box', reason: 'a test' };
    await this.until('the cancel is taken', async () => {
      for (const name of this.orchestrators) {
        if ((await this.call(this.process(name), 'POST', `/v1/runs/${runId}/cancel`, body)).ok) return true;
      }
      return undefined;
    });
  }

  /** All events of a run. */
  async events(runId: RunId, waitMs = 0, after = 0): Promise<StoredEvent[]> {
    const all: StoredEvent[] = [];
    for (;;) {
      const from = all.at(-1)?.seq ?? after;
      const page = await this.eventPage(runId, from, all.length === 0 ? waitMs : 0);
      all.push(...page.events);
      if (page.events.length < 500) return all;
    }
  }

  /** Resolves when the run's events satisfy `wanted`; sleeps in the long poll of state-persistence. */
  async reached(
    runId: RunId,
    wanted: (events: readonly StoredEvent[]) => boolean,
    patienceMs = PATIENCE_MS,
  ): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    await this.until(
      `run ${runId} gets there`,
      async () => {
        events.push(...(await this.events(runId, 2_000, events.at(-1)?.seq ?? 0)));
        return wanted(events) || undefined;
      },
      patienceMs,
    );
    return events;
  }

  /** Resolves when these runs have ended and nothing is left to be done for them. */
  async ended(runIds: readonly RunId[], patienceMs = PATIENCE_MS): Promise<void> {
    const deadline = Date.now() + patienceMs;
    for (const runId of runIds) {
      await this.reached(
        runId,
        (events) => events.some(({ event }) => event.type === 'RunEnded'),
        deadline - Date.now(),
      );
    }
    await this.until(
      'nothing is left to be done',
      async () => {
        const rows = await this.query(
          'select 1 from run_heads where run_id = any($1) and (wake_at is not null or in_turn)',
          [runIds],
        );
        return rows.length === 0 || undefined;
      },
      Math.max(20_000, deadline - Date.now()),
    );
  }

  /** The lines that bodies of the test agents left, in order. */
  bodies(): Body[] {
    return existsSync(this.plan.bodies) ? readBodies(readFileSync(this.plan.bodies, 'utf8')) : [];
  }

  bodiesOf(runId: RunId): Body[] {
    return this.bodies().filter(({ key }) => key.startsWith(runId));
  }

  /** What is known of these runs, for `broken`. */
  async evidence(runIds: readonly RunId[]): Promise<Evidence> {
    const rows = await this.query<Row>(
      `select h.run_id as id, h.status, h.unread, h.wake_at, h.epoch, r.workflow_digest as workflow
       from run_heads h join runs r on r.id = h.run_id where h.run_id = any($1)`,
      [runIds],
    );
    const runs: RunEvidence[] = [];
    for (const { id, status, unread, wake_at, epoch, workflow } of rows) {
      runs.push({
        id,
        workflow,
        graph: await this.graph(workflow),
        events: await this.events(id),
        status,
        unread,
        wakeAt: wake_at === null ? null : String(wake_at),
        epoch,
      });
    }
    const ids = new Set(runIds);
    return { runs, bodies: this.bodies().filter(({ key }) => ids.has(key.split('/')[0] ?? '')), deaths: this.deaths };
  }

  /** As superuser, in the mesh's database. */
  async query<R extends object>(text: string, values: unknown[] = []): Promise<R[]> {
    const client = new pg.Client({ connectionString: this.plan.adminUrl });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<R>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Deletes everything that the queue holds; gives how many jobs there were. */
  async emptyQueue(): Promise<number> {
    const tables = await this.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname = 'queue' and tablename <> 'migration'`,
    );
    const jobs = await this.query('delete from queue.job returning 1');
    await this.query(tables.map(({ name }) => `delete from ${name}`).join('; '));
    return jobs.length;
  }

  /** The last lines of each log, for a test that failed. */
  logs(): string {
    return [...this.processes.values()].map((process) => `--- ${process.name}\n${tail(process.log())}`).join('\n');
  }

  log(name: string): string {
    return this.process(name).log();
  }

  /** Waits for a condition, looking again after a moment; what throws in between counts as not yet. */
  async until<T>(what: string, look: () => Promise<T | undefined | false>, patienceMs = PATIENCE_MS): Promise<T> {
    const deadline = Date.now() + patienceMs;
    let last: unknown;
    do {
      try {
        const found = await look();
        if (found !== undefined && found !== false) return found;
      } catch (error) {
        if (error instanceof Hopeless) throw error;
        last = error;
      }
      await delay(PAUSE_MS);
    } while (Date.now() < deadline);
    const because = last === undefined ? '' : `: ${last instanceof Error ? last.message : JSON.stringify(last)}`;
    throw new Error(`waited ${patienceMs} ms in vain until ${what}${because}`, { cause: last });
  }

  /** Ends every process and removes every file. Throws when something is left. */
  async stop(): Promise<void> {
    const ended = await Promise.all(
      [...this.processes.values()].map(async (each) => ((await each.end()) ? [] : [each.name])),
    );
    await Promise.all([...this.doors.values()].flat().map((door) => door.shut()));
    await this.postgres.stop();
    const left = ended.flat();
    if (process.env['DEVMESH_BOX_KEEP']) process.stderr.write(`the logs of this box: ${join(this.folder, 'logs')}\n`);
    else rmSync(this.folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`still there after their end: ${left.join(', ')}`);
  }

  private async startAll(): Promise<void> {
    const tracing = pathToFileURL(join(ROOT, 'libs/service-kit/dist/tracing/register.js')).href;
    for (const { name, entry, port, env } of this.plan.processes) {
      const args = ['--import', tracing, join(ROOT, entry)];
      this.processes.set(
        name,
        new BoxProcess({ name, args, env, port, logFile: join(this.folder, 'logs', `${name}.log`) }),
      );
    }
    for (const { caller, callee, port, target } of this.plan.doors) {
      const options = { wire: this.wire, caller, callee, port, target };
      const door = callee === 'postgres' ? new QueueDoor(options) : new HttpDoor(options);
      this.doors.set(callee, [...(this.doors.get(callee) ?? []), door]);
      await door.open();
    }
    for (const process of this.processes.values()) process.start();
    await this.ready();
  }

  private async ready(): Promise<void> {
    await this.healthy(...this.processes.keys());
    const expected = this.agents.length;
    for (const name of this.orchestrators) {
      await this.until(`${name} knows the agents`, async () => {
        const { items } = (await (await this.get(this.process(name), '/v1/agents')).json()) as AgentItems;
        const known = items.find(({ agent }) => agent === 'noop')?.instances.filter(({ healthy }) => healthy);
        return known?.length === expected || undefined;
      });
    }
  }

  private names(prefix: string): string[] {
    return [...this.processes.keys()].filter((name) => name.startsWith(prefix));
  }

  private process(name: string): BoxProcess {
    const process = this.processes.get(name);
    if (!process) throw new Error(`there is no ${name} in this box: it has ${[...this.processes.keys()].join(', ')}`);
    return process;
  }

  private async eventPage(runId: RunId, after: number, waitMs: number): Promise<z.infer<typeof EventPage>> {
    const path = `/v1/runs/${runId}/events?after=${after}&limit=500&waitMs=${waitMs}`;
    const reply = await this.get(this.process('state-persistence'), path);
    if (!reply.ok) throw new Error(`the events of ${runId} were refused: ${await reply.text()}`);
    return EventPage.parse(await reply.json());
  }

  private graph(digest: string): Promise<Graph> {
    let graph = this.graphs.get(digest);
    if (!graph) {
      graph = (async () => {
        const reply = await this.get(this.process('state-persistence'), `/v1/workflows/${digest}`);
        return graphOf(WorkflowDefinition.parse(await reply.json()));
      })();
      this.graphs.set(digest, graph);
    }
    return graph;
  }

  private get(process: BoxProcess, path: string): Promise<Response> {
    return this.call(process, 'GET', path);
  }

  private call(process: BoxProcess, method: string, path: string, body?: object): Promise<Response> {
    return fetch(`http://127.0.0.1:${process.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }
}

/** Waiting longer would change nothing. */
class Hopeless extends Error {}

interface Row {
  readonly id: RunId;
  readonly status: string;
  readonly unread: number;
  readonly wake_at: Date | null;
  readonly epoch: number;
  readonly workflow: string;
}

interface AgentItems {
  readonly items: readonly { readonly agent: string; readonly instances: readonly { readonly healthy: boolean }[] }[];
}

function tail(log: string): string {
  return log.split('\n').slice(-25).join('\n');
}
