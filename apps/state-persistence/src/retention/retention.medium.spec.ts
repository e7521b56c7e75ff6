import { randomUUID } from 'node:crypto';
import type { DevmeshError } from '@devmesh/contracts/errors';
import { executionKey } from '@devmesh/contracts/ids';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { waiters } from '../testing/lock-waiters.js';
import {
  builtOn,
  createRetentionFixture,
  DAY,
  endedRun,
  naming,
  ownedRun,
  type RetentionFixture,
} from '../testing/retention.fixture.js';
import { appendOp, createOp, createStateFixture, note, T0, type StateFixture } from '../testing/state.fixture.js';

let fixture: StateFixture;
let kept: RetentionFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
  kept = await createRetentionFixture(fixture);
  await fixture.db.write({ name: 'other', text: `insert into projects values ('other', 'Other', now())`, values: [] });
});
afterAll(async () => {
  await kept.close();
  await fixture.close();
});
beforeEach(async () => {
  fixture.clock.now = T0;
  await fixture.db.write({
    name: 'quiet',
    text: `truncate runs, run_heads, run_events, inbox, appends, executions, run_artifacts, barred_executions, approvals, effects,
      idempotency_keys, artifacts`,
    values: [],
  });
});
afterEach(() => {
  if (fixture.refusals.length > 0) throw new Error('the database refused an item', { cause: fixture.refusals[0] });
});

const DETAIL = ['run_events', 'inbox', 'appends', 'executions', 'barred_executions', 'run_artifacts'] as const;
const OUTLIVES = ['runs', 'run_heads', 'approvals', 'effects', 'idempotency_keys'] as const;

/** How many rows of a run there are, by table. */
async function rows(runId: string, tables: readonly string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const [row] = await fixture.db.read<{ n: number }>({
      name: `rows-${table}`,
      text: `select count(*)::int as n from ${table} where ${table === 'runs' ? 'id' : 'run_id'} = $1::uuid`,
      values: [runId],
    });
    counts[table] = row?.n ?? -1;
  }
  return counts;
}

/** A run with a row in every table, which then ended. */
async function fullRun(): Promise<string> {
  const digest = await kept.upload();
  const { runId, epoch } = await ownedRun(fixture, { idempotency: { key: randomUUID(), requestHash: 'a'.repeat(64) } });
  const key = executionKey(runId, 'only', 1, 1);
  await fixture.state.executions.claim({ key, instance: 'i', leaseMs: 1_000 });
  await fixture.state.inbox.post(runId, { dedupeKey: 'wake', message: { kind: 'wake' } });
  const { inbox } = await fixture.one(
    appendOp(runId, epoch, {
      ...naming(digest),
      barred: [key],
      checkpoint: { some: 'state' },
      approvals: [
        {
          step: 'only',
          iteration: 1,
          request: {
            id: randomUUID(),
            kind: 'consent',
            title: 'may I?',
            subject: {},
            hash: 'd'.repeat(64),
            expiresAt: T0 + DAY,
            remindAt: null,
            escalateAt: null,
            escalateTo: [],
          },
        },
      ],
    }),
    'appended',
  );
  const claim = await fixture.state.effects.claim({
    key: `${runId}/only/push/origin`,
    execution: executionKey(runId, 'only', 1, 2),
    instance: 'i',
    intent: {},
    intentHash: 'e'.repeat(64),
    approval: null,
    leaseMs: 1_000,
  });
  expect(claim).toMatchObject({ claim: 'granted' });
  const ended = { verdict: 'rejected', reason: 'not good enough' } as const;
  const consume = inbox.map((row) => row.id);
  await fixture.one(appendOp(runId, epoch, { ended, consume, wakeAt: null, park: true }), 'appended');
  return runId;
}

/**
 * Starts work on a run while a sweep has locked it and waits to delete, so that the work waits behind the sweep; `before` is
 * committed just before the sweep goes on.
 */
async function duringPrune<T>(
  work: () => Promise<T>,
  before: (holder: pg.Client) => Promise<unknown> = () => Promise.resolve(),
): Promise<T> {
  const [holder, onlooker] = [await fixture.connect(), await fixture.connect()];
  await holder.query('begin');
  await holder.query('lock table run_artifacts in access exclusive mode');
  const sweep = kept.retention().sweep();
  await waiters(onlooker, 1);
  const started = work();
  await waiters(onlooker, 2);
  await before(holder);
  await holder.query('commit');
  await sweep;
  return started;
}

async function refusal(work: Promise<unknown>): Promise<DevmeshError> {
  return work.then(
    () => expect.unreachable('it was not refused'),
    (error: unknown) => error as DevmeshError,
  );
}

