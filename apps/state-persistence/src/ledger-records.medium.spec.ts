import { effectKey, type EffectClaim } from '@devmesh/contracts/effect';
import { executionKey } from '@devmesh/contracts/ids';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { ArtifactsRepository } from './artifacts/artifacts.repository.js';
import { appendOp, createOp, createStateFixture, T0, type StateFixture } from './testing/state.fixture.js';

// What people and other software read of approvals, effects and places: the model of the engine has no such views.
const HASH = 'd'.repeat(64);
const HOUR = 3600_000;
const yes = { verdict: 'approved', hash: HASH, by: 'ann', comment: 'fine' } as const;

let fixture: StateFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());
beforeEach(async () => {
  fixture.clock.now = T0;
  await fixture.db.write({ name: 'test-no-approvals', text: 'truncate approvals', values: [] });
});

async function owned(): Promise<{ runId: string; epoch: number }> {
  const { runId } = await fixture.one(createOp(), 'created');
  const { epoch } = await fixture.one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
  return { runId, epoch };
}

function request(id: string) {
  const times = { expiresAt: T0 + HOUR, remindAt: null, escalateAt: null };
  const what = { title: 'May it?', subject: { step: 'push' }, hash: HASH };
  return { id, kind: 'consent' as const, ...what, ...times, escalateTo: ['lead'] };
}

async function ask(run: { runId: string; epoch: number }, id: string = randomUUID()): Promise<string> {
  const approvals = [{ step: 'consent', iteration: 2, request: request(id) }];
  await fixture.one(appendOp(run.runId, run.epoch, { approvals }), 'appended');
  return id;
}

const iso = (at: number): string => new Date(at).toISOString();

describe('an approval', () => {
  test('is read as it was asked, escalated and decided', async () => {
    const run = await owned();
    const id = await ask(run);
    const { title, subject, hash, kind, escalateTo } = request(id);
    const open = {
      id,
      runId: run.runId,
      projectId: 'default',
      step: 'consent',
      iteration: 2,
      kind,
      title,
      subject,
      hash,
      escalateTo,
      status: 'open',
      requestedAt: iso(T0),
      expiresAt: iso(T0 + HOUR),
      escalatedAt: null,
      decidedAt: null,
      decidedBy: null,
      comment: null,
    };
    expect(await fixture.state.approvals.get(id)).toEqual(open);
    fixture.clock.now += 10;
    await fixture.one(appendOp(run.runId, run.epoch, { closedApprovals: [{ id, status: 'escalated' }] }), 'appended');
    const escalated = { ...open, escalatedAt: iso(T0 + 10) };
    expect(await fixture.state.approvals.get(id)).toEqual(escalated);
    fixture.clock.now += 10;
    const decided = await fixture.state.approvals.decide(id, yes);
    expect(decided).toEqual({
      ...escalated,
      status: 'approved',
      decidedAt: iso(T0 + 20),
      decidedBy: 'ann',
      comment: 'fine',
    });
    fixture.clock.now += 10;
    expect(await fixture.state.approvals.decide(id, yes), 'its answer was lost').toEqual(decided);
    expect(await fixture.state.approvals.get(id)).toEqual(decided);
  });

  test('takes a name that the database cannot hold, and knows it again', async () => {
    const run = await owned();
    const id = await ask(run);
    const odd = { ...yes, by: 'a\0nn' };
    const decided = await fixture.state.approvals.decide(id, odd);
    expect(decided.decidedBy).toBe('a\uFFFDnn');
    expect(await fixture.state.approvals.decide(id, odd)).toEqual(decided);
  });

  test('is overdue when most of its time is gone, or it was passed on to others', async () => {
    const run = await owned();
    const id = await ask(run);
    const count = (now: number) => fixture.state.approvalsRepository.countOpen(now);
    expect(await count(T0 + 0.75 * HOUR)).toEqual({ open: 1, overdue: 0 });
    expect(await count(T0 + 0.75 * HOUR + 1)).toEqual({ open: 1, overdue: 1 });
    await fixture.one(appendOp(run.runId, run.epoch, { closedApprovals: [{ id, status: 'escalated' }] }), 'appended');
    expect(await count(T0)).toEqual({ open: 1, overdue: 1 });
    await fixture.state.approvals.decide(id, yes);
    expect(await count(T0)).toEqual({ open: 0, overdue: 0 });
  });

  test('is not asked twice under one id', async () => {
    const [first, second] = [await owned(), await owned()];
    const id = await ask(first);
    await ask(second, id);
    expect((await fixture.state.approvals.get(id)).runId).toBe(first.runId);
  });
});

