import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { appendOp, createOp, createStateFixture, newRunId, T0, type StateFixture } from '../testing/state.fixture.js';

let fixture: StateFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());
beforeEach(async () => {
  fixture.clock.now = T0;
  await fixture.db.write({ name: 'test-quiet', text: 'truncate runs, run_heads, run_events, inbox', values: [] });
});

const wake = { kind: 'wake' } as const;
const minute = { limit: 10, leaseMs: 5_000, waitMs: 60_000 };

async function parked(): Promise<string> {
  const { runId } = await fixture.one(createOp(), 'created');
  const { epoch } = await fixture.one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
  await fixture.one(appendOp(runId, epoch, { wakeAt: T0 + 3_600_000, park: true }), 'appended');
  return runId;
}

test('pollers of two instances get each run once', async () => {
  const runs = new Set<string>();
  for (let i = 0; i < 30; i++) runs.add((await fixture.one(createOp({ wakeAt: T0 }), 'created')).runId);
  const pollers = [fixture.state, fixture.another(), fixture.state, fixture.another()];
  const handed = await Promise.all(pollers.map(({ due }) => due.poll({ limit: 9, leaseMs: 5_000, waitMs: 0 })));
  const rest = await fixture.state.due.poll({ limit: 100, leaseMs: 5_000, waitMs: 0 });
  const ids = [...handed.flat(), ...rest].map((run) => run.runId);
  expect(ids).toHaveLength(30);
  expect(new Set(ids)).toEqual(runs);
});

test('a run that somebody has locked is left alone', async () => {
  const locked = (await fixture.one(createOp({ wakeAt: T0 }), 'created')).runId;
  const free = (await fixture.one(createOp({ wakeAt: T0 }), 'created')).runId;
  const holder = await fixture.connect();
  await holder.query('begin');
  await holder.query('select 1 from run_heads where run_id = $1 for update', [locked]);
  expect(await fixture.state.due.poll({ ...minute, waitMs: 0 })).toEqual([{ runId: free, lease: 1, priority: 0 }]);
  await holder.query('rollback');
});

describe('a waiting poll', () => {
  test('answers when a row arrives', async () => {
    const runId = await parked();
    const poll = fixture.state.due.poll(minute);
    await fixture.state.inbox.post(runId, { dedupeKey: 'row', message: wake });
    expect(await poll).toEqual([{ runId, lease: 1, priority: 0 }]);
  });

  test('answers when a run is created that is due', async () => {
    const poll = fixture.state.due.poll(minute);
    const { runId } = await fixture.one(createOp({ wakeAt: T0 }), 'created');
    expect(await poll).toEqual([{ runId, lease: 1, priority: 0 }]);
  });

  test('answers what another instance wrote', async () => {
    const runId = await parked();
    const poll = fixture.state.due.poll(minute);
    await fixture.another().inbox.post(runId, { dedupeKey: 'row', message: wake });
    expect(await poll).toEqual([{ runId, lease: 1, priority: 0 }]);
  });

  test('answers when a resume or a recovery makes a run due', async () => {
    const runId = await parked();
    const first = fixture.state.due.poll(minute);
    await fixture.state.due.resume(runId);
    expect(await first).toEqual([{ runId, lease: 1, priority: 0 }]);
    const second = fixture.state.due.poll(minute);
    expect(await fixture.state.due.recover('a')).toBe(1);
    expect(await second).toEqual([{ runId, lease: 2, priority: 0 }]);
  });

  test('asks the database no more for runs that are in hand', async () => {
    const runId = await parked();
    const poll = fixture.state.due.poll(minute);
    const { epoch } = await fixture.one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
    const before = fixture.db.counts.transactions;
    for (let i = 0; i < 20; i++) await fixture.one(appendOp(runId, epoch), 'appended');
    // The poll may have looked once or twice meanwhile, by its own clock; each append made one transaction.
    expect(fixture.db.counts.transactions - before).toBeLessThan(25);
    await fixture.state.inbox.post(runId, { dedupeKey: 'row', message: wake });
    await fixture.state.due.recover('a');
    expect(await poll).toEqual([{ runId, lease: 1, priority: 0 }]);
  });

  test('ends empty when its caller goes away', async () => {
    const gone = new AbortController();
    const poll = fixture.state.due.poll(minute, gone.signal);
    gone.abort();
    expect(await poll).toEqual([]);
  });
});

describe('resume', () => {
  test('wakes a stuck run with a clean record', async () => {
    const runId = await parked();
    for (let i = 0; i < 5; i++) await fixture.state.due.turnFailed(runId, null, `boom ${i}\0`);
    expect(await fixture.state.runs.get(runId)).toMatchObject({
      status: 'stuck',
      turnFailures: 5,
      lastTurnError: 'boom 4\uFFFD',
    });
    await fixture.state.due.resume(runId);
    expect(await fixture.state.runs.get(runId)).toMatchObject({
      status: 'running',
      turnFailures: 0,
      lastTurnError: null,
    });
    expect(await fixture.state.due.poll({ ...minute, waitMs: 0 })).toEqual([{ runId, lease: 1, priority: 0 }]);
  });

  test('refuses what has ended or is not there, naming the run', async () => {
    const { runId } = await fixture.one(createOp(), 'created');
    await fixture.one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
    await fixture.one(
      appendOp(runId, 1, { ended: { verdict: 'passed', reason: '' }, wakeAt: null, park: true }),
      'appended',
    );
    await expect(fixture.state.due.resume(runId)).rejects.toMatchObject({
      code: 'run_ended',
      message: expect.stringContaining(runId) as string,
    });
    await expect(fixture.state.due.resume(newRunId())).rejects.toMatchObject({ code: 'not_found' });
    await expect(fixture.state.due.turnFailed(newRunId(), null, 'x')).rejects.toMatchObject({ code: 'not_found' });
  });
});
