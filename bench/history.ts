import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { HistorySeed } from './history-seed.ts';
import { BenchMesh, type ServiceStatus } from './mesh.ts';
import { scrape, total } from './metrics.ts';
import { cpuMs, family } from './processes.ts';
import { agentOf, answering, drive, FOUR, placeAgent, postgresPid, startAgent } from './six-steps.ts';
import { median, quantile, table } from './stats.ts';

/*
 * What the next run costs with so many finished ones in the database: `node bench/history.ts`. The mesh as shipped, one six-step
 * run at a time and 32 at once, then what reads and sweeps cost. The history is copied from a run that this mesh did itself. At the
 * end the database is emptied and measured again: what that differs from the first row is not the history's doing.
 */

const { values: options } = parseArgs({
  options: {
    levels: { type: 'string', default: '0,1000,5000,10000,20000,0' },
    runs: { type: 'string', default: '150' },
    gathered: { type: 'string', default: '640' },
    rounds: { type: 'string', default: '3' },
  },
});
const LEVELS = options.levels.split(',').map(Number);
const RUNS = Number(options.runs);
const GATHERED = Number(options.gathered);
const ROUNDS = Number(options.rounds);
const DAY = 24 * 3600_000;

/** Counters of the database that say what was touched, of the tables of the product. */
interface Touched {
  /** Pages of tables and indexes that were asked for. */
  readonly pages: number;
  /** Rows read by scans of whole tables, on those that grow with the number of runs. */
  readonly scanned: number;
  /** Entries of indexes that were read. */
  readonly entries: number;
}

interface Level extends Record<string, number> {
  finished: number;
}

async function connect(mesh: BenchMesh): Promise<pg.Client> {
  const read = (name: string) => readFileSync(join(mesh.home, name), 'utf8').trim();
  const client = new pg.Client({
    host: '127.0.0.1',
    port: Number(read('postgres.port')),
    user: 'devmesh',
    database: 'devmesh',
    password: read('secrets/database-password'),
  });
  await client.connect();
  return client;
}

async function touched(client: pg.Client): Promise<Touched> {
  // Backends report what they did at most once a second, and the rest when they have been idle for ten.
  await new Promise((resolve) => setTimeout(resolve, 11_000));
  await client.query('select pg_stat_clear_snapshot()');
  const { rows } = await client.query<{ pages: string; scanned: string; entries: string }>(`
    select (select sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit) from pg_statio_user_tables where schemaname = 'public') as pages,
      (select sum(seq_tup_read) from pg_stat_user_tables where schemaname = 'public'
        and relname in ('runs', 'run_heads', 'run_events', 'appends', 'inbox', 'executions', 'run_artifacts', 'artifacts', 'idempotency_keys')) as scanned,
      (select sum(idx_tup_read) from pg_stat_user_indexes where schemaname = 'public') as entries`);
  return { pages: Number(rows[0]?.pages), scanned: Number(rows[0]?.scanned), entries: Number(rows[0]?.entries) };
}

interface Spent extends Touched {
  readonly cpu: number;
  readonly database: number;
  readonly statements: number;
}

async function spent(mesh: BenchMesh, services: readonly ServiceStatus[], client: pg.Client): Promise<Spent> {
  const state = services.find(({ name }) => name === 'state-persistence');
  const statements = total(await scrape(state?.address ?? ''), 'state_statements_total');
  const counters = await touched(client);
  const database = cpuMs(family(postgresPid(mesh) ?? -1));
  const cpu = services.reduce((sum, { name, pid }) => sum + (FOUR.includes(name) ? cpuMs([pid ?? -1]) : 0), database);
  return { ...counters, cpu, database, statements };
}

/** The median time of a request, ms. */
async function timed(times: number, ask: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    await ask();
    taken.push(performance.now() - started);
  }
  return median(taken);
}

/** A poll for due runs of which there are none, in the way of an orchestrator. */
function duePoll(mesh: BenchMesh, state: string): () => Promise<unknown> {
  const token = readFileSync(join(mesh.home, 'secrets/internal-token'), 'utf8').trim();
  const init = {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ limit: 1, leaseMs: 5_000, waitMs: 0 }),
  };
  return async () => {
    const response = await fetch(`${state}/v1/runs/due`, init);
    if (!response.ok) throw new Error(`the due poll answered ${response.status}`);
    await response.text();
  };
}

