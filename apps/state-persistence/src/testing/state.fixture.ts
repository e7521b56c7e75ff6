import { createHash, randomUUID } from 'node:crypto';
import { canonicalJson } from '@devmesh/contracts/canonical-json';
import type { RunEvent } from '@devmesh/contracts/event';
import type { AppendOp, BatchOp, BatchResult, CreateOp } from '@devmesh/contracts/state-api';
import { DEFAULT_RETRY, WorkflowDefinition } from '@devmesh/contracts/workflow';
import { createDatabase, templateDatabase, type TestDatabase } from '@devmesh/testing/postgres';
import pg from 'pg';
import { assemble, type State } from '../assemble.js';
import { Database } from '../database/database.js';
import { migrate } from '../database/migrate.js';

/** Any instant; tests turn the clock from here. */
export const T0 = Date.UTC(2026, 0, 1);

export const WORKFLOW: WorkflowDefinition = WorkflowDefinition.parse({
  name: 'one-step',
  version: 1,
  description: 'for tests',
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
export const WORKFLOW_DIGEST = createHash('sha256').update(canonicalJson(WORKFLOW)).digest('hex');

export interface StateFixture {
  readonly database: TestDatabase;
  readonly db: Database;
  readonly state: State;
  /** The service's clock, Unix ms. */
  readonly clock: { now: number };
  /** What the database said of items that were refused. */
  readonly refusals: unknown[];
  /** A connection of the test's own, for looking and for holding locks. */
  connect(): Promise<pg.Client>;
  /** A service of its own over the same database: another instance. */
  another(options?: { lockTimeoutMs?: number }): State;
  one<R extends BatchResult['result']>(op: BatchOp, expected: R): Promise<Extract<BatchResult, { result: R }>>;
  close(): Promise<void>;
}

/** A migrated database of its own with the services over it, and a workflow in it. */
export async function createStateFixture(serverUrl: string): Promise<StateFixture> {
  const template = await templateDatabase(serverUrl, 'template_state_persistence', migrate);
  const database = await createDatabase(serverUrl, { template });
  const clock = { now: T0 };
  const open: Database[] = [];
  const clients: pg.Client[] = [];
  const connectPool = (lockTimeoutMs = 10_000): Database => {
    const made = new Database({ url: database.url, poolSize: 8, lockTimeoutMs });
    open.push(made);
    return made;
  };
  const db = connectPool();
  const refusals: unknown[] = [];
  const state = assemble({ db, now: () => clock.now, onRefused: (_, error) => refusals.push(error.cause) });
  await state.workflows.put(WORKFLOW_DIGEST, WORKFLOW);
  return {
    database,
    db,
    state,
    clock,
    refusals,
    connect: async () => {
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      clients.push(client);
      return client;
    },
    another: (options) => assemble({ db: connectPool(options?.lockTimeoutMs), now: () => clock.now }),
    one: async (op, expected) => {
      const [result] = await state.batch.run([op]);
      if (result?.result !== expected) throw new Error(`expected ${expected}, got ${JSON.stringify(result)}`);
      return result as Extract<BatchResult, { result: typeof expected }>;
    },
    close: async () => {
      await Promise.all(clients.map((client) => client.end()));
      await Promise.all(open.map((pool) => pool.close()));
      await database.drop();
    },
  };
}

let lastRun = 0;

/** A UUIDv7 that sorts after the ones before it. */
export function newRunId(): string {
  const time = (T0 + ++lastRun).toString(16).padStart(12, '0');
  const random = randomUUID();
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15, 18)}-${random.slice(19)}`;
}

export function createOp(over: Partial<CreateOp> = {}): CreateOp {
  return {
    op: 'create',
    runId: newRunId(),
    projectId: 'default',
    events: [
      {
        type: 'RunCreated',
        at: T0,
        workflow: { name: 'one-step', digest: WORKFLOW_DIGEST },
        task: 'do it',
        repository: null,
        requestedBy: 'test',
        plan: null,
        traceparent: null,
      },
    ],
    workflow: { name: 'one-step', digest: WORKFLOW_DIGEST },
    task: 'do it',
    repository: null,
    idempotency: null,
    wakeAt: T0 + 1_000,
    ...over,
  };
}

export function appendOp(runId: string, epoch: number, over: Partial<AppendOp> = {}): AppendOp {
  return {
    op: 'append',
    appendId: randomUUID(),
    runId,
    epoch,
    events: [note('something')],
    consume: [],
    checkpoint: null,
    artifacts: [],
    ended: null,
    wakeAt: T0 + 3_000,
    park: false,
    ...over,
  };
}

export function note(message: string): RunEvent {
  return { type: 'NotificationRecorded', at: T0, step: 'only', message };
}