describe('the detail of a run', () => {
  test('is removed when the run ended long enough ago; the run with its verdict and all that must outlive it stays', async () => {
    const runId = await fullRun();
    const before = await rows(runId, DETAIL);
    expect(Object.values(before).every((count) => count > 0)).toBe(true);
    const shown = await fixture.state.runs.get(runId);

    fixture.clock.now += 30 * DAY - 1;
    await kept.retention().sweep();
    expect(await rows(runId, DETAIL)).toEqual(before);

    fixture.clock.now += 1;
    await kept.retention().sweep();
    expect(await rows(runId, DETAIL)).toEqual(Object.fromEntries(DETAIL.map((table) => [table, 0])));
    expect(await rows(runId, OUTLIVES)).toEqual(Object.fromEntries(OUTLIVES.map((table) => [table, 1])));
    expect(await fixture.state.runs.get(runId)).toEqual({ ...shown, prunedAt: '2026-01-31T00:00:00.000Z' });
    expect((await fixture.state.runs.list({ limit: 10 })).items.map((run) => run.id)).toEqual([runId]);
    const [head] = await fixture.db.read({
      name: 'checkpoint',
      text: 'select checkpoint, checkpoint_seq, unread from run_heads',
      values: [],
    });
    expect(head).toEqual({ checkpoint: null, checkpoint_seq: null, unread: 0 });
  });

  test('is told to be gone, with what is kept and the cure', async () => {
    const runId = await endedRun(fixture);
    fixture.clock.now += 31 * DAY;
    await kept.retention().sweep();
    for (const read of [
      () => fixture.state.runs.events(runId, { after: 0, limit: 10, waitMs: 10_000 }),
      () => kept.artifacts.ofRun(runId),
    ]) {
      const error = await refusal(read());
      expect([error.code, error.status, error.retryable]).toEqual(['gone', 410, false]);
      expect(error.message).toMatch(/2026-02-01.*verdict.*kept.*DEVMESH_RETENTION_DAYS/);
    }
  });

  test('of a run that has not ended, or that somebody must still look at, is never removed', async () => {
    const running = await ownedRun(fixture);
    const stopping = await endedRun(fixture, {}, { park: false, wakeAt: T0 + DAY });
    fixture.clock.now += 1_000 * DAY;
    await kept.retention({ keepRuns: 1 }).sweep();
    expect(await kept.retention().prune({ projectId: 'default', olderThanMs: 0, dryRun: false })).toEqual({
      runs: 0,
      events: 0,
      more: false,
    });
    expect((await rows(running.runId, ['run_events']))['run_events']).toBe(1);
    expect((await rows(stopping, ['run_events']))['run_events']).toBe(2);
    await fixture.one(appendOp(running.runId, running.epoch), 'appended');
  });

  test('goes oldest first, in transactions of a bounded number of runs and events', async () => {
    const events = (count: number): Parameters<typeof endedRun>[2] => ({
      events: Array.from({ length: count }, (_, i) => note(String(i))),
    });
    for (const count of [2_499, 2_499, 3, 9_000, 1, 1, 1]) {
      await endedRun(fixture, {}, events(count));
      fixture.clock.now += 1_000;
    }
    fixture.clock.now += 30 * DAY - 2_000;
    const pruned: unknown[] = [];
    await kept.retention({ batchRuns: 2 }, (batch) => pruned.push(batch)).sweep();
    // The last one has not been over for long enough; the one with too many events goes alone.
    expect(pruned).toEqual([
      { runs: 2, events: 5_000 },
      { runs: 1, events: 4 },
      { runs: 1, events: 9_001 },
      { runs: 2, events: 4 },
    ]);
  });

  test('of more ended runs than are to be kept is removed, but never of those that have just ended', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.push(await endedRun(fixture));
      fixture.clock.now += 1_000;
    }
    const pruned = async (): Promise<string[]> =>
      (await fixture.state.runs.list({ limit: 10 })).items.filter((run) => run.prunedAt).map((run) => run.id);
    await kept.retention({ keepRuns: 2 }).sweep();
    expect(await pruned()).toEqual([]);
    fixture.clock.now += 3600_000;
    await kept.retention({ keepRuns: 2 }).sweep();
    expect(await pruned()).toEqual(ids.slice(0, 3).reverse());
    await kept.retention({ keepRuns: 2 }).sweep();
    expect(await pruned()).toHaveLength(3);
  });

  test('is removed on request: of the project that asks, as old as it says, as much as fits, and not when only counted', async () => {
    const others = await endedRun(fixture, { projectId: 'other' });
    for (let i = 0; i < 21; i++) await endedRun(fixture);
    fixture.clock.now += DAY;
    await endedRun(fixture);
    const retention = kept.retention({ batchRuns: 1 });
    const ask = (olderThanMs: number, dryRun = false): Promise<unknown> =>
      retention.prune({ projectId: 'default', olderThanMs, dryRun });
    expect(await ask(DAY, true)).toEqual({ runs: 21, events: 42, more: false });
    expect(await ask(DAY + 1, true)).toEqual({ runs: 0, events: 0, more: false });
    expect(await ask(DAY)).toEqual({ runs: 20, events: 40, more: true });
    expect(await ask(DAY)).toEqual({ runs: 1, events: 2, more: false });
    expect(await ask(DAY, true)).toEqual({ runs: 0, events: 0, more: false });
    expect((await fixture.state.runs.get(others)).prunedAt).toBeUndefined();
  });
});

