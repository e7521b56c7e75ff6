import type { BatchOp, BatchResult } from '@devmesh/contracts/state-api';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import {
  appendOp,
  createOp,
  createStateFixture,
  newRunId,
  note,
  T0,
  type StateFixture,
} from '../testing/state.fixture.js';
import { waiters } from '../testing/lock-waiters.js';

let fixture: StateFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());
beforeEach(() => {
  fixture.clock.now = T0;
});

async function owned(): Promise<{ runId: string; epoch: number }> {
  const { runId } = await fixture.one(createOp(), 'created');
  const { epoch } = await fixture.one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
  return { runId, epoch };
}

async function run(op: BatchOp): Promise<BatchResult | undefined> {
  return (await fixture.state.batch.run([op]))[0];
}

/** Holds the lock of a run's head while the given work is started, one after the other, each until it waits for the lock. */
async function inOrder<T>(runId: string, work: (() => Promise<T>)[]): Promise<T[]> {
  const [holder, onlooker] = [await fixture.connect(), await fixture.connect()];
  await holder.query('begin');
  await holder.query('select 1 from run_heads where run_id = $1 for update', [runId]);
  const started: Promise<T>[] = [];
  for (const start of work) {
    started.push(start());
    await waiters(onlooker, started.length);
  }
  await holder.query('commit');
  return Promise.all(started);
}

const wake = { kind: 'wake' } as const;
const far = T0 + 3_600_000;

describe('what waited for a lock decides on what is there when it gets it', () => {
  test('a row posted while a park waits keeps the run from being parked', async () => {
    const { runId, epoch } = await owned();
    const [, parked] = await inOrder<unknown>(runId, [
      () => fixture.state.inbox.post(runId, { dedupeKey: 'row', message: wake }),
      () => run(appendOp(runId, epoch, { park: true, wakeAt: far })),
    ]);
    expect(parked).toMatchObject({ result: 'appended', parked: false, inbox: [{ dedupeKey: 'row' }] });
  });

  test('a row posted after a park makes the run due', async () => {
    const { runId, epoch } = await owned();
    const [parked] = await inOrder<unknown>(runId, [
      () => run(appendOp(runId, epoch, { park: true, wakeAt: far })),
      () => fixture.state.inbox.post(runId, { dedupeKey: 'row', message: wake }),
    ]);
    expect(parked).toMatchObject({ parked: true });
    expect(await fixture.state.due.poll({ limit: 100, leaseMs: 1_000, waitMs: 0 })).toContainEqual({
      runId,
      lease: 1,
      priority: 0,
    });
  });

  test('the same append twice at once is written once and answered twice', async () => {
    const { runId, epoch } = await owned();
    const op = appendOp(runId, epoch, { events: [note('x'), note('y')] });
    const answers = await inOrder(runId, [() => run(op), () => run(op), () => run(op)]);
    expect(answers).toEqual([1, 2, 3].map(() => ({ result: 'appended', seq: 3, inbox: [], parked: false })));
    expect(await fixture.state.runs.get(runId)).toMatchObject({ lastSeq: 3 });
  });

  test('an acquire that waited for an append answers its event', async () => {
    const { runId, epoch } = await owned();
    const [, acquired] = await inOrder(runId, [
      () => run(appendOp(runId, epoch, { events: [note('last words')] })),
      () => run({ op: 'acquire', runId, owner: 'b' }),
    ]);
    expect(acquired).toMatchObject({ epoch: 2, events: [{ seq: 1 }, { seq: 2, event: note('last words') }] });
  });

  test('an append that waited for an acquire is stale', async () => {
    const { runId, epoch } = await owned();
    const [, late] = await inOrder(runId, [
      () => run({ op: 'acquire', runId, owner: 'b' }),
      () => run(appendOp(runId, epoch)),
    ]);
    expect(late).toMatchObject({ result: 'refused', code: 'stale_epoch' });
    expect(await fixture.state.runs.get(runId)).toMatchObject({ lastSeq: 1 });
  });

  test('a row that waited for the end is told of it', async () => {
    const { runId, epoch } = await owned();
    const end = { ended: { verdict: 'passed', reason: '' }, wakeAt: null, park: true } as const;
    const [, posted] = await inOrder<unknown>(runId, [
      () => run(appendOp(runId, epoch, end)),
      () => fixture.state.inbox.post(runId, { dedupeKey: 'late', message: wake }),
    ]);
    expect(posted).toEqual({ accepted: false, ended: true });
  });

  test('two who acquire at once get two epochs', async () => {
    const { runId } = await owned();
    const answers = await inOrder(
      runId,
      [1, 2].map(() => () => run({ op: 'acquire', runId, owner: 'b' })),
    );
    expect(answers).toMatchObject([{ epoch: 2 }, { epoch: 3 }]);
  });
});

