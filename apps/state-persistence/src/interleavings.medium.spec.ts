import type { RunEvent } from '@devmesh/contracts/event';
import type { AppendOp, BatchOp, BatchResult } from '@devmesh/contracts/state-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import {
  appendOp,
  createOp,
  createStateFixture,
  newRunId,
  note,
  T0,
  type StateFixture,
} from './testing/state.fixture.js';
import { comparable, modelPort, servicePort, type StatePort } from './testing/state-port.fixture.js';

/*
 * Any order of operations, stale and repeated ones among them, has the same answers and the same end from the service as
 * from the model that the engine's simulator runs on.
 */

let fixture: StateFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());

const run = fc.nat({ max: 2 });
const instance = fc.constantFrom('i1', 'i2');
const wakeIn = fc.constantFrom(0, 500, 3_000, 60_000);

const batchOp = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('create'),
      run,
      key: fc.option(fc.nat({ max: 1 })),
      hash: fc.nat({ max: 1 }),
      wakeIn: fc.option(wakeIn),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('acquire'), run, owner: fc.constantFrom('a', 'b') }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('append'),
      run,
      /** Epochs behind the latest. */
      behind: fc.constantFrom(0, 0, 0, 1),
      /** Sends the last append of the run again. */
      again: fc.constantFrom(false, false, false, true),
      events: fc.nat({ max: 2 }),
      consume: fc.constantFrom('all', 'first', 'none'),
      checkpoint: fc.boolean(),
      ended: fc.constantFrom(false, false, false, false, true),
      wakeIn: fc.option(wakeIn, { freq: 6 }),
      park: fc.boolean(),
    }),
  },
);
const command = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('batch'), ops: fc.array(batchOp, { minLength: 1, maxLength: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('post'), run, dedupe: fc.nat({ max: 3 }), result: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('due'), limit: fc.constantFrom(1, 10) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recover'), owner: fc.constantFrom('a', 'b') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('turnFailed'), run, behind: fc.option(fc.nat({ max: 1 })) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('claim'), run, instance }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('record'), run, instance }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('heartbeat'), run, instance }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass'), ms: fc.constantFrom(100, 1_000, 5_000) }) },
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;
type Op = Extract<Command, { ops: unknown }>['ops'][number];

/** Applies commands to one port. What an owner would remember (epochs, unread rows, its last append) it learns from answers. */
class Driver {
  private readonly epochs = new Map<string, number>();
  private readonly rows = new Map<string, { id: string; dedupeKey: string }[]>();
  private readonly lastAppend = new Map<string, AppendOp>();

  constructor(
    private readonly port: StatePort,
    private readonly runs: readonly string[],
    private readonly appendIds: () => string,
  ) {}

  async apply(one: Command, now: number): Promise<unknown> {
    const runId = 'run' in one ? this.id(one.run) : '';
    const key = `${runId}/only/1/1`;
    switch (one.do) {
      case 'batch': {
        const ops = one.ops.map((op) => this.op(op, now));
        const results = await this.port.batch(ops);
        results.forEach((result, i) => this.learn(ops[i], result));
        return results.map(comparable);
      }
      case 'post': {
        const message = one.result
          ? ({ kind: 'result', key, outcome: { kind: 'timed_out' } } as const)
          : ({ kind: 'wake' } as const);
        return this.port.post(runId, { dedupeKey: `d${one.dedupe}`, message });
      }
      case 'due':
        return this.port.due(one.limit, 5_000);
      case 'recover':
        return this.port.recover(one.owner);
      case 'turnFailed':
        if ((await this.port.look(runId)) === undefined) return 'no run';
        return this.port.turnFailed(runId, one.behind === null ? null : this.epoch(runId) - one.behind);
      case 'claim':
        return this.port.claim({ key, instance: one.instance, leaseMs: 1_000 });
      case 'record':
        return this.port.record({ key, instance: one.instance, outcome: { kind: 'cancelled' } });
      case 'heartbeat':
        return this.port.heartbeat({ instance: one.instance, leaseMs: 1_000, executions: [{ key, progress: null }] });
      case 'pass':
        return one.ms;
    }
  }

  private op(op: Op, now: number): BatchOp {
    const runId = this.id(op.run);
    if (op.op === 'create') {
      const idempotency =
        op.key === null ? null : { key: `${this.id(0)} ${op.key}`, requestHash: String(op.hash).repeat(64) };
      return createOp({ runId, idempotency, wakeAt: op.wakeIn === null ? null : now + op.wakeIn });
    }
    if (op.op === 'acquire') return { op: 'acquire', runId, owner: op.owner };
    const last = this.lastAppend.get(runId);
    if (op.again && last !== undefined) return last;
    const rows = this.rows.get(runId) ?? [];
    const append = appendOp(runId, Math.max(1, this.epoch(runId) - op.behind), {
      appendId: this.appendIds(),
      events: Array.from({ length: op.events }, (_, i): RunEvent => note(`event ${i}`)),
      consume: (op.consume === 'all' ? rows : op.consume === 'first' ? rows.slice(0, 1) : []).map((row) => row.id),
      checkpoint: op.checkpoint ? { at: now } : null,
      ended: op.ended ? { verdict: 'passed', reason: 'done' } : null,
      wakeAt: op.wakeIn === null ? null : now + op.wakeIn,
      park: op.park,
    });
    this.lastAppend.set(runId, append);
    return append;
  }

  private learn(op: BatchOp | undefined, result: BatchResult): void {
    if (op === undefined) return;
    if (result.result === 'acquired') this.epochs.set(op.runId, result.epoch);
    if (result.result === 'acquired' || result.result === 'appended') this.rows.set(op.runId, result.inbox);
  }

  private id(index: number): string {
    return this.runs[index] ?? '';
  }

  private epoch(runId: string): number {
    return this.epochs.get(runId) ?? 1;
  }
}

function appendIds(): () => string {
  let n = 0;
  const base = newRunId().slice(0, 24);
  return () => base + String(++n).padStart(12, '0');
}

test('model and service answer any order of operations alike', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 40 }), async (commands) => {
      const { clock, db } = fixture;
      clock.now = T0;
      const runs = [newRunId(), newRunId(), newRunId()];
      const ids = [appendIds(), appendIds()] as const;
      const [model, service] = [modelPort(clock), servicePort(fixture)];
      const drivers = [new Driver(model, runs, ids[0]), new Driver(service, runs, ids[1])] as const;
      for (const one of commands) {
        if (one.do === 'pass') clock.now += one.ms;
        const [expected, actual] = await Promise.all(drivers.map((driver) => driver.apply(one, clock.now)));
        expect(actual).toEqual(expected);
      }
      for (const runId of runs) {
        expect(await service.look(runId)).toEqual(await model.look(runId));
        const acquire: BatchOp = { op: 'acquire', runId, owner: 'z' };
        const [expected, actual] = await Promise.all([model, service].map((port) => port.batch([acquire])));
        expect(actual?.map(comparable)).toEqual(expected?.map(comparable));
      }
      expect(fixture.refusals).toEqual([]);
      // Later rounds must not be handed the runs of this one.
      await db.write({
        name: 'test-forget',
        text: 'delete from run_heads where run_id = any($1::uuid[])',
        values: [runs],
      });
    }),
    { numRuns: 60 },
  );
}, 120_000);