describe('several at once', () => {
  test('instances that sweep at once prune each run once', async () => {
    for (let i = 0; i < 30; i++) await endedRun(fixture, builtOn('b'.repeat(64)));
    fixture.clock.now += 31 * DAY;
    let runs = 0;
    const sweep = (): Promise<void> => kept.retention({ batchRuns: 3 }, (batch) => (runs += batch.runs)).sweep();
    await Promise.all([sweep(), sweep(), sweep()]);
    // Who finds all that is left locked by others is done; what they leave is taken by a later sweep.
    await sweep();
    expect(runs).toBe(30);
  });

  test('a run that somebody has locked is left alone, and the others are not', async () => {
    const locked = await endedRun(fixture);
    const free = await endedRun(fixture);
    fixture.clock.now += 31 * DAY;
    const holder = await fixture.connect();
    await holder.query('begin');
    await holder.query('select 1 from run_heads where run_id = $1 for update', [locked]);
    await kept.retention().sweep();
    await holder.query('commit');
    const prunedAt = async (id: string): Promise<string | undefined> => (await fixture.state.runs.get(id)).prunedAt;
    expect(await prunedAt(locked)).toBeUndefined();
    expect(await prunedAt(free)).toBeDefined();
  });

  test('an owner from before can add nothing, nobody can take the run over, and a lost reply does no harm', async () => {
    const { runId, epoch } = await ownedRun(fixture);
    const ended = { verdict: 'passed', reason: 'all well' } as const;
    const end = appendOp(runId, epoch, { ended, wakeAt: null, park: true });
    await fixture.one(end, 'appended');
    // A late job.
    const late = await fixture.one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
    expect(late).toMatchObject({ status: 'ended', events: [{ seq: 1 }, { seq: 2 }] });
    fixture.clock.now += 31 * DAY;
    await kept.retention().sweep();
    expect(await fixture.one(appendOp(runId, late.epoch, { wakeAt: null }), 'refused')).toMatchObject({
      code: 'stale_epoch',
    });
    expect(await fixture.one(end, 'refused')).toMatchObject({ code: 'stale_epoch' });
    expect(await fixture.one({ op: 'acquire', runId, owner: 'c' }, 'refused')).toMatchObject({ code: 'not_found' });
    expect(await fixture.state.inbox.post(runId, { dedupeKey: 'x', message: { kind: 'wake' } })).toEqual({
      accepted: false,
      ended: true,
    });
    expect(await refusal(fixture.state.due.resume(runId))).toMatchObject({ code: 'run_ended' });
    expect(await rows(runId, DETAIL)).toEqual(Object.fromEntries(DETAIL.map((table) => [table, 0])));
    expect(await fixture.state.due.poll({ limit: 10, leaseMs: 1_000, waitMs: 0 })).toEqual([]);
  });

  test('what an append wrote while the run was waited for is removed too', async () => {
    const runId = await endedRun(fixture);
    const { epoch } = await fixture.one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
    fixture.clock.now += 31 * DAY;
    const late = (holder: pg.Client): Promise<unknown> =>
      holder.query(`insert into run_artifacts values ($1, 'only', 1, 'late', $2, 'text/plain', 1)`, [
        runId,
        'f'.repeat(64),
      ]);
    const append = await duringPrune(() => fixture.state.batch.run([appendOp(runId, epoch, { wakeAt: null })]), late);
    expect(append).toMatchObject([{ result: 'refused', code: 'stale_epoch' }]);
    expect(await rows(runId, DETAIL)).toEqual(Object.fromEntries(DETAIL.map((table) => [table, 0])));
  });

  test('a claim whose run is being pruned is refused: nobody knows any more whether it was claimed before', async () => {
    const { runId, epoch } = await ownedRun(fixture);
    const key = executionKey(runId, 'only', 1, 1);
    const claim = { key, instance: 'i', leaseMs: 1_000 };
    await fixture.state.executions.claim(claim);
    await fixture.state.executions.recordOutcome({ key, instance: 'i', outcome: { kind: 'cancelled' } });
    const ended = { verdict: 'passed', reason: 'all well' } as const;
    await fixture.one(appendOp(runId, epoch, { ended, wakeAt: null, park: true }), 'appended');
    fixture.clock.now += 31 * DAY;
    const claiming = await duringPrune(() =>
      refusal(fixture.state.executions.claim({ ...claim, instance: 'another' })),
    );
    expect(claiming).toMatchObject({ code: 'run_ended' });
    const late = { instance: 'i', leaseMs: 1_000, executions: [{ key, progress: 'still here' }] };
    expect(await fixture.state.executions.heartbeat(late)).toEqual([key]);
    expect((await rows(runId, ['executions']))['executions']).toBe(0);
  });
});

test('a key that was used by a run whose detail is gone still answers with that run', async () => {
  const idempotency = { key: 'once', requestHash: 'a'.repeat(64) };
  const runId = await endedRun(fixture, { idempotency });
  fixture.clock.now += 31 * DAY;
  await kept.retention().sweep();
  expect(await fixture.one(createOp({ idempotency }), 'created')).toEqual({ result: 'created', runId, fresh: false });
});