describe('a list of approvals', () => {
  const ids = async (query: Parameters<StateFixture['state']['approvals']['list']>[0]) =>
    (await fixture.state.approvals.list(query)).items.map((item) => item.id);

  test('is by project, run and status, oldest first', async () => {
    const [first, second] = [await owned(), await owned()];
    const a = await ask(first);
    fixture.clock.now += 1;
    const b = await ask(second);
    fixture.clock.now += 1;
    const c = await ask(first);
    await fixture.state.approvals.decide(b, yes);
    const all = { limit: 50 };
    expect(await ids(all)).toEqual([a, b, c]);
    expect(await ids({ ...all, status: 'open' })).toEqual([a, c]);
    expect(await ids({ ...all, status: 'approved' })).toEqual([b]);
    expect(await ids({ ...all, status: 'rejected' })).toEqual([]);
    expect(await ids({ ...all, runId: first.runId })).toEqual([a, c]);
    expect(await ids({ ...all, projectId: 'default', status: 'open', runId: second.runId })).toEqual([]);
    expect(await ids({ ...all, projectId: 'another' })).toEqual([]);
  });

  test('goes on from page to page, past those that were asked at one instant', async () => {
    const run = await owned();
    const approvals = Array.from({ length: 5 }, () => ({
      step: 'consent',
      iteration: 1,
      request: request(randomUUID()),
    }));
    await fixture.one(appendOp(run.runId, run.epoch, { approvals }), 'appended');
    const seen: string[] = [];
    let cursor: string | null | undefined;
    for (let pages = 0; cursor !== null; pages++) {
      expect(pages).toBeLessThan(3);
      const page = await fixture.state.approvals.list({ limit: 2, status: 'open', ...(cursor ? { cursor } : {}) });
      seen.push(...page.items.map((item) => item.id));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(approvals.map((one) => one.request.id).sort());
    await expect(fixture.state.approvals.list({ limit: 2, cursor: 'nonsense' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});

describe('the effects of a run', () => {
  const claimOf = (runId: string, instance: string, over: Partial<EffectClaim> = {}): EffectClaim => ({
    key: effectKey(runId, 'push', 'push', 'origin:main'),
    execution: executionKey(runId, 'push', 1, 1),
    instance,
    intent: { commit: 'c' },
    intentHash: HASH,
    leaseMs: 1000,
    approval: null,
    ...over,
  });

  test('are read in the order of their claims, with what came of them', async () => {
    const run = await owned();
    const id = await ask(run);
    await fixture.state.approvals.decide(id, yes);
    const push = claimOf(run.runId, 'i1', { approval: { id, hash: HASH } });
    await fixture.state.effects.claim(push);
    fixture.clock.now += 5;
    const comment = claimOf(run.runId, 'i1', { key: effectKey(run.runId, 'push', 'comment', 'a.b') });
    await fixture.state.effects.claim(comment);
    fixture.clock.now += 5;
    const { key, execution, instance } = push;
    await fixture.state.effects.record({ key, execution, instance, outcome: 'done', result: { sha: 'c' } });
    const common = { runId: run.runId, step: 'push', intent: { commit: 'c' }, execution, claims: 1 };
    expect(await fixture.state.effects.list(run.runId)).toEqual([
      {
        ...common,
        key,
        kind: 'push',
        name: 'origin:main',
        status: 'done',
        result: { sha: 'c' },
        approvalId: id,
        claimedAt: iso(T0),
        updatedAt: iso(T0 + 10),
      },
      {
        ...common,
        key: comment.key,
        kind: 'comment',
        name: 'a.b',
        status: 'claimed',
        result: null,
        approvalId: null,
        claimedAt: iso(T0 + 5),
        updatedAt: iso(T0 + 5),
      },
    ]);
    expect(await fixture.state.effects.list((await owned()).runId)).toEqual([]);
  });

  test('are counted by claim, not by how often it was sent', async () => {
    const { runId } = await owned();
    const claims = async () => (await fixture.state.effects.list(runId))[0]?.claims;
    for (let sent = 0; sent < 3; sent++) await fixture.state.effects.claim(claimOf(runId, 'i1'));
    expect(await claims()).toBe(1);
    fixture.clock.now += 1000;
    for (let sent = 0; sent < 3; sent++)
      expect(await fixture.state.effects.claim(claimOf(runId, 'i2'))).toMatchObject({ claim: 'lapsed' });
    expect(await claims()).toBe(2);
  });
});

test('artifacts that a create names are listed with its run, queued or not', async () => {
  const artifact = { digest: 'b'.repeat(64), name: 'plan.md', mediaType: 'text/markdown', size: 3 };
  const artifacts = [{ ...artifact, step: 'plan', iteration: 1 }];
  const workflow = { ...createOp().workflow, name: 'one at a time' };
  const ops = [1, 2].map(() => createOp({ artifacts, workflow, maxConcurrent: 1 }));
  expect(await fixture.state.batch.run(ops)).toMatchObject([{ fresh: true }, { queued: true }]);
  const repository = new ArtifactsRepository(fixture.db);
  for (const { runId } of ops) expect(await repository.ofRun(runId)).toMatchObject({ items: artifacts });
});

test('whoever waits for runs that are due hears at once of one that gets a place', async () => {
  const workflow = { ...createOp().workflow, name: 'one and one' };
  const [first, second] = [createOp({ workflow, maxConcurrent: 1 }), createOp({ workflow, maxConcurrent: 1 })];
  await fixture.state.batch.run([first, second]);
  const { epoch } = await fixture.one({ op: 'acquire', runId: first.runId, owner: 'a' }, 'acquired');
  const waiting = fixture.state.signals.listenForDue().wait(HOUR);
  const ended = { verdict: 'passed', reason: '' } as const;
  await fixture.one(appendOp(first.runId, epoch, { ended, wakeAt: null, park: true }), 'appended');
  await waiting;
  expect((await fixture.state.due.poll({ limit: 100, leaseMs: 1000, waitMs: 0 })).map((run) => run.runId)).toContain(
    second.runId,
  );
});

test('a list of runs tells which wait for a place and which are paused', async () => {
  const workflow = { ...createOp().workflow, name: 'one by one' };
  const [first, second] = [createOp({ workflow, maxConcurrent: 1 }), createOp({ workflow, maxConcurrent: 1 })];
  await fixture.state.batch.run([first, second]);
  const { epoch } = await fixture.one({ op: 'acquire', runId: first.runId, owner: 'a' }, 'acquired');
  await fixture.one(appendOp(first.runId, epoch, { paused: true }), 'appended');
  const of = async (status: 'queued' | 'paused') =>
    (await fixture.state.runs.list({ status, limit: 50 })).items.map((run) => run.id);
  expect(await of('paused')).toEqual([first.runId]);
  expect(await of('queued')).toContain(second.runId);
  expect(await fixture.state.due.recover('a'), 'a paused run is its owner\u2019s still').toBeGreaterThan(0);
});
