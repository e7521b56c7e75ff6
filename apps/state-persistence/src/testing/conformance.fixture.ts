import type { BatchOp, BatchResult, CreateOp } from '@devmesh/contracts/state-api';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest';
import { createOp, createStateFixture, T0, type StateFixture } from './state.fixture.js';
import { modelPort, servicePort, type StatePort } from './state-port.fixture.js';

export const KINDS = ['model', 'service'] as const;

/** What a conformance suite asks: the port, with nothing on record, and its clock. */
export interface Conformance {
  readonly port: StatePort;
  readonly clock: { now: number };
  /** Does an op, and expects this result. */
  one<R extends BatchResult['result']>(op: BatchOp, expected: R): Promise<Extract<BatchResult, { result: R }>>;
  /** A run that owner `a` has acquired. */
  owned(over?: Partial<CreateOp>): Promise<{ runId: string; epoch: number }>;
}

/** Holds the tests of the `describe` that calls it to the model that the simulator runs on, or to the service. */
export function conformance(kind: (typeof KINDS)[number]): Conformance {
  let fixture: StateFixture | undefined;
  let clock = { now: T0 };
  let port: StatePort;

  beforeAll(async () => {
    if (kind === 'service') fixture = await createStateFixture(inject('postgresUrl'));
  });
  afterAll(() => fixture?.close());
  beforeEach(async () => {
    clock = fixture?.clock ?? { now: T0 };
    clock.now = T0;
    port = fixture === undefined ? modelPort(clock) : servicePort(fixture);
    // Runs of the test before are nobody's business any more.
    await fixture?.db.write({
      name: 'test-quiet',
      text: 'truncate runs, run_heads, run_events, inbox, executions, run_slots, approvals, effects, barred_executions',
      values: [],
    });
  });
  afterEach(() => {
    if (fixture !== undefined && fixture.refusals.length > 0)
      throw new Error('the database refused an item', { cause: fixture.refusals[0] });
  });

  const one: Conformance['one'] = async (op, expected) => {
    const [result] = await port.batch([op]);
    expect(result).toMatchObject({ result: expected });
    return result as Extract<BatchResult, { result: typeof expected }>;
  };
  return {
    get port() {
      return port;
    },
    get clock() {
      return clock;
    },
    one,
    owned: async (over = {}) => {
      const { runId } = await one(createOp(over), 'created');
      const { epoch } = await one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
      return { runId, epoch };
    },
  };
}
