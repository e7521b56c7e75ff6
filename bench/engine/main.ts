import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { cpuMs, pssMb } from '../processes.ts';
import { median, quantile, table } from '../stats.ts';
import { installPeers, Mesh, Peer, type Contestant } from './contestants.ts';

/*
 * This mesh beside the engines that people pick instead, in one run: `node bench/engine/main.ts`. The same graph (plan, four in
 * parallel, summary), an agent that answers at once over HTTP, PostgreSQL from the same package with fsync and synchronous commit
 * on. Each contestant is measured alone on the machine; rounds come in shuffled order, and the median is told.
 */

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});

const ALL: Readonly<Record<string, () => Contestant>> = {
  mesh: () => new Mesh(),
  dbos: () => new Peer('DBOS Transact', 'dbos'),
  langgraph: () => new Peer('LangGraph.js + PostgreSQL', 'langgraph'),
  restate: () => new Peer('Restate', 'restate'),
  loop: () => new Peer('loop, a commit per step', 'loop'),
};
const chosen = (options.only?.split(',') ?? Object.keys(ALL)).filter((name) => {
  if (name in ALL) return true;
  throw new Error(`--only takes ${Object.keys(ALL).join(', ')}; not ${name}`);
});
const ROUNDS = options.quick ? 1 : Number(options.rounds);
const AT_ONCE = [1, 32, 100] as const;
const RUNS: Readonly<Record<number, number>> = options.quick
  ? { 1: 20, 32: 160, 100: 200 }
  : { 1: 60, 32: 480, 100: 600 };
const IN_FLIGHT = 100;
const SLOW_MS = 200;

interface Measured {
  readonly perSecond: number;
  readonly latencies: number[];
  readonly engineMs: number;
  readonly treeMs: number;
  readonly pss: number;
}

let state = Number(options.seed);
/** Shuffles by seed (mulberry32, Fisher-Yates). */
function shuffled<T>(items: readonly T[]): T[] {
  const left = [...items];
  const out: T[] = [];
  while (left.length > 0) {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    out.push(...left.splice(((t ^ (t >>> 14)) >>> 0) % left.length, 1));
  }
  return out;
}

async function measure(contestant: Contestant, atOnce: number): Promise<Measured> {
  const runs = RUNS[atOnce] ?? 100;
  const { engine, tree } = await contestant.pids();
  const before = { engine: cpuMs(engine), tree: cpuMs(tree) };
  const started = performance.now();
  const latencies = await contestant.drive(runs, atOnce);
  const elapsed = performance.now() - started;
  return {
    perSecond: runs / (elapsed / 1000),
    latencies,
    engineMs: (cpuMs(engine) - before.engine) / runs,
    treeMs: (cpuMs(tree) - before.tree) / runs,
    pss: tree.reduce((sum, pid) => sum + (pssMb(pid) ?? 0), 0),
  };
}

const ms = (value: number) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
const speeds: string[][] = [];
const others: string[][] = [];
const results = new Map<string, Map<number, Measured[]>>();
const crashes = new Map<string, { seconds: number[]; repeated: number[]; executions: number }>();
const slow = new Map<string, { group: number; sequence: number }>();
if (chosen.some((name) => name !== 'mesh')) installPeers();

for (let round = 1; round <= ROUNDS; round++) {
  for (const name of shuffled(chosen)) {
    const contestant = ALL[name]?.();
    if (!contestant) continue;
    try {
      await contestant.start();
      for (const atOnce of AT_ONCE) {
        const measured = await measure(contestant, atOnce);
        const own = results.get(contestant.name) ?? new Map<number, Measured[]>();
        results.set(contestant.name, own);
        own.set(atOnce, [...(own.get(atOnce) ?? []), measured]);
        console.error(
          `round ${round}, ${contestant.name}, ${atOnce} at once: ${measured.perSecond.toFixed(0)} runs/s, p95 ${ms(quantile(measured.latencies, 0.95))}, CPU ${measured.engineMs.toFixed(2)} ms`,
        );
      }
      if (round === 1) {
        const group = median(await contestant.drive(5, 1, 'six', SLOW_MS));
        const sequence = median(await contestant.drive(5, 1, 'sequence', SLOW_MS));
        slow.set(contestant.name, { group, sequence });
      }
      const crash = await contestant.killed(IN_FLIGHT);
      const known = crashes.get(contestant.name) ?? { seconds: [], repeated: [], executions: crash.executions };
      known.seconds.push(crash.seconds);
      known.repeated.push(crash.repeated);
      crashes.set(contestant.name, known);
      console.error(
        `round ${round}, ${contestant.name}, killed: ${crash.seconds.toFixed(1)} s, ${crash.repeated} repeated`,
      );
    } finally {
      await contestant.stop();
    }
  }
}

for (const atOnce of AT_ONCE) {
  for (const [name, own] of results) {
    const all = own.get(atOnce) ?? [];
    const of = (value: (one: Measured) => number) => median(all.map(value));
    speeds.push([
      String(atOnce),
      name,
      of((one) => one.perSecond).toFixed(0),
      ...[0.5, 0.95, 0.99].map((share) => ms(of((one) => quantile(one.latencies, share)))),
      of((one) => one.engineMs).toFixed(2),
      of((one) => one.treeMs).toFixed(2),
      of((one) => one.pss).toFixed(0),
    ]);
  }
}
for (const [name, { seconds, repeated, executions }] of crashes) {
  const { group, sequence } = slow.get(name) ?? { group: NaN, sequence: NaN };
  others.push([
    name,
    `${median(seconds).toFixed(1)} s`,
    `${Math.max(...repeated)} of ${executions}`,
    ms(group),
    ms(sequence),
    `${((100 * group) / sequence).toFixed(0)} %`,
  ]);
}
const { model } = cpus()[0] ?? { model: 'unknown' };
console.log(
  `${model}, ${availableParallelism()} cores, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB, Node ${process.version}; median of ${ROUNDS}\n`,
);
console.log(
  table(
    [
      'at once',
      'engine',
      'runs/s',
      'p50',
      'p95',
      'p99',
      'CPU ms a run, engine and database',
      'CPU ms a run, all',
      'PSS MB',
    ],
    speeds,
  ),
);
console.log();
console.log(
  table(
    [
      'engine',
      `killed with ${IN_FLIGHT} in flight: ended after`,
      'executions repeated (worst)',
      `four of ${SLOW_MS} ms in a group`,
      'in sequence',
      'group / sequence',
    ],
    others,
  ),
);
