import { MAX_TURN_FAILURES, TURN_LEASE_MS } from '@devmesh/contracts/state-api';
import { describe, expect, test } from 'vitest';
import { conformance, KINDS } from './testing/conformance.fixture.js';
import { appendOp, createOp, newRunId, note, T0 } from './testing/state.fixture.js';

// One suite for the model that the simulator runs on and for the service: what the engine is proved on is what it gets.
describe.each(KINDS)('the %s', (kind) => {
  const suite = conformance(kind);
  const { one, owned } = suite;
  async function created(over: Parameters<typeof createOp>[0] = {}): Promise<string> {
    return (await one(createOp(over), 'created')).runId;
  }
  const wake = { kind: 'wake' } as const;

  test('a create is made once, by run id and by idempotency key', async () => {
    const hash = (c: string): string => c.repeat(64);
    const first = createOp({ idempotency: { key: `k-${newRunId()}`, requestHash: hash('a') } });
    expect(await suite.port.batch([first])).toEqual([{ result: 'created', runId: first.runId, fresh: true }]);
    expect(await suite.port.batch([first])).toEqual([{ result: 'created', runId: first.runId, fresh: false }]);
    const second = createOp({ idempotency: first.idempotency });
    expect(await suite.port.batch([second])).toEqual([{ result: 'created', runId: first.runId, fresh: false }]);
    const other = createOp({ idempotency: { key: first.idempotency?.key ?? '', requestHash: hash('b') } });
    expect(await suite.port.batch([other])).toMatchObject([{ result: 'refused', code: 'idempotency_key_reused' }]);
    expect(await suite.port.look(other.runId)).toBeUndefined();
  });

  test('two creates with one key in one batch make one run', async () => {
    const idempotency = { key: `k-${newRunId()}`, requestHash: 'a'.repeat(64) };
    const [a, b] = [createOp({ idempotency }), createOp({ idempotency })];
    expect(await suite.port.batch([a, b])).toEqual([
      { result: 'created', runId: a.runId, fresh: true },
      { result: 'created', runId: a.runId, fresh: false },
    ]);
  });

  test('ops on one run in one batch take effect in their order', async () => {
    const create = createOp();
    const { runId } = create;
    const results = await suite.port.batch([
      create,
      { op: 'acquire', runId, owner: 'a' },
      appendOp(runId, 1),
      appendOp(runId, 1),
      { op: 'acquire', runId, owner: 'b' },
      appendOp(runId, 1),
    ]);
    expect(results).toMatchObject([
      { result: 'created', fresh: true },
      { result: 'acquired', epoch: 1 },
      { result: 'appended', seq: 2 },
      { result: 'appended', seq: 3 },
      { result: 'acquired', epoch: 2, events: [{ seq: 1 }, { seq: 2 }, { seq: 3 }] },
      { result: 'refused', code: 'stale_epoch' },
    ]);
  });

  test('a create that names an owner gives the run to it, as an acquire does', async () => {
    const op = createOp({ owner: 'a', wakeAt: T0 + 2000 });
    const { runId } = op;
    expect(await one(op, 'created')).toEqual({ result: 'created', runId, fresh: true, epoch: 1 });
    expect(await suite.port.look(runId)).toMatchObject({ epoch: 1, wakeAt: T0 + TURN_LEASE_MS });
    // A row does not wake a run that is in hand; whoever has it hears of it.
    await suite.port.post(runId, { dedupeKey: 'one', message: wake });
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: T0 + TURN_LEASE_MS });
    expect(await one(appendOp(runId, 1, { park: true }), 'appended')).toMatchObject({
      parked: false,
      inbox: [{ dedupeKey: 'one' }],
    });
    expect(await suite.port.recover('a')).toBe(1);
    expect(await one({ op: 'acquire', runId, owner: 'b' }, 'acquired')).toMatchObject({ epoch: 2 });
    await one(appendOp(runId, 1), 'refused');
  });

  test('a create made before, a held run and a queued one give no epoch', async () => {
    const op = createOp({ owner: 'a', maxConcurrent: 1 });
    expect(await one(op, 'created')).toMatchObject({ epoch: 1 });
    expect(await one({ ...op, owner: 'b' }, 'created')).toEqual({ result: 'created', runId: op.runId, fresh: false });
    await one(appendOp(op.runId, 1), 'appended');
    const queued = createOp({ owner: 'a', maxConcurrent: 1 });
    const held = createOp({ owner: 'a', wakeAt: null });
    expect(await suite.port.batch([queued, held])).toEqual([
      { result: 'created', runId: queued.runId, fresh: true, queued: true },
      { result: 'created', runId: held.runId, fresh: true },
    ]);
    for (const { runId } of [queued, held]) {
      expect(await suite.port.look(runId)).toMatchObject({ epoch: 0, wakeAt: null });
      await suite.port.post(runId, { dedupeKey: 'one', message: wake });
    }
    expect(await suite.port.look(held.runId)).toMatchObject({ wakeAt: T0 });
  });

  test('an acquire answers the checkpoint and what came after it', async () => {
    const { runId, epoch } = await owned();
    await one(appendOp(runId, epoch, { checkpoint: { folded: 2 } }), 'appended');
    await one(appendOp(runId, epoch, { events: [note('x'), note('y')] }), 'appended');
    await suite.port.post(runId, { dedupeKey: 'one', message: wake });
    const answer = await one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
    expect(answer).toMatchObject({
      epoch: 2,
      status: 'running',
      checkpoint: { seq: 2, state: { folded: 2 } },
      inbox: [{ dedupeKey: 'one', message: wake }],
      leases: [],
    });
    expect(answer.events).toEqual([
      { seq: 3, event: note('x') },
      { seq: 4, event: note('y') },
    ]);
  });

  test('an append whose reply was lost is answered from record, even after another took over', async () => {
    const { runId, epoch } = await owned();
    const op = appendOp(runId, epoch);
    const first = await one(op, 'appended');
    expect(await one(op, 'appended')).toEqual(first);
    await one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
    await one(appendOp(runId, 2), 'appended');
    await suite.port.post(runId, { dedupeKey: 'later', message: wake });
    expect(await one(op, 'appended')).toMatchObject({ seq: 2, inbox: [{ dedupeKey: 'later' }] });
    expect(await suite.port.look(runId)).toMatchObject({ events: 3, epoch: 2 });
  });

  test('an append of a former owner changes nothing', async () => {
    const { runId, epoch } = await owned();
    await suite.port.post(runId, { dedupeKey: 'row', message: wake });
    const { inbox } = await one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
    const before = await suite.port.look(runId);
    const stale = appendOp(runId, epoch, { consume: inbox.map((row) => row.id), wakeAt: T0 + 60_000, park: true });
    expect(await suite.port.batch([stale])).toMatchObject([{ result: 'refused', code: 'stale_epoch' }]);
    expect(await suite.port.look(runId)).toEqual(before);
  });

  test('appends to what is not there, ended twice, or asleep for ever are refused', async () => {
    const { runId, epoch } = await owned();
    const ended = { verdict: 'passed', reason: 'done' } as const;
    expect(
      await suite.port.batch([appendOp(newRunId(), 1), { op: 'acquire', runId: newRunId(), owner: 'a' }]),
    ).toMatchObject([
      { result: 'refused', code: 'not_found' },
      { result: 'refused', code: 'not_found' },
    ]);
    expect(await suite.port.batch([appendOp(runId, epoch, { wakeAt: null, park: true })])).toMatchObject([
      { result: 'refused', code: 'invalid_request' },
    ]);
    await one(appendOp(runId, epoch, { ended, wakeAt: null, park: true }), 'appended');
    expect(await suite.port.look(runId)).toMatchObject({ status: 'ended', wakeAt: null });
    expect(await suite.port.batch([appendOp(runId, epoch, { ended, wakeAt: null })])).toMatchObject([
      { result: 'refused', code: 'run_ended' },
    ]);
    // What was in flight may still have to be stopped.
    await one(appendOp(runId, epoch, { wakeAt: T0 + 9_000, park: true }), 'appended');
    expect(await suite.port.look(runId)).toMatchObject({ status: 'ended', wakeAt: T0 + 9_000 });
  });

  test('a late job does not bring back an ended run', async () => {
    const { runId, epoch } = await owned();
    await one(
      appendOp(runId, epoch, { ended: { verdict: 'failed', reason: 'x' }, wakeAt: null, park: true }),
      'appended',
    );
    expect(await one({ op: 'acquire', runId, owner: 'b' }, 'acquired')).toMatchObject({ status: 'ended' });
    // Should that owner die now, nobody would come to tidy up after it.
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: null, inTurn: false });
  });

  test('only a park moves the wake time past the turn, and not past an unread row', async () => {
    const { runId, epoch } = await owned();
    const far = T0 + 3_600_000;
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: T0 + TURN_LEASE_MS });
    await one(appendOp(runId, epoch, { wakeAt: far }), 'appended');
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: T0 + TURN_LEASE_MS });
    // A row that arrives in a turn leaves the wake time alone: the owner's next append answers with it.
    suite.clock.now += 100;
    await suite.port.post(runId, { dedupeKey: 'row', message: wake });
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: T0 + TURN_LEASE_MS, unread: 1 });
    const refused = await one(appendOp(runId, epoch, { events: [], wakeAt: far, park: true }), 'appended');
    expect(refused).toMatchObject({ parked: false, inbox: [{ dedupeKey: 'row' }] });
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: suite.clock.now + TURN_LEASE_MS });
    const consume = refused.inbox.map((row) => row.id);
    expect(
      await one(appendOp(runId, epoch, { events: [], consume, wakeAt: far, park: true }), 'appended'),
    ).toMatchObject({
      parked: true,
      inbox: [],
    });
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: far, unread: 0 });
    // Nobody has it in hand now: the next row makes it due.
    await suite.port.post(runId, { dedupeKey: 'next', message: wake });
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: suite.clock.now, unread: 1 });
  });

  test('an acquired run is looked at again soon, even if it was parked for long', async () => {
    const { runId, epoch } = await owned();
    await one(appendOp(runId, epoch, { wakeAt: T0 + 3_600_000, park: true }), 'appended');
    await one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
    await suite.port.post(runId, { dedupeKey: 'row', message: wake });
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: T0 + TURN_LEASE_MS });
  });

  test('a run that is held waits for its inbox', async () => {
    const runId = await created({ wakeAt: null });
    suite.clock.now += 1e9;
    expect(await suite.port.due(10, 5_000)).toEqual([]);
    await suite.port.post(runId, { dedupeKey: 'go', message: wake });
    expect(await suite.port.due(10, 5_000)).toEqual([{ runId, lease: 1, priority: 0 }]);
    await one({ op: 'acquire', runId, owner: 'a' }, 'acquired');
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: suite.clock.now + TURN_LEASE_MS });
  });

  test('the inbox takes a dedupe key once, keeps the order, and is closed at the end', async () => {
    const { runId, epoch } = await owned();
    for (const dedupeKey of ['b', 'a', 'b']) await suite.port.post(runId, { dedupeKey, message: wake });
    const { inbox } = await one(appendOp(runId, epoch), 'appended');
    expect(inbox.map((row) => row.dedupeKey)).toEqual(['b', 'a']);
    const [first, second] = inbox;
    const partly = await one(appendOp(runId, epoch, { consume: [second?.id ?? ''] }), 'appended');
    expect(partly.inbox).toEqual([first]);
    await one(appendOp(runId, epoch, { consume: [first?.id ?? '', first?.id ?? ''] }), 'appended');
    expect(await suite.port.post(runId, { dedupeKey: 'a', message: wake })).toEqual({ accepted: false, ended: false });
    await one(
      appendOp(runId, epoch, { ended: { verdict: 'passed', reason: '' }, wakeAt: null, park: true }),
      'appended',
    );
    expect(await suite.port.post(runId, { dedupeKey: 'late', message: wake })).toEqual({
      accepted: false,
      ended: true,
    });
    expect(await suite.port.post(newRunId(), { dedupeKey: 'x', message: wake })).toBe('not_found');
  });

  test('a run cannot consume the row of another', async () => {
    const [a, b] = [await owned(), await owned()];
    await suite.port.post(a.runId, { dedupeKey: 'mine', message: wake });
    const { inbox } = await one(appendOp(a.runId, a.epoch), 'appended');
    await one(appendOp(b.runId, b.epoch, { consume: inbox.map((row) => row.id) }), 'appended');
    expect(await suite.port.look(a.runId)).toMatchObject({ unread: 1 });
    expect(await suite.port.look(b.runId)).toMatchObject({ unread: 0 });
  });

  test('due runs are handed out oldest first, each once per lease', async () => {
    const late = await created({ wakeAt: T0 + 20 });
    const early = await created({ wakeAt: T0 + 10 });
    await created({ wakeAt: T0 + 1_000 });
    suite.clock.now = T0 + 20;
    expect(await suite.port.due(1, 5_000)).toEqual([{ runId: early, lease: 1, priority: 0 }]);
    expect(await suite.port.due(10, 5_000)).toEqual([{ runId: late, lease: 1, priority: 0 }]);
    expect(await suite.port.due(10, 5_000)).toEqual([]);
    suite.clock.now += 5_000;
    expect(await suite.port.due(10, 5_000)).toContainEqual({ runId: early, lease: 2, priority: 0 });
  });

  test('a restarted owner gets its unended runs at once, and only its own', async () => {
    const mine = await owned();
    const ended = await owned();
    await one(
      appendOp(ended.runId, 1, { ended: { verdict: 'passed', reason: '' }, wakeAt: null, park: true }),
      'appended',
    );
    const others = await created();
    await one({ op: 'acquire', runId: others, owner: 'b' }, 'acquired');
    expect(await suite.port.recover('a')).toBe(1);
    expect(await suite.port.due(10, 5_000)).toEqual([{ runId: mine.runId, lease: 1, priority: 0 }]);
  });

  test('failed turns keep a run back, then make it stuck, until an append succeeds', async () => {
    const { runId, epoch } = await owned();
    const waits: number[] = [];
    for (let i = 1; i <= MAX_TURN_FAILURES; i++) {
      expect(await suite.port.turnFailed(runId, i === 1 ? null : epoch)).toEqual({
        failures: i,
        stuck: i === MAX_TURN_FAILURES,
      });
      waits.push(((await suite.port.look(runId))?.wakeAt ?? 0) - suite.clock.now);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 300_000]);
    expect(await suite.port.look(runId)).toMatchObject({ status: 'stuck' });
    // Something new to look at is worth a try.
    await suite.port.post(runId, { dedupeKey: 'x', message: wake });
    expect(await suite.port.look(runId)).toMatchObject({ wakeAt: suite.clock.now });
    await one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
    expect(await suite.port.turnFailed(runId, epoch), 'of a former owner').toEqual({ failures: 5, stuck: true });
    await one(appendOp(runId, epoch + 1), 'appended');
    expect(await suite.port.look(runId)).toMatchObject({ status: 'running' });
    expect(await suite.port.turnFailed(runId, null)).toEqual({ failures: 1, stuck: false });
  });

  test('a claim is granted once, held for its lease, then told as lapsed, and done at the end', async () => {
    const { runId } = await owned();
    const key = `${runId}/only/1/1`;
    const outcome = { kind: 'succeeded', output: { n: 1 } } as const;
    const ask = (instance: string): Promise<unknown> => suite.port.claim({ key, instance, leaseMs: 1_000 });
    expect(await ask('i1')).toEqual({ claim: 'granted' });
    expect(await ask('i1'), 'its answer may have been lost').toEqual({ claim: 'granted' });
    suite.clock.now += 400;
    expect(await ask('i2')).toEqual({ claim: 'held', retryAfterMs: 600 });
    suite.clock.now += 600;
    expect(await ask('i2')).toEqual({ claim: 'lapsed' });
    expect(await ask('i2'), 'what i1 did is still unknown').toEqual({ claim: 'lapsed' });
    expect(await suite.port.record({ key, instance: 'i1', outcome })).toBe('conflict');
    expect(await suite.port.record({ key, instance: 'i2', outcome })).toBe('recorded');
    expect(await suite.port.record({ key, instance: 'i2', outcome: { kind: 'cancelled' } })).toBe('recorded');
    expect(await ask('i3')).toEqual({ claim: 'done', outcome });
    expect(await suite.port.record({ key: `${runId}/only/1/2`, instance: 'i1', outcome })).toBe('conflict');
  });

  test('heartbeats keep leases, those of former holders do not, and ended runs are told', async () => {
    const { runId, epoch } = await owned();
    const [plain, claimed, unknown] = [`${runId}/only/1/1`, `${runId}/only/1/2`, `${newRunId()}/only/1/1`];
    await suite.port.claim({ key: claimed, instance: 'i1', leaseMs: 1_000 });
    const beat = (instance: string): Promise<string[]> =>
      suite.port.heartbeat({
        instance,
        leaseMs: 5_000,
        executions: [plain, claimed, unknown].map((key) => ({ key, progress: null })),
      });
    expect(await beat('i2')).toEqual([unknown]);
    const { leases } = await one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
    expect(leases.sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual([
      { key: plain, instance: 'i2', leaseUntil: T0 + 5_000 },
      { key: claimed, instance: 'i1', leaseUntil: T0 + 1_000 },
    ]);
    // An execution whose result has come is no longer alive.
    await suite.port.post(runId, {
      dedupeKey: plain,
      message: { kind: 'result', key: plain, outcome: { kind: 'timed_out' } },
    });
    const { leases: left, inbox } = await one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
    expect(left.map((lease) => lease.key)).toEqual([claimed]);
    const end = appendOp(runId, epoch + 2, {
      consume: inbox.map((row) => row.id),
      ended: { verdict: 'passed', reason: '' },
      wakeAt: null,
    });
    await one(end, 'appended');
    expect((await beat('i1')).sort()).toEqual([plain, claimed, unknown].sort());
  });
});