async function measure(mesh: BenchMesh, services: readonly ServiceStatus[], client: pg.Client): Promise<Level> {
  const state = services.find(({ name }) => name === 'state-persistence')?.address ?? '';
  const counted = await client.query<{ n: number }>(`select count(*)::int as n from run_heads where status = 'ended'`);
  const finished = counted.rows[0]?.n ?? NaN;
  await drive(mesh, 30, 1);
  const before = await spent(mesh, services, client);
  const alone = await drive(mesh, RUNS, 1);
  const between = await spent(mesh, services, client);
  const gathered = await drive(mesh, GATHERED, 32);
  const after = await spent(mesh, services, client);
  const cursor = async (): Promise<string> => {
    let last = '';
    for (let page = 0; page < 20; page++) {
      const { nextCursor } = await mesh.api<{ nextCursor: string | null }>(
        `/v1/runs?limit=200${last && `&cursor=${last}`}`,
      );
      if (nextCursor === null) break;
      last = nextCursor;
    }
    return last;
  };
  const deep = await cursor();
  return {
    finished,
    p50: median(alone),
    p95: quantile(alone, 0.95),
    'p50 at 32': median(gathered),
    'CPU at 32': (after.cpu - between.cpu) / GATHERED,
    'database CPU at 32': (after.database - between.database) / GATHERED,
    statements: (between.statements - before.statements) / RUNS,
    pages: (between.pages - before.pages) / RUNS,
    entries: (between.entries - before.entries) / RUNS,
    'rows scanned': (after.scanned - before.scanned) / (RUNS + GATHERED),
    'list page': await timed(100, () => mesh.api('/v1/runs?limit=50')),
    'deep page': await timed(100, () => mesh.api(`/v1/runs?limit=50${deep && `&cursor=${deep}`}`)),
    'due poll': await timed(100, duePoll(mesh, state)),
    'nothing to prune': await timed(100, () => mesh.api('/v1/runs/prune', { olderThanMs: 3_650 * DAY })),
    prune: await pruneOldest(mesh, client, 500),
  };
}

/** The time that it takes to prune one of so many runs, the oldest ones, ms; NaN when there are not so many. */
async function pruneOldest(mesh: BenchMesh, client: pg.Client, count: number): Promise<number> {
  const { rows } = await client.query<{ ended_at: Date }>(
    'select ended_at from run_heads where ended_at is not null and pruned_at is null order by ended_at offset $1 limit 1',
    [2 * count - 1],
  );
  const oldest = rows[0];
  if (oldest === undefined) return NaN;
  const olderThanMs = Date.now() - oldest.ended_at.getTime();
  const started = performance.now();
  const { runs } = await mesh.api<{ runs: number }>('/v1/runs/prune', { olderThanMs });
  return (performance.now() - started) / runs;
}

/** The median of each figure. */
function middle(rounds: readonly Level[]): Level {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((one) => one[name] ?? NaN))])) as Level;
}

/** What a column is called in the table, and how its values are written. */
const COLUMNS: readonly [name: string, head: string, digits: number][] = [
  ['finished', 'finished runs', 0],
  ['p50', 'p50, ms', 1],
  ['p95', 'p95, ms', 1],
  ['p50 at 32', 'p50 at 32, ms', 0],
  ['CPU at 32', 'CPU a run at 32, ms', 2],
  ['database CPU at 32', 'of it database, ms', 2],
  ['statements', 'statements a run', 2],
  ['pages', 'pages a run', 0],
  ['entries', 'index entries a run', 0],
  ['rows scanned', 'rows scanned a run', 2],
  ['list page', 'page of 50, ms', 1],
  ['deep page', 'page 4,000 runs back, ms', 1],
  ['due poll', 'due poll, ms', 1],
  ['nothing to prune', 'prune nothing, ms', 1],
  ['prune', 'prune a run, ms', 2],
];

function shown(level: Level, first: Level): string[] {
  return COLUMNS.map(([name, , digits]) => {
    const value = level[name] ?? NaN;
    const base = first[name] ?? NaN;
    if (Number.isNaN(value)) return '-';
    const text = value.toFixed(digits);
    const ratio = level === first || name === 'finished' || !(base > 0) ? '' : ` (x${(value / base).toFixed(2)})`;
    return text + ratio;
  });
}

const mesh = await BenchMesh.make();
placeAgent(mesh);
let agent: ReturnType<typeof startAgent> | undefined;
let client: pg.Client | undefined;
const levels: Level[] = [];
try {
  await mesh.cli('up');
  agent = startAgent(agentOf(mesh));
  await answering(mesh.url(10));
  const services = await mesh.services();
  client = await connect(mesh);
  // Until the compilers have had their say.
  await drive(mesh, 3_000, 32);
  const history = await HistorySeed.of(client);
  for (const count of LEVELS) {
    const rounds: Level[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await history.setTo(count);
      rounds.push(await measure(mesh, services, client));
    }
    const level = middle(rounds);
    levels.push(level);
    console.error(JSON.stringify(level));
  }
} finally {
  await client?.end();
  agent?.kill('SIGKILL');
  await mesh.close();
}
const [first] = levels;
if (first === undefined) throw new Error('nothing was measured: name levels');
const { model } = cpus()[0] ?? { model: 'unknown' };
console.log(
  `${model}, ${availableParallelism()} cores, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB, Node ${process.version}\n`,
);
console.log(
  table(
    COLUMNS.map(([, head]) => head),
    levels.map((level) => shown(level, first)),
  ),
);
