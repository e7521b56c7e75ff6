import type { RunEvent } from '@devmesh/contracts/event';
import type { AppendOp, BatchResult, CreateOp } from '@devmesh/contracts/state-api';
import { DUE_LEASE_MS, TURN_LEASE_MS } from '@devmesh/contracts/state-api';
import { describe, expect, it } from 'vitest';
import { StateStore } from './state-store.js';

const NOW = 1_000_000;
const run = (digit: number) => `01890000-0000-7000-8000-00000000000${digit}`;
const stopped: RunEvent = { type: 'ExecutionStopped', at: NOW, key: `${run(1)}/a/1/1` };
let ids = 0;

const createOp = (digit = 1, change: Partial<CreateOp> = {}): CreateOp => ({
  op: 'create',
  runId: run(digit),
  projectId: 'p',
  events: [stopped],
  workflow: { digest: 'a'.repeat(64), name: 'w' },
  task: '',
  repository: null,
  idempotency: null,
  wakeAt: NOW + 2000,
  ...change,
});

const appendOp = (digit: number, epoch: number, change: Partial<AppendOp> = {}): AppendOp => ({
  op: 'append',
  appendId: `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
  runId: run(digit),
  epoch,
  events: [stopped],
  consume: [],
  checkpoint: null,
  artifacts: [],
  ended: null,
  wakeAt: NOW + TURN_LEASE_MS,
  park: false,
  ...change,
});

const acquire = (store: StateStore, digit = 1) =>
  store.apply({ op: 'acquire', runId: run(digit), owner: 'o' }, NOW) as Extract<BatchResult, { result: 'acquired' }>;
const wake = { dedupeKey: 'k', message: { kind: 'wake' } } as const;

describe('the model of state-persistence', () => {
  it('C10 (a) an append that comes again answers what the first did, and writes nothing', () => {
    const store = new StateStore();
    store.apply(createOp(), NOW);
    const { epoch } = acquire(store);
    const op = appendOp(1, epoch);
    const first = store.apply(op, NOW);
    acquire(store);
    expect(store.apply(op, NOW)).toEqual(first);
    expect(store.look(run(1))?.events).toHaveLength(2);
  });

  it('C10 (d) a row that comes again is dropped by its dedupe key, read or not', () => {
    const store = new StateStore();
    store.apply(createOp(), NOW);
    expect(store.post(run(1), wake, NOW)).toEqual({ accepted: true, ended: false });
    expect(store.post(run(1), wake, NOW)).toEqual({ accepted: false, ended: false });
    const { epoch, inbox } = acquire(store);
    store.apply(appendOp(1, epoch, { consume: inbox.map(({ id }) => id) }), NOW);
    expect(store.post(run(1), wake, NOW)).toEqual({ accepted: false, ended: false });
    expect(store.look(run(1))?.unread).toBe(0);
  });

  it('C10 (e) a create that comes again is not fresh', () => {
    const store = new StateStore();
    expect(store.apply(createOp(), NOW)).toMatchObject({ fresh: true });
    expect(store.apply(createOp(), NOW)).toMatchObject({ fresh: false });
    expect(store.look(run(1))?.events).toHaveLength(1);
  });

  it('C13 a stale item of a batch is refused, and its neighbours are written', () => {
    const store = new StateStore();
    store.batch([createOp(1), createOp(2)], NOW);
    const [old, other] = [acquire(store, 1).epoch, acquire(store, 2).epoch];
    acquire(store, 1);
    const results = store.batch([appendOp(1, old), appendOp(2, other)], NOW);
    expect(results).toMatchObject([
      { result: 'refused', code: 'stale_epoch' },
      { result: 'appended', seq: 2 },
    ]);
    expect(store.look(run(1))?.events).toHaveLength(1);
  });

  it('C14 a batch that comes again after a commit that nobody heard of changes nothing but epochs', () => {
    const store = new StateStore();
    store.apply(createOp(1), NOW);
    const { epoch } = acquire(store);
    const batch = [appendOp(1, epoch), createOp(2), { op: 'acquire', runId: run(2), owner: 'o' } as const];
    store.batch(batch, NOW);
    const again = store.batch(batch, NOW);
    expect(again).toMatchObject([{ result: 'appended', seq: 2 }, { fresh: false }, { result: 'acquired', epoch: 2 }]);
    expect(store.look(run(1))?.events).toHaveLength(2);
  });

  it('I4 wakes a parked run at once when a row arrives, and leaves the lease of a turn alone', () => {
    const store = new StateStore();
    store.apply(createOp(), NOW);
    const { epoch } = acquire(store);
    store.post(run(1), wake, NOW + 1);
    expect(store.look(run(1))?.wakeAt).toBe(NOW + TURN_LEASE_MS);
    const refused = store.apply(appendOp(1, epoch, { park: true, wakeAt: NOW + 99_000 }), NOW);
    expect(refused).toMatchObject({ parked: false, inbox: [{ dedupeKey: 'k' }] });
    expect(store.look(run(1))?.wakeAt).toBe(NOW + TURN_LEASE_MS);
    store.apply(appendOp(1, epoch, { park: true, wakeAt: NOW + 99_000, consume: ['1'] }), NOW);
    expect(store.look(run(1))?.wakeAt).toBe(NOW + 99_000);
    store.post(run(1), { ...wake, dedupeKey: 'k2' }, NOW + 5);
    expect(store.look(run(1))?.wakeAt).toBe(NOW + 5);
  });

  it('I4 wakes a run that is held when a row arrives, or soon when somebody acquired it before', () => {
    for (const [isAcquired, wakeAt] of [
      [false, NOW + 1],
      [true, NOW + TURN_LEASE_MS],
    ] as const) {
      const store = new StateStore();
      store.apply(createOp(1, { wakeAt: null }), NOW);
      if (isAcquired) acquire(store);
      store.post(run(1), wake, NOW + 1);
      expect(store.look(run(1))?.wakeAt).toBe(wakeAt);
    }
  });

  it('hands a due run out once in a lease, and counts', () => {
    const store = new StateStore();
    store.apply(createOp(1, { wakeAt: NOW }), NOW);
    expect(store.due(10, DUE_LEASE_MS, NOW)).toEqual([{ runId: run(1), lease: 1, priority: 0 }]);
    expect(store.due(10, DUE_LEASE_MS, NOW)).toEqual([]);
    expect(store.due(10, DUE_LEASE_MS, NOW + DUE_LEASE_MS)).toEqual([{ runId: run(1), lease: 2, priority: 0 }]);
  });

  it('C9 a claim is held while its lease lives, then lapsed for the next, and done for ever', () => {
    const store = new StateStore();
    const key = `${run(1)}/a/1/1`;
    const claim = (instance: string, at: number) => store.claim({ key, instance, leaseMs: 1000 }, at);
    expect(claim('i1', NOW)).toEqual({ claim: 'granted' });
    expect(claim('i1', NOW)).toEqual({ claim: 'granted' });
    expect(claim('i2', NOW + 400)).toEqual({ claim: 'held', retryAfterMs: 600 });
    expect(claim('i2', NOW + 1000)).toEqual({ claim: 'lapsed' });
    const outcome = { kind: 'lost', message: 'x' } as const;
    expect(store.record({ key, instance: 'i1', outcome })).toBe('conflict');
    expect(store.record({ key, instance: 'i2', outcome })).toBe('recorded');
    expect(claim('i3', NOW + 9000)).toEqual({ claim: 'done', outcome });
  });
});
