import type { ChildProcess } from 'node:child_process';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { BenchMesh, type ServiceStatus } from './mesh.ts';
import { agentOf, answering, drive, FOUR, placeAgent, postgresPid, startAgent, traceTo } from './six-steps.ts';
import { hops, scrape, total } from './metrics.ts';
import { cpuMs, family, pssMb } from './processes.ts';
import { median, quantile, table } from './stats.ts';

/*
 * One command, one table: `node bench/main.ts`. The mesh as shipped (gateway, authentication, validation; nine processes;
 * PostgreSQL with fsync), on a data folder and ports of its own. Compare figures of one run only: machines differ.
 */

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    runs: { type: 'string', default: '640' },
    starts: { type: 'string', default: '3' },
    traced: { type: 'boolean', default: false },
  },
});
const wanted = (part: string) => options.only === undefined || options.only === part;

const rows: string[][] = [];
function report(what: string, value: string, aim = ''): void {
  rows.push([what, value, aim]);
  console.error(`${what}: ${value}`);
}
const ms = (value: number) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
const seconds = (value: number) => `${(value / 1000).toFixed(2)} s`;

/** Start, memory and the main job. */
async function wholeMesh(): Promise<void> {
  const mesh = await BenchMesh.make();
  try {
    report('up, cold (cluster made)', seconds((await mesh.cli('up')).ms));
    const warm: number[] = [];
    for (let count = 0; count < Number(options.starts); count++) {
      await mesh.cli('down');
      warm.push((await mesh.cli('up')).ms);
    }
    report('up, warm (median)', seconds(median(warm)), 'at most 8 s');
    const services = await mesh.services();
    await idle();
    let sum = 0;
    for (const { name, pid } of services) {
      const pss = pid === null ? undefined : pssMb(pid);
      if (pss === undefined) continue;
      sum += pss;
      report(`PSS idle, ${name}`, `${pss.toFixed(0)} MB`, isFileOnly(name) ? 'at most 120 MB' : '');
    }
    report('PSS idle, nine services', `${sum.toFixed(0)} MB`);
    const postgres = postgresPid(mesh);
    if (postgres !== undefined) {
      const all = family(postgres).map((pid) => pssMb(pid) ?? 0);
      report('PSS idle, PostgreSQL', `${all.reduce((a, b) => a + b, 0).toFixed(0)} MB`);
    }
    const sample: number[] = [];
    for (let count = 0; count < 5; count++) {
      const { stdout } = await mesh.cli('run', '--json', '--quiet');
      const { createdAt, endedAt } = lastJson(stdout).run;
      sample.push(Date.parse(endedAt) - Date.parse(createdAt));
    }
    report('sample run, first', seconds(sample[0] ?? NaN));
    report('sample run, median of 5', seconds(median(sample)), 'under 3 s');
  } finally {
    await mesh.close();
  }
}

interface FinalOutput {
  readonly run: { readonly createdAt: string; readonly endedAt: string };
}

/** The last JSON document of the CLI's output. */
function lastJson(stdout: string): FinalOutput {
  const text = stdout.trim();
  return JSON.parse(text.startsWith('{\n') ? text : (text.split('\n').at(-1) ?? '')) as FinalOutput;
}

function isFileOnly(name: string): boolean {
  return ['code-review', 'feature-dev', 'infrastructure', 'cicd', 'documentation', 'rag-context'].includes(name);
}

/** Lets a mesh that has just started come to rest. */
function idle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 3000));
}

/** plan, one of the four, summary. */
const STEPS_ON_PATH = 3;

interface Counters {
  readonly hops: Map<string, number>;
  readonly commits: number;
  readonly statements: number;
  /** CPU time so far by service, ms; `database` is PostgreSQL with all its processes. */
  readonly cpu: Readonly<Record<string, number>>;
}

