import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { canonicalJson } from '@devmesh/contracts/canonical-json';
import { DEFAULT_RETRY, WorkflowDefinition } from '@devmesh/contracts/workflow';
import { startPostgres } from '@devmesh/testing/postgres';
import { cpuMs, family } from './processes.ts';
import { table } from './stats.ts';

/*
 * What an append costs: `node bench/state-append.ts`, after a build. state-persistence as shipped (validation, token) over a
 * PostgreSQL of its own with fsync on; a client that gathers, as the orchestrator's does, what comes while a batch is under way.
 * `run` is create, acquire and four appends, the last of which ends it: what a six-step graph asks for.
 */

const { values: options } = parseArgs({
  options: { seconds: { type: 'string', default: '4' }, fsync: { type: 'boolean', default: true } },
  allowNegative: true,
});
const SECONDS = Number(options.seconds);
const TOKEN = randomBytes(24).toString('hex');
const WORKFLOW = WorkflowDefinition.parse({
  name: 'bench',
  version: 1,
  description: 'for the bench',
  steps: [
    {
      id: 'only',
      agent: 'documentation',
      action: 'documentation/write',
      with: {},
      needs: [],
      always: false,
      gate: false,
      timeoutMs: 1000,
      retry: DEFAULT_RETRY,
      on: { success: [], failure: [], approval: [], rejection: [] },
    },
  ],
});
const WORKFLOW_DIGEST = createHash('sha256').update(canonicalJson(WORKFLOW)).digest('hex');

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Result = { result: string; epoch?: number };

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

const postgres = await startPostgres({ fsync: options.fsync });
const home = mkdtempSync(join(tmpdir(), 'state-bench-'));
const port = await freePort();
const base = `http://127.0.0.1:${port}`;
const service: ChildProcess = spawn(
  process.execPath,
  [fileURLToPath(new URL('../apps/state-persistence/dist/main.js', import.meta.url))],
  {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      DATABASE_URL: postgres.url,
      DEVMESH_HOME: home,
      DEVMESH_INTERNAL_TOKEN: TOKEN,
      DEVMESH_PORT: String(port),
      LOG_LEVEL: 'warn',
    },
  },
);

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
function call(method: string, path: string, body: Json | null): Promise<string> {
  return new Promise((resolve, reject) => {
    const text = body === null ? '' : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    const sent = request(base + path, { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const answer = Buffer.concat(chunks).toString();
        if (response.statusCode === 200) resolve(answer);
        else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
      });
    });
    sent.on('error', reject);
    sent.end(text);
  });
}

let batches = 0;
const waiting: { op: Json; done: (result: Result) => void; failed: (error: unknown) => void }[] = [];
let sending = false;

function batched(op: Json): Promise<Result> {
  return new Promise((done, failed) => {
    waiting.push({ op, done, failed });
    // What is asked for in the same turn of the loop goes together.
    if (!sending) queueMicrotask(() => void flush());
  });
}

async function flush(): Promise<void> {
  if (sending || waiting.length === 0) return;
  sending = true;
  const now = waiting.splice(0, 256);
  batches++;
  try {
    const answer = await call('POST', '/v1/batch', { ops: now.map((one) => one.op) });
    const { results } = JSON.parse(answer) as { results: Result[] };
    now.forEach((one, i) => one.done(results[i] ?? { result: 'missing' }));
  } catch (error) {
    for (const one of now) one.failed(error);
  }
  sending = false;
  void flush();
}

