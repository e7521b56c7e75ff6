import { effectKey, type EffectClaim, type EffectClaimReply } from '@devmesh/contracts/effect';
import { executionKey } from '@devmesh/contracts/ids';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { waiters } from './testing/lock-waiters.js';
import { appendOp, createOp, createStateFixture, T0, type StateFixture } from './testing/state.fixture.js';

// What two connections do at once, with locks that the test holds: only the service can show it.
let fixture: StateFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());
beforeEach(() => {
  fixture.clock.now = T0;
});

const HASH = 'd'.repeat(64);
const yes = { verdict: 'approved', hash: HASH, by: 'ann', comment: '' } as const;

async function asked(): Promise<{ runId: string; epoch: number; id: string }> {
  const { runId } = await fixture.one(createOp(), 'created');
  const { epoch } = await fixture.one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
  const id = randomUUID();
  const request = {
    id,
    kind: 'consent' as const,
    title: 'May it?',
    subject: {},
    hash: HASH,
    expiresAt: T0 + 1000,
    remindAt: null,
    escalateAt: null,
    escalateTo: [],
  };
  await fixture.one(appendOp(runId, epoch, { approvals: [{ step: 's', iteration: 1, request }] }), 'appended');
  return { runId, epoch, id };
}

/** Holds the run's row while `use` starts what waits for it; gives what that came to. */
async function whileLocked<T extends unknown[]>(
  runId: string,
  use: () => { [K in keyof T]: Promise<T[K]> },
): Promise<PromiseSettledResult<T[number]>[]> {
  const [holder, looker] = [await fixture.connect(), await fixture.connect()];
  await holder.query('begin');
  await holder.query('select 1 from run_heads where run_id = $1 for update', [runId]);
  const started = use();
  // Until both wait for the row.
  await waiters(looker, started.length);
  await holder.query('commit');
  return Promise.allSettled(started);
}

test('a verdict and a cancel at once: one is first, and what comes of them agrees', async () => {
  const { runId, id } = await asked();
  const [verdict] = await whileLocked(runId, () => [
    fixture.state.approvals.decide(id, yes),
    fixture.another().inbox.post(runId, { dedupeKey: 'cancel', message: { kind: 'cancel', by: 'bob', reason: '' } }),
  ]);
  const { inbox } = await fixture.one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
  const kinds = inbox.map(({ message }) => message.kind);
  // Refused is right only if the cancel was there before; taken, only if it was not.
  expect(kinds).toEqual(verdict?.status === 'fulfilled' ? ['verdict', 'cancel'] : ['cancel']);
});

test('two people decide at once: one verdict is on record, and the other one is told', async () => {
  const { runId, id } = await asked();
  const answers = await whileLocked(runId, () => [
    fixture.state.approvals.decide(id, yes),
    fixture.another().approvals.decide(id, { ...yes, verdict: 'rejected', by: 'bob' }),
  ]);
  const taken = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  expect(taken).toHaveLength(1);
  expect(refused).toMatchObject([{ code: 'approval_closed' }]);
  const { inbox } = await fixture.one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
  expect(inbox).toMatchObject([{ message: { kind: 'verdict', verdict: taken[0]?.status } }]);
});

test('C16: a verdict and the append that expires it: never both', async () => {
  const { runId, epoch, id } = await asked();
  const expiry = appendOp(runId, epoch, { closedApprovals: [{ id, status: 'expired' }], ifRead: true });
  const [verdict, append] = await whileLocked<[unknown, unknown]>(runId, () => [
    fixture.another().approvals.decide(id, yes),
    fixture.state.batch.run([expiry]),
  ]);
  const status = (await fixture.state.approvals.get(id)).status;
  const written = append?.status === 'fulfilled' ? (append.value as { result: string; code?: string }[])[0] : undefined;
  if (verdict?.status === 'fulfilled') {
    expect(status).toBe('approved');
    // Written before the verdict was there, it would have closed the approval.
    expect(written).toMatchObject({ result: 'refused', code: 'unread' });
  } else {
    expect(status).toBe('expired');
    expect(written).toMatchObject({ result: 'appended' });
  }
});

function claim(runId: string, instance: string): EffectClaim {
  return {
    key: effectKey(runId, 'push', 'push', 'origin'),
    execution: executionKey(runId, 'push', 1, 1),
    instance,
    intent: {},
    intentHash: HASH,
    leaseMs: 1000,
    approval: null,
  };
}