describe('a batch', () => {
  test('with a stale and a poisonous item writes the others', async () => {
    const [a, b, c] = [await owned(), await owned(), await owned()];
    await run({ op: 'acquire', runId: b.runId, owner: 'b' });
    const poison = createOp({ task: 'NUL \0 in a text' });
    const results = await fixture.state.batch.run([
      appendOp(a.runId, a.epoch),
      appendOp(b.runId, b.epoch),
      poison,
      appendOp(c.runId, c.epoch),
      { op: 'acquire', runId: newRunId(), owner: 'a' },
      appendOp(a.runId, a.epoch, { consume: ['nonsense'] }),
    ]);
    expect(results).toMatchObject([
      { result: 'appended', seq: 2 },
      { result: 'refused', code: 'stale_epoch' },
      { result: 'refused', code: 'invalid_request' },
      { result: 'appended', seq: 2 },
      { result: 'refused', code: 'not_found' },
      { result: 'refused', code: 'invalid_request' },
    ]);
  });

  test('does not wait for ever for one run, and writes the others', async () => {
    const [a, b] = [await owned(), await owned()];
    const holder = await fixture.connect();
    await holder.query('begin');
    await holder.query('select 1 from run_heads where run_id = $1 for update', [a.runId]);
    const hasty = fixture.another({ lockTimeoutMs: 50 });
    const results = await hasty.batch.run([appendOp(a.runId, a.epoch), appendOp(b.runId, b.epoch)]);
    await holder.query('rollback');
    expect(results).toMatchObject([{ result: 'refused', code: 'unavailable' }, { result: 'appended' }]);
  });

  test('refuses unknown projects and workflows, and a first event that is none', async () => {
    const digest = 'f'.repeat(64);
    const results = await fixture.state.batch.run([
      createOp({ projectId: 'nobody' }),
      createOp({ workflow: { digest, name: 'x' } }),
      createOp({ events: [note('x')] }),
    ]);
    expect(results).toMatchObject([
      { result: 'refused', code: 'not_found' },
      { result: 'refused', code: 'not_found' },
      { result: 'refused', code: 'invalid_request' },
    ]);
  });

  test('an append id belongs to one run', async () => {
    const [a, b] = [await owned(), await owned()];
    const op = appendOp(a.runId, a.epoch);
    await fixture.one(op, 'appended');
    expect(await run({ ...op, runId: b.runId })).toMatchObject({ result: 'refused', code: 'conflict' });
  });

  test('keeps what is awkward in JSON as it is', async () => {
    const { runId, epoch } = await owned();
    const odd = note('NUL \0, half a pair \ud83d, "quotes", \\ and {braces}, 中文, \u2028');
    const state = { 'a "b" \\ \0': [null, 1.5e300, -0.1, true, { deep: ['{', '}', ','] }] };
    await fixture.one(appendOp(runId, epoch, { checkpoint: state }), 'appended');
    await fixture.one(appendOp(runId, epoch, { events: [odd] }), 'appended');
    const acquired = await fixture.one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
    expect(acquired.checkpoint).toEqual({ seq: 2, state });
    expect(acquired.events).toEqual([{ seq: 3, event: odd }]);
    const artifact = {
      digest: 'a'.repeat(64),
      name: 'a\0b',
      mediaType: 'text/plain',
      size: 1,
      step: 'only',
      iteration: 1,
    };
    const ended = { verdict: 'failed', reason: 'it said \0' } as const;
    await fixture.one(appendOp(runId, 2, { ended, artifacts: [artifact], wakeAt: null, park: true }), 'appended');
    expect(await fixture.state.runs.get(runId)).toMatchObject({ reason: 'it said \uFFFD' });
  });

  test('of any size and mixture is one transaction of one statement, and one more to read', async () => {
    const runs = await Promise.all(Array.from({ length: 40 }, owned));
    const before = { ...fixture.db.counts };
    const artifact = {
      digest: 'a'.repeat(64),
      name: 'x',
      mediaType: 'text/plain',
      size: 1,
      step: 'only',
      iteration: 1,
    };
    const results = await fixture.state.batch.run([
      ...runs.slice(0, 20).map(({ runId, epoch }) => appendOp(runId, epoch, { artifacts: [artifact] })),
      ...runs.slice(20).map(({ runId }): BatchOp => ({ op: 'acquire', runId, owner: 'b' })),
      ...Array.from({ length: 20 }, () => createOp()),
    ]);
    expect(results.filter((result) => result.result === 'refused')).toEqual([]);
    expect(fixture.db.counts).toEqual({ statements: before.statements + 2, transactions: before.transactions + 1 });
  });

  test('of appends alone, and of creates alone, is one statement', async () => {
    const { runId, epoch } = await owned();
    const before = { ...fixture.db.counts };
    await fixture.one(createOp({ idempotency: { key: newRunId(), requestHash: 'a'.repeat(64) } }), 'created');
    await fixture.one(appendOp(runId, epoch), 'appended');
    expect(fixture.db.counts.statements - before.statements).toBe(2);
  });

  test('is written after all connections were lost', async () => {
    const { runId, epoch } = await owned();
    const killer = await fixture.connect();
    await killer.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'devmesh-state-persistence'`,
    );
    const op = appendOp(runId, epoch);
    const again = async (): Promise<BatchResult | undefined> => {
      try {
        return await run(op);
      } catch (error) {
        expect(error).toMatchObject({ code: 'unavailable', retryable: true });
        return again();
      }
    };
    expect(await again()).toMatchObject({ result: 'appended', seq: 2 });
  });

  test('many writers at once of many runs, in any order, lose and repeat nothing', async () => {
    const runs = await Promise.all(Array.from({ length: 12 }, owned));
    const other = fixture.another();
    await Promise.all(
      Array.from({ length: 10 }, async (_, round) => {
        const order = round % 2 === 0 ? runs : [...runs].reverse();
        const service = round % 3 === 0 ? other : fixture.state;
        const results = await service.batch.run(order.map(({ runId, epoch }) => appendOp(runId, epoch)));
        expect(results.map((result) => result.result)).toEqual(runs.map(() => 'appended'));
      }),
    );
    for (const { runId } of runs) {
      const { events } = await fixture.state.runs.events(runId, { after: 0, limit: 100, waitMs: 0 });
      expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 11 }, (_, i) => i + 1));
    }
  });
});