function newRunId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  const random = randomUUID();
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15, 18)}-${random.slice(19)}`;
}

function expectResult(result: Result, expected: string): Result {
  if (result.result !== expected) throw new Error(`expected ${expected}, got ${JSON.stringify(result)}`);
  return result;
}

async function createAndAcquire(): Promise<{ runId: string; epoch: number }> {
  const runId = newRunId();
  const workflow = { name: 'bench', digest: WORKFLOW_DIGEST };
  const at = Date.now();
  const created: Json = {
    type: 'RunCreated',
    at,
    workflow,
    task: 'bench',
    repository: null,
    requestedBy: 'bench',
    plan: null,
    traceparent: null,
  };
  const create: Json = {
    op: 'create',
    runId,
    projectId: 'default',
    events: [created],
    workflow,
    task: 'bench',
    repository: null,
    idempotency: null,
    wakeAt: at + 60_000,
  };
  expectResult(await batched(create), 'created');
  const { epoch } = expectResult(await batched({ op: 'acquire', runId, owner: 'bench' }), 'acquired');
  return { runId, epoch: epoch ?? 0 };
}

/** An append as a turn makes it: a result and what it enables. */
function append(runId: string, epoch: number, attempt: number, ended: boolean): Json {
  const at = Date.now();
  const key = `${runId}/only/1/${attempt}`;
  const outcome: Json = { kind: 'succeeded', output: { summary: 'x'.repeat(200), files: ['a', 'b'] } };
  const completed: Json = { type: 'StepCompleted', at, step: 'only', key, outcome };
  const next: Json = ended
    ? { type: 'RunEnded', at, verdict: 'passed', reason: 'done' }
    : {
        type: 'StepScheduled',
        at,
        step: 'only',
        iteration: 1,
        attempt: attempt + 1,
        key,
        action: 'documentation/write',
        instance: 'i',
        input: { task: 'x'.repeat(200) },
        rework: null,
        deadlineAt: at,
      };
  return {
    op: 'append',
    appendId: randomUUID(),
    runId,
    epoch,
    events: [completed, { type: 'StepSettled', at, step: 'only', iteration: 1, as: 'succeeded', verdict: null }, next],
    consume: [],
    checkpoint: null,
    artifacts: [],
    ended: ended ? { verdict: 'passed', reason: 'done' } : null,
    wakeAt: ended ? null : at + 3_000,
    park: ended,
  };
}

async function counters(): Promise<{ transactions: number; statements: number }> {
  const text = await call('GET', '/metrics', null);
  const read = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(text)?.[1] ?? NaN);
  return { transactions: read('state_transactions_total'), statements: read('state_statements_total') };
}

const rows: string[][] = [];
async function measure(what: string, flight: number, unit: () => () => Promise<void>): Promise<void> {
  const round = async (ms: number): Promise<number> => {
    const until = Date.now() + ms;
    let done = 0;
    await Promise.all(
      Array.from({ length: flight }, async () => {
        for (const work = unit(); Date.now() < until; done++) await work();
      }),
    );
    return done;
  };
  await round(1_000);
  const servicePids = [service.pid ?? 0];
  const databasePids = family(postgres.pid() ?? 0);
  const before = {
    cpu: cpuMs(servicePids),
    db: cpuMs(databasePids),
    at: performance.now(),
    batches,
    ...(await counters()),
  };
  const done = await round(SECONDS * 1_000);
  const after = {
    cpu: cpuMs(servicePids),
    db: cpuMs(databasePids),
    at: performance.now(),
    batches,
    ...(await counters()),
  };
  const per = (value: number): string => (value / done).toFixed(2);
  rows.push([
    what,
    String(flight),
    (done / ((after.at - before.at) / 1000)).toFixed(0),
    per(after.statements - before.statements),
    per(after.transactions - before.transactions),
    per(after.batches - before.batches),
    per(after.cpu - before.cpu),
    per(after.db - before.db),
  ]);
}

try {
  for (let i = 0; ; i++) {
    const up = await call('GET', '/health/ready', null).then(
      () => true,
      () => false,
    );
    if (up) break;
    if (i > 200 || service.exitCode !== null) throw new Error('state-persistence did not come up');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await call('PUT', `/v1/workflows/${WORKFLOW_DIGEST}`, WORKFLOW as Json);
  const appends = () => {
    const run = createAndAcquire();
    let attempt = 0;
    return async () => {
      const { runId, epoch } = await run;
      expectResult(await batched(append(runId, epoch, ++attempt, false)), 'appended');
    };
  };
  const runs = () => async () => {
    const { runId, epoch } = await createAndAcquire();
    for (let attempt = 1; attempt <= 4; attempt++) {
      expectResult(await batched(append(runId, epoch, attempt, attempt === 4)), 'appended');
    }
  };
  for (const flight of [1, 32]) await measure('append', flight, appends);
  for (const flight of [1, 32]) await measure('run (6 ops)', flight, runs);
  const head = [
    'unit',
    'in flight',
    'per s',
    'statements',
    'transactions',
    'batches',
    'CPU ms service',
    'CPU ms database',
  ];
  process.stdout.write(
    `fsync ${options.fsync ? 'on' : 'off'}; columns from the fourth on are per unit\n${table(head, rows)}\n`,
  );
} finally {
  agent.destroy();
  service.kill('SIGTERM');
  await new Promise((resolve) => (service.exitCode === null ? service.once('exit', resolve) : resolve(null)));
  await postgres.stop();
  rmSync(home, { recursive: true, force: true });
}