async function count(mesh: BenchMesh, services: readonly ServiceStatus[], agent: ChildProcess): Promise<Counters> {
  const merged = new Map<string, number>();
  let commits = 0;
  let statements = 0;
  for (const { name, address } of [...services, { name: 'noop', address: mesh.url(10), pid: null }]) {
    const samples = await scrape(address);
    for (const [route, value] of hops(samples)) merged.set(`${name} ${route}`, value);
    commits += total(samples, 'state_transactions_total');
    statements += total(samples, 'state_statements_total');
  }
  const postgres = postgresPid(mesh);
  const database = postgres === undefined ? [] : family(postgres);
  const cpu: Record<string, number> = { database: cpuMs(database), noop: cpuMs([agent.pid ?? -1]) };
  for (const { name, pid } of services) cpu[name] = cpuMs([pid ?? -1]);
  return { hops: merged, commits, statements, cpu };
}

async function sixSteps(): Promise<void> {
  const mesh = await BenchMesh.make();
  placeAgent(mesh);
  const sink = options.traced ? await traceTo(mesh) : undefined;
  let agent: ChildProcess | undefined;
  try {
    await mesh.cli('up');
    agent = startAgent(agentOf(mesh));
    await answering(mesh.url(10));
    const services = await mesh.services();
    await drive(mesh, 300, 16);
    const runs = Number(options.runs);
    for (const [atOnce, count_] of [
      [1, Math.ceil(runs / 4)],
      [32, runs],
      [100, runs],
    ] as const) {
      const before = await count(mesh, services, agent);
      const started = performance.now();
      const latencies = await drive(mesh, count_, atOnce);
      const elapsed = performance.now() - started;
      const after = await count(mesh, services, agent);
      const per = (value: number) => (value / count_).toFixed(2);
      const name = `six steps, ${atOnce} at once${options.traced ? ', traced' : ''}`;
      report(`${name}: runs/s`, (count_ / (elapsed / 1000)).toFixed(0));
      report(`${name}: p50 / p95 / p99`, [0.5, 0.95, 0.99].map((share) => ms(quantile(latencies, share))).join(' / '));
      // Agents that answer at once: all of the time is the engine's, over the three steps of the critical path.
      const share = [0.5, 0.95].map((quantile_) => ms(quantile(latencies, quantile_) / STEPS_ON_PATH)).join(' / ');
      if (atOnce === 1) report('engine share of a step, p50 / p95', share);
      const spent = (names: readonly string[]) =>
        names.reduce((sum, each) => sum + (after.cpu[each] ?? 0) - (before.cpu[each] ?? 0), 0);
      const aim = atOnce === 32 ? 'at most 6 ms' : '';
      report(`${name}: CPU per run, gateway + orchestrator + state + database`, `${per(spent(FOUR))} ms`, aim);
      report(`${name}: CPU per run, each of the four`, FOUR.map((each) => per(spent([each]))).join(' + '));
      report(`${name}: CPU per run, whole tree`, `${per(spent(Object.keys(after.cpu)))} ms`);
      const byRoute = [...after.hops]
        .map(([route, value]) => [route, value - (before.hops.get(route) ?? 0)] as const)
        .filter(([, value]) => value > 0);
      report(
        `${name}: hops per run`,
        per(byRoute.reduce((sum, [, value]) => sum + value, 0)),
        atOnce === 1 ? 'at most 15' : '',
      );
      for (const [route, value] of byRoute) console.error(`    ${per(value)}  ${route}`);
      report(
        `${name}: transactions of state per run`,
        per(after.commits - before.commits),
        atOnce === 1 ? 'at most 7' : '',
      );
      report(`${name}: statements of state per run`, per(after.statements - before.statements));
    }
  } finally {
    agent?.kill('SIGKILL');
    await mesh.close();
    sink?.close();
  }
}

if (wanted('mesh')) await wholeMesh();
if (wanted('engine')) await sixSteps();
const { model } = cpus()[0] ?? { model: 'unknown' };
console.log(
  `${model}, ${availableParallelism()} cores, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB, Node ${process.version}\n`,
);
console.log(table(['figure', 'measured', 'aim'], rows));
