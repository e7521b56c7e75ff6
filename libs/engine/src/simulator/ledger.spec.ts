import { effectKey, type EffectClaim } from '@devmesh/contracts/effect';
import { executionKey } from '@devmesh/contracts/ids';
import type { AppendOp } from '@devmesh/contracts/state-api';
import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.js';

const RUN = '01890000-0000-7000-8000-000000000001';
const APPROVAL = '01890000-0000-7000-8000-0000000000aa';
const KEY = effectKey(RUN, 'push', 'push', 'origin');
const HASH = 'd'.repeat(64);
const T0 = 1000;
const GOING = { ended: false, cancelRequested: false };

function append(over: Partial<AppendOp>): AppendOp {
  return {
    op: 'append',
    appendId: '00000000-0000-4000-8000-000000000001',
    runId: RUN,
    epoch: 1,
    events: [],
    consume: [],
    checkpoint: null,
    artifacts: [],
    ended: null,
    wakeAt: 0,
    park: false,
    ...over,
  };
}

function claim(over: Partial<EffectClaim> = {}): EffectClaim {
  const execution = executionKey(RUN, 'push', 1, 1);
  const intent = { commit: 'c' };
  return { key: KEY, execution, instance: 'i1', intent, intentHash: HASH, leaseMs: 100, approval: null, ...over };
}

function asked(): Ledger {
  const ledger = new Ledger();
  const request = {
    id: APPROVAL,
    kind: 'consent' as const,
    title: 'May it?',
    subject: {},
    hash: HASH,
    expiresAt: T0 + 50,
    remindAt: null,
    escalateAt: null,
    escalateTo: [],
  };
  ledger.append(append({ approvals: [{ step: 'consent', iteration: 1, request }] }));
  return ledger;
}

const yes = { verdict: 'approved', hash: HASH, by: 'ann', comment: '' } as const;

describe('approvals on record', () => {
  it('take one verdict, with the hash that was seen, in time, of a run that goes on', () => {
    expect(asked().decide('01890000-0000-7000-8000-0000000000bb', yes, GOING, T0)).toBe('not_found');
    expect(asked().decide(APPROVAL, { ...yes, hash: 'e'.repeat(64) }, GOING, T0)).toBe('approval_changed');
    expect(asked().decide(APPROVAL, yes, GOING, T0 + 50)).toBe('approval_closed');
    expect(asked().decide(APPROVAL, yes, { ...GOING, ended: true }, T0)).toBe('approval_closed');
    expect(asked().decide(APPROVAL, yes, { ...GOING, cancelRequested: true }, T0)).toBe('approval_closed');
    const ledger = asked();
    expect(ledger.decide(APPROVAL, yes, GOING, T0)).toBe('accepted');
    expect(ledger.decide(APPROVAL, yes, GOING, T0)).toBe('again');
    expect(ledger.decide(APPROVAL, { ...yes, by: 'bob' }, GOING, T0)).toBe('approval_closed');
    expect(ledger.decide(APPROVAL, { ...yes, verdict: 'rejected' }, GOING, T0)).toBe('approval_closed');
  });

  it('are closed by what the owner says; a verdict stands', () => {
    const closed = asked();
    closed.append(append({ closedApprovals: [{ id: APPROVAL, status: 'expired' }] }));
    expect(closed.approvalStatus(APPROVAL)).toBe('expired');
    const decided = asked();
    decided.decide(APPROVAL, yes, GOING, T0);
    decided.append(append({ closedApprovals: [{ id: APPROVAL, status: 'expired' }] }));
    expect(decided.approvalStatus(APPROVAL)).toBe('approved');
  });
});

describe('effects on record', () => {
  it('are granted once; done answers the same intent, and another intent is an update', () => {
    const ledger = new Ledger();
    expect(ledger.claim(claim(), GOING, T0)).toEqual({ claim: 'granted', previous: null });
    expect(ledger.claim(claim(), GOING, T0), 'the answer was lost').toEqual({ claim: 'granted', previous: null });
    const { execution, instance } = claim();
    const done = { key: KEY, execution, instance, outcome: 'done', result: { sha: 'c' } } as const;
    expect(ledger.record({ ...done, instance: 'i2' })).toBe('conflict');
    expect(ledger.record(done)).toBe('recorded');
    expect(ledger.claim(claim({ execution: executionKey(RUN, 'push', 1, 2) }), GOING, T0)).toEqual({
      claim: 'done',
      result: { sha: 'c' },
    });
    const next = claim({ execution: executionKey(RUN, 'push', 2, 1), intentHash: 'e'.repeat(64) });
    expect(ledger.claim(next, GOING, T0)).toEqual({ claim: 'granted', previous: { sha: 'c' } });
    expect(ledger.claim(claim(), GOING, T0)).toMatchObject({ reason: 'superseded' });
  });

  it('of a holder that is silent are held, then lapse to one successor, which probes', () => {
    const ledger = new Ledger();
    ledger.claim(claim(), GOING, T0);
    const successor = claim({ instance: 'i2', intent: { commit: 'd' } });
    expect(ledger.claim(successor, GOING, T0 + 60)).toEqual({ claim: 'held', retryAfterMs: 40 });
    const lapsed = { claim: 'lapsed', intent: { commit: 'c' }, previous: null };
    expect(ledger.claim(successor, GOING, T0 + 100)).toEqual(lapsed);
    expect(ledger.claim(successor, GOING, T0 + 101), 'the answer was lost').toEqual(lapsed);
    expect(ledger.claim(claim({ instance: 'i3' }), GOING, T0 + 102)).toMatchObject({ claim: 'held' });
    expect(ledger.record({ ...claim(), outcome: 'done', result: {} }), 'the silent one wakes up').toBe('conflict');
  });

  it('are refused to runs that end, executions that no longer count, and consent that is not there', () => {
    const refused = (over: Partial<EffectClaim>, run: typeof GOING | undefined, ledger = asked(), now = T0) =>
      ledger.claim(claim(over), run, now);
    expect(refused({}, undefined)).toMatchObject({ reason: 'unknown_run' });
    expect(refused({}, { ...GOING, ended: true })).toMatchObject({ reason: 'run_ended' });
    expect(refused({}, { ...GOING, cancelRequested: true })).toMatchObject({ reason: 'run_cancelled' });
    const undo = { execution: executionKey(RUN, 'push.undo', 1, 1) };
    expect(refused(undo, { ...GOING, cancelRequested: true })).toMatchObject({ claim: 'granted' });
    const barred = new Ledger();
    barred.append(append({ barred: [claim().execution] }));
    expect(refused({}, GOING, barred)).toMatchObject({ reason: 'superseded' });
    const approval = { id: APPROVAL, hash: HASH };
    expect(refused({ approval }, GOING)).toMatchObject({ reason: 'approval_missing' });
    const given = asked();
    given.decide(APPROVAL, yes, GOING, T0);
    expect(refused({ approval: { ...approval, hash: 'e'.repeat(64) } }, GOING, given)).toMatchObject({
      reason: 'approval_changed',
    });
    expect(refused({ approval }, GOING, given, T0 + 50)).toMatchObject({ reason: 'approval_expired' });
    expect(refused({ approval }, GOING, given)).toMatchObject({ claim: 'granted' });
  });
});