test.each(['claim', 'cancel'])(
  'a claim and a cancel at once, the %s first: the second one sees the first',
  async (first) => {
    const { runId } = await asked();
    const another = fixture.another();
    const claiming = () => fixture.state.effects.claim(claim(runId, 'i1'));
    const cancelling = () =>
      another.inbox.post(runId, { dedupeKey: 'cancel', message: { kind: 'cancel', by: 'bob', reason: '' } });
    // Who asks for the lock first gets it first.
    const [holder, looker] = [await fixture.connect(), await fixture.connect()];
    await holder.query('begin');
    await holder.query('select 1 from run_heads where run_id = $1 for update', [runId]);
    const started = first === 'claim' ? { claimed: claiming() } : { cancelled: cancelling() };
    await waiters(looker, 1);
    const { claimed = claiming(), cancelled = cancelling() } = started;
    await waiters(looker, 2);
    await holder.query('commit');
    expect(await cancelled).toEqual({ accepted: true, ended: false });
    expect(await claimed).toMatchObject(
      first === 'claim' ? { claim: 'granted' } : { claim: 'refused', reason: 'run_cancelled' },
    );
    // Either way nothing is claimed any more, and what was done under the claim is still put on record.
    expect(await fixture.state.effects.claim(claim(runId, 'i2'))).toMatchObject({ reason: 'run_cancelled' });
    const { key, execution, instance } = claim(runId, 'i1');
    const recorded = fixture.state.effects.record({ key, execution, instance, outcome: 'done', result: {} });
    if (first === 'claim') await expect(recorded).resolves.toBeUndefined();
    else await expect(recorded).rejects.toMatchObject({ code: 'conflict' });
  },
);

test('an execution is claimed and barred at once: it acts only if it was first', async () => {
  const { runId, epoch } = await asked();
  const key = executionKey(runId, 'push', 1, 1);
  const ask = () => fixture.another().effects.claim(claim(runId, 'i1'));
  const [claimed] = await whileLocked<[EffectClaimReply, unknown]>(runId, () => [
    ask(),
    fixture.state.batch.run([appendOp(runId, epoch, { barred: [key] })]),
  ]);
  const reply = claimed?.status === 'fulfilled' ? (claimed.value as EffectClaimReply) : null;
  expect(['granted', 'refused']).toContain(reply?.claim);
  if (reply?.claim === 'refused') expect(reply.reason).toBe('superseded');
  expect(await ask()).toMatchObject({ claim: 'refused', reason: 'superseded' });
});

test('two claims of one effect at once: one acts, the other waits', async () => {
  const { runId } = await asked();
  const replies = await whileLocked(runId, () => [
    fixture.state.effects.claim(claim(runId, 'i1')),
    fixture.another().effects.claim(claim(runId, 'i2')),
  ]);
  const kinds = replies.map((reply) => (reply.status === 'fulfilled' ? reply.value.claim : 'failed'));
  expect(kinds.sort()).toEqual(['granted', 'held']);
});

test('creates at the bound, and the end of a run, from several instances at once: each place is held once, nobody waits for nothing', async () => {
  const bounded = () => createOp({ maxConcurrent: 3, workflow: { ...createOp().workflow, name: 'busy' } });
  const states = [fixture.state, fixture.another(), fixture.another()];
  const ops = Array.from({ length: 30 }, bounded);
  await Promise.all(ops.map((op, i) => (states[i % states.length] ?? fixture.state).batch.run([op])));
  const statuses = async () => {
    const rows = await fixture.db.read<{ status: string; n: number }>({
      name: 'test-statuses',
      text: `select h.status, count(*)::int as n from run_heads h join runs r on r.id = h.run_id
        where r.workflow_name = 'busy' group by h.status`,
      values: [],
    });
    return Object.fromEntries(rows.map((row) => [row.status, row.n]));
  };
  expect(await statuses()).toEqual({ running: 3, queued: 27 });
  const endAll = async () => {
    const rows = await fixture.db.read<{ run_id: string }>({
      name: 'test-running',
      text: `select h.run_id from run_heads h join runs r on r.id = h.run_id where r.workflow_name = 'busy' and h.status = 'running'`,
      values: [],
    });
    await Promise.all(
      rows.map(async ({ run_id: runId }, i) => {
        const state = states[i % states.length] ?? fixture.state;
        const [acquired] = await state.batch.run([{ op: 'acquire', runId, owner: 'a' }]);
        const epoch = acquired?.result === 'acquired' ? acquired.epoch : 0;
        const ended = { verdict: 'passed', reason: '' } as const;
        await state.batch.run([appendOp(runId, epoch, { ended, wakeAt: null, park: true })]);
      }),
    );
  };
  for (let round = 1; round <= 9; round++) {
    // New ones come while places are freed.
    const more = round === 5 ? [fixture.state.batch.run([bounded()]), fixture.another().batch.run([bounded()])] : [];
    await Promise.all([endAll(), ...more]);
    const now = await statuses();
    expect(now['running'], `round ${round}: ${JSON.stringify(now)}`).toBe(3);
  }
  await endAll();
  expect(await statuses()).toEqual({ running: 2, ended: 30 });
});
