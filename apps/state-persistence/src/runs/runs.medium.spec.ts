import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import {
  appendOp,
  createOp,
  createStateFixture,
  newRunId,
  note,
  T0,
  type StateFixture,
} from '../testing/state.fixture.js';

let fixture: StateFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
  await fixture.db.write({
    name: 'test-project',
    text: `insert into projects values ('other', 'Other', now())`,
    values: [],
  });
});
afterAll(() => fixture.close());
beforeEach(async () => {
  fixture.clock.now = T0;
  await fixture.db.write({ name: 'test-quiet', text: 'truncate runs, run_heads, run_events, executions', values: [] });
});

const end = { ended: { verdict: 'passed', reason: 'all well' }, wakeAt: null, park: true } as const;

async function owned(over: Parameters<typeof createOp>[0] = {}): Promise<string> {
  const { runId } = await fixture.one(createOp(over), 'created');
  await fixture.one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
  return runId;
}

test('a run is shown as it was submitted and as it stands', async () => {
  const runId = await owned({ task: 'write it' });
  fixture.clock.now += 5_000;
  await fixture.one(appendOp(runId, 1, end), 'appended');
  expect(await fixture.state.runs.get(runId)).toEqual({
    id: runId,
    projectId: 'default',
    workflow: 'one-step',
    workflowDigest: expect.any(String) as string,
    task: 'write it',
    repository: null,
    status: 'ended',
    verdict: 'passed',
    reason: 'all well',
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:05.000Z',
    endedAt: '2026-01-01T00:00:05.000Z',
    lastSeq: 2,
    turnFailures: 0,
    lastTurnError: null,
  });
  await expect(fixture.state.runs.get(newRunId())).rejects.toMatchObject({ code: 'not_found' });
});

test('pages go from new to old, and new runs do not shift them', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) ids.push(await owned());
  const first = await fixture.state.runs.list({ limit: 2 });
  await owned();
  const second = await fixture.state.runs.list({ limit: 2, cursor: first.nextCursor ?? '' });
  const third = await fixture.state.runs.list({ limit: 2, cursor: second.nextCursor ?? '' });
  expect([first, second, third].map((page) => page.items.map((run) => run.id))).toEqual([
    [ids[4], ids[3]],
    [ids[2], ids[1]],
    [ids[0]],
  ]);
  expect(third.nextCursor).toBeNull();
  await expect(fixture.state.runs.list({ limit: 2, cursor: 'nonsense' })).rejects.toMatchObject({
    code: 'invalid_request',
  });
});

test('pages can be of one project and one status', async () => {
  const ended = await owned();
  await fixture.one(appendOp(ended, 1, end), 'appended');
  const running = await owned();
  const others = await owned({ projectId: 'other' });
  const list = async (query: { projectId?: string; status?: 'running' | 'stuck' | 'ended' }): Promise<string[]> =>
    (await fixture.state.runs.list({ limit: 10, ...query })).items.map((run) => run.id);
  expect(await list({ projectId: 'other' })).toEqual([others]);
  expect(await list({ projectId: 'default' })).toEqual([running, ended]);
  expect(await list({ status: 'ended' })).toEqual([ended]);
  expect(await list({ status: 'running' })).toEqual([others, running]);
  expect(await list({ status: 'running', projectId: 'default' })).toEqual([running]);
  expect(await list({ status: 'stuck' })).toEqual([]);
});

test('events are read in pages, and the last page says that the run has ended', async () => {
  const runId = await owned();
  await fixture.one(appendOp(runId, 1, { events: [note('a'), note('b')] }), 'appended');
  await fixture.one(appendOp(runId, 1, end), 'appended');
  const read = (after: number, limit: number): Promise<unknown> =>
    fixture.state.runs.events(runId, { after, limit, waitMs: 0 });
  expect(await read(1, 2)).toEqual({
    events: [
      { seq: 2, event: note('a') },
      { seq: 3, event: note('b') },
    ],
    progress: [],
    ended: false,
  });
  expect(await read(3, 2)).toMatchObject({ events: [{ seq: 4 }], ended: true });
  expect(await read(4, 2)).toEqual({ events: [], progress: [], ended: true });
  await expect(fixture.state.runs.events(newRunId(), { after: 0, limit: 1, waitMs: 0 })).rejects.toMatchObject({
    code: 'not_found',
  });
});

test('a reader waits for the next event, from this instance or another', async () => {
  const runId = await owned();
  const wait = (after: number): Promise<{ events: unknown[] }> =>
    fixture.state.runs.events(runId, { after, limit: 10, waitMs: 30_000 });
  const first = wait(1);
  await fixture.one(appendOp(runId, 1), 'appended');
  expect((await first).events).toHaveLength(1);
  const second = wait(2);
  await fixture.another().batch.run([appendOp(runId, 1)]);
  expect((await second).events).toHaveLength(1);
});

test('a reader hears of progress', async () => {
  const runId = await owned();
  const key = `${runId}/only/1/1`;
  const beat = (progress: string): Promise<unknown> =>
    fixture.state.executions.heartbeat({ instance: 'i', leaseMs: 1_000, executions: [{ key, progress }] });
  const read = fixture.state.runs.events(runId, { after: 1, limit: 10, waitMs: 30_000 });
  let heard = false;
  void read.then(() => (heard = true));
  // When the reader looks for the first time is its business; from then on each heartbeat is news.
  for (let i = 1; !heard; i++) await beat(`reading ${i}`);
  await beat('reading the last');
  expect(await read).toMatchObject({ events: [], progress: [{ step: 'only', key }], ended: false });
  const shown = await fixture.state.runs.events(runId, { after: 1, limit: 10, waitMs: 0 });
  expect(shown.progress).toEqual([{ step: 'only', key, message: 'reading the last' }]);
  fixture.clock.now += 1_000;
  expect((await fixture.state.runs.events(runId, { after: 1, limit: 10, waitMs: 0 })).progress).toEqual([]);
});

test('the runs of executions whose agent is gone are due at once, those of others and claims are not', async () => {
  const [orphan, cared, acting, inHand] = [await owned(), await owned(), await owned(), await owned()];
  const now = fixture.clock.now;
  const lease = 15_000;
  const beat = (runId: string, instance: string): Promise<unknown> =>
    fixture.state.executions.heartbeat({
      instance,
      leaseMs: lease,
      executions: [{ key: `${runId}/only/1/1`, progress: null }],
    });
  await fixture.state.executions.claim({ key: `${acting}/only/1/1`, instance: 'dead', leaseMs: lease });
  for (const runId of [orphan, acting, inHand]) await beat(runId, 'dead');
  await beat(cared, 'alive');
  for (const runId of [orphan, cared, acting])
    await fixture.one({ ...appendOp(runId, 1), wakeAt: now + lease, park: true }, 'appended');

  await fixture.state.executions.orphan({ present: ['alive', 'another'] });

  const due = await fixture.state.due.poll({ limit: 100, leaseMs: 1_000, waitMs: 0 });
  expect(due.map((run) => run.runId)).toEqual([orphan]);
  const leases = async (runId: string) =>
    (await fixture.one({ op: 'acquire', runId, owner: 'b' }, 'acquired')).leases.map(({ leaseUntil }) => leaseUntil);
  expect(await leases(orphan)).toEqual([now]);
  expect(await leases(inHand)).toEqual([now]);
  expect(await leases(cared)).toEqual([now + lease]);
  expect(await leases(acting)).toEqual([now + lease]);
});
