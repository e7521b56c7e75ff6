import type { EffectClaim } from '@devmesh/contracts/effect';
import { effectKey } from '@devmesh/contracts/effect';
import { executionKey } from '@devmesh/contracts/ids';
import type { AppendOp } from '@devmesh/contracts/state-api';
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { conformance, KINDS } from './testing/conformance.fixture.js';
import { appendOp, newRunId, T0 } from './testing/state.fixture.js';

const HASH = 'd'.repeat(64);
const HOUR = 3600_000;

// Section 6 of the specification: the same suite for the model and for the service.
describe.each(KINDS)('the %s', (kind) => {
  const suite = conformance(kind);
  const { one, owned } = suite;
  const asking = (id: string, expiresAt = T0 + HOUR): Pick<AppendOp, 'approvals'> => ({
    approvals: [
      {
        step: 'consent',
        iteration: 1,
        request: {
          id,
          kind: 'consent',
          title: 'May it?',
          subject: { step: 'push' },
          hash: HASH,
          expiresAt,
          remindAt: null,
          escalateAt: null,
          escalateTo: ['lead'],
        },
      },
    ],
  });
  async function asked(): Promise<{ runId: string; epoch: number; id: string }> {
    const run = await owned();
    const id = randomUUID();
    await one(appendOp(run.runId, run.epoch, { ...asking(id), wakeAt: T0 + HOUR, park: true }), 'appended');
    return { ...run, id };
  }
  const yes = { verdict: 'approved', hash: HASH, by: 'ann', comment: 'fine' } as const;
  const cancel = { kind: 'cancel', by: 'bob', reason: '' } as const;
  const ended = { ended: { verdict: 'passed', reason: '' }, wakeAt: null, park: true } as const;

  describe('approvals', () => {
    test('are open with the append that asks; a verdict is on record and in the inbox at once, and wakes the run', async () => {
      const { runId, id } = await asked();
      expect(await suite.port.approvalStatus(id)).toBe('open');
      suite.clock.now += 100;
      expect(await suite.port.verdict(id, yes)).toBe('taken');
      expect(await suite.port.approvalStatus(id)).toBe('approved');
      expect(await suite.port.look(runId)).toMatchObject({ unread: 1, wakeAt: suite.clock.now });
      const { inbox } = await one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
      expect(inbox).toMatchObject([
        {
          dedupeKey: `approval/${id}`,
          message: { kind: 'verdict', approvalId: id, verdict: 'approved', by: 'ann', comment: 'fine' },
        },
      ]);
    });

    test('take one verdict; the same again is answered, another one refused', async () => {
      const { runId, id } = await asked();
      expect(await suite.port.verdict(randomUUID(), yes)).toBe('not_found');
      expect(await suite.port.verdict(id, { ...yes, hash: 'e'.repeat(64) })).toBe('approval_changed');
      expect(await suite.port.verdict(id, yes)).toBe('taken');
      expect(await suite.port.verdict(id, yes)).toBe('taken');
      expect(await suite.port.verdict(id, { ...yes, by: 'bob' })).toBe('approval_closed');
      expect(await suite.port.verdict(id, { ...yes, verdict: 'rejected' })).toBe('approval_closed');
      expect(await suite.port.look(runId)).toMatchObject({ unread: 1 });
    });

    test('are closed by time, by a cancel, by the end of their run, and by what its owner says', async () => {
      const late = await asked();
      suite.clock.now = T0 + HOUR;
      expect(await suite.port.verdict(late.id, yes)).toBe('approval_closed');
      suite.clock.now = T0;
      const cancelled = await asked();
      await suite.port.post(cancelled.runId, { dedupeKey: 'cancel', message: cancel });
      expect(await suite.port.verdict(cancelled.id, yes)).toBe('approval_closed');
      const over = await asked();
      await one(
        appendOp(over.runId, over.epoch, { ...ended, closedApprovals: [{ id: over.id, status: 'closed' }] }),
        'appended',
      );
      expect([await suite.port.verdict(over.id, yes), await suite.port.approvalStatus(over.id)]).toEqual([
        'approval_closed',
        'closed',
      ]);
      const expired = await asked();
      await one(
        appendOp(expired.runId, expired.epoch, { closedApprovals: [{ id: expired.id, status: 'expired' }] }),
        'appended',
      );
      expect([await suite.port.verdict(expired.id, yes), await suite.port.approvalStatus(expired.id)]).toEqual([
        'approval_closed',
        'expired',
      ]);
    });

    test('that an append leaves open are closed when it ends the run', async () => {
      const { runId, epoch, id } = await asked();
      const [expired, escalated, brief] = [randomUUID(), randomUUID(), randomUUID()];
      for (const other of [expired, escalated]) await one(appendOp(runId, epoch, asking(other)), 'appended');
      const neighbour = await asked();
      await one(
        appendOp(runId, epoch, {
          ...ended,
          ...asking(brief),
          closedApprovals: [
            { id: expired, status: 'expired' },
            { id: escalated, status: 'escalated' },
          ],
        }),
        'appended',
      );
      const statuses = [id, expired, escalated, brief, neighbour.id].map((one) => suite.port.approvalStatus(one));
      expect(await Promise.all(statuses)).toEqual(['closed', 'expired', 'closed', 'closed', 'open']);
    });

    test('that are decided stand when their run ends', async () => {
      const { runId, epoch, id } = await asked();
      await suite.port.verdict(id, yes);
      await one(appendOp(runId, epoch, ended), 'appended');
      expect(await suite.port.approvalStatus(id)).toBe('approved');
      expect(await suite.port.verdict(id, yes), 'its answer was lost').toBe('taken');
    });

    test('that are escalated stay open; asked and over in one append they are over; a verdict stands', async () => {
      const { runId, epoch, id } = await asked();
      await one(appendOp(runId, epoch, { closedApprovals: [{ id, status: 'escalated' }] }), 'appended');
      expect(await suite.port.approvalStatus(id)).toBe('open');
      const brief = randomUUID();
      await one(
        appendOp(runId, epoch, { ...asking(brief), closedApprovals: [{ id: brief, status: 'closed' }] }),
        'appended',
      );
      expect(await suite.port.approvalStatus(brief)).toBe('closed');
      await suite.port.verdict(id, yes);
      await one(appendOp(runId, epoch, { closedApprovals: [{ id, status: 'expired' }] }), 'appended');
      expect(await suite.port.approvalStatus(id)).toBe('approved');
    });

    test('of an append that is refused are not asked', async () => {
      const { runId, epoch } = await owned();
      await one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
      const id = randomUUID();
      await one(appendOp(runId, epoch, asking(id)), 'refused');
      expect(await suite.port.approvalStatus(id)).toBeUndefined();
    });

    test('C16: an append that wants nothing unread writes nothing while something is', async () => {
      const { runId, epoch, id } = await asked();
      await suite.port.verdict(id, yes);
      const expiry = { closedApprovals: [{ id, status: 'expired' as const }], ifRead: true };
      const before = await suite.port.look(runId);
      expect(await suite.port.batch([appendOp(runId, epoch, expiry)])).toMatchObject([
        { result: 'refused', code: 'unread' },
      ]);
      expect(await suite.port.look(runId)).toEqual(before);
      const { inbox, epoch: next } = await one({ op: 'acquire', runId, owner: 'b' }, 'acquired');
      const consume = inbox.map((row) => row.id);
      const op = appendOp(runId, next, { consume, ifRead: true });
      await one(op, 'appended');
      await suite.port.post(runId, { dedupeKey: 'more', message: { kind: 'wake' } });
      expect(await suite.port.batch([op]), 'its answer was lost').toMatchObject([{ result: 'appended' }]);
    });
  });

  describe('effects', () => {
    function claimOf(runId: string, over: Partial<EffectClaim> = {}): EffectClaim {
      return {
        key: effectKey(runId, 'push', 'push', 'origin'),
        execution: executionKey(runId, 'push', 1, 1),
        instance: 'i1',
        intent: { commit: 'c' },
        intentHash: HASH,
        leaseMs: 1000,
        approval: null,
        ...over,
      };
    }

    test('are granted, done, updated', async () => {
      const { runId } = await owned();
      const claim = claimOf(runId);
      expect(await suite.port.claimEffect(claim)).toEqual({ claim: 'granted', previous: null });
      expect(await suite.port.claimEffect(claim), 'its answer was lost').toEqual({ claim: 'granted', previous: null });
      const done = {
        key: claim.key,
        execution: claim.execution,
        instance: 'i1',
        outcome: 'done',
        result: { sha: 'c' },
      } as const;
      expect(await suite.port.recordEffect({ ...done, instance: 'i2' })).toBe('conflict');
      expect(await suite.port.recordEffect(done)).toBe('recorded');
      expect(await suite.port.recordEffect({ ...done, result: { sha: 'x' } }), 'what is on record stays').toBe(
        'recorded',
      );
      const again = claimOf(runId, { execution: executionKey(runId, 'push', 1, 2) });
      expect(await suite.port.claimEffect(again)).toEqual({ claim: 'done', result: { sha: 'c' } });
      const next = claimOf(runId, { execution: executionKey(runId, 'push', 2, 1), intentHash: 'e'.repeat(64) });
      expect(await suite.port.claimEffect(next)).toEqual({ claim: 'granted', previous: { sha: 'c' } });
      expect(await suite.port.claimEffect(claim), 'an iteration that is over').toMatchObject({ reason: 'superseded' });
      expect(
        await suite.port.recordEffect({ ...done, execution: next.execution, outcome: 'not_done', result: {} }),
      ).toBe('recorded');
      expect(await suite.port.claimEffect(next)).toEqual({ claim: 'granted', previous: { sha: 'c' } });
    });

    test('of a silent holder are held, then lapse to one successor', async () => {
      const { runId } = await owned();
      await suite.port.claimEffect(claimOf(runId));
      const successor = claimOf(runId, { instance: 'i2', intent: { commit: 'd' }, intentHash: 'e'.repeat(64) });
      suite.clock.now += 400;
      expect(await suite.port.claimEffect(successor)).toEqual({ claim: 'held', retryAfterMs: 600 });
      suite.clock.now += 600;
      const lapsed = { claim: 'lapsed', intent: { commit: 'c' }, previous: null };
      expect(await suite.port.claimEffect(successor)).toEqual(lapsed);
      expect(await suite.port.claimEffect(successor), 'its answer was lost').toEqual(lapsed);
      expect(await suite.port.claimEffect(claimOf(runId, { instance: 'i3' }))).toMatchObject({ claim: 'held' });
      const result = { key: successor.key, execution: successor.execution, outcome: 'unknown', result: {} } as const;
      expect(await suite.port.recordEffect({ ...result, instance: 'i1' })).toBe('conflict');
      expect(await suite.port.recordEffect({ ...result, instance: 'i2' })).toBe('recorded');
      expect(await suite.port.claimEffect(claimOf(runId, { instance: 'i3' }))).toEqual(lapsed);
      // What is found done is what the silent one meant to do; the successor's own intent is an update.
      const found = {
        key: successor.key,
        execution: successor.execution,
        instance: 'i3',
        outcome: 'done',
        result: { sha: 'c' },
      } as const;
      expect(await suite.port.recordEffect(found)).toBe('recorded');
      expect(await suite.port.claimEffect(successor)).toEqual({ claim: 'granted', previous: { sha: 'c' } });
    });

    test('are refused to runs that end, except undos, and to executions that count no longer', async () => {
      expect(await suite.port.claimEffect(claimOf(newRunId()))).toMatchObject({
        claim: 'refused',
        reason: 'unknown_run',
      });
      const { runId, epoch } = await owned();
      const barred = executionKey(runId, 'push', 1, 1);
      await one(appendOp(runId, epoch, { barred: [barred] }), 'appended');
      expect(await suite.port.claimEffect(claimOf(runId))).toMatchObject({ reason: 'superseded' });
      const other = claimOf(runId, { execution: executionKey(runId, 'push', 1, 2) });
      expect(await suite.port.claimEffect(other)).toMatchObject({ claim: 'granted' });
      await suite.port.post(runId, { dedupeKey: 'cancel', message: cancel });
      expect(await suite.port.claimEffect(other)).toMatchObject({ reason: 'run_cancelled' });
      const undo = claimOf(runId, {
        key: effectKey(runId, 'push.undo', 'push', 'origin'),
        execution: executionKey(runId, 'push.undo', 1, 1),
      });
      expect(await suite.port.claimEffect(undo)).toMatchObject({ claim: 'granted' });
      await one(appendOp(runId, epoch, { ...ended, park: false }), 'appended');
      expect(await suite.port.claimEffect(undo)).toMatchObject({ reason: 'run_ended' });
    });

    test('C19: are refused when the approval that they name is missing, changed or out of time', async () => {
      const { runId, id } = await asked();
      const on = (approval: EffectClaim['approval']) => suite.port.claimEffect(claimOf(runId, { approval }));
      expect(await on({ id, hash: HASH })).toMatchObject({ reason: 'approval_missing' });
      await suite.port.verdict(id, yes);
      expect(await on({ id: randomUUID(), hash: HASH })).toMatchObject({ reason: 'approval_missing' });
      const other = await asked();
      await suite.port.verdict(other.id, yes);
      expect(await on({ id: other.id, hash: HASH }), 'of another run').toMatchObject({ reason: 'approval_missing' });
      expect(await on({ id, hash: 'e'.repeat(64) })).toMatchObject({ reason: 'approval_changed' });
      suite.clock.now = T0 + HOUR;
      expect(await on({ id, hash: HASH })).toMatchObject({ reason: 'approval_expired' });
      suite.clock.now = T0 + HOUR - 1;
      expect(await on({ id, hash: HASH })).toMatchObject({ claim: 'granted' });
    });
  });

  test('executions that count no longer are claimed by nobody; what is on record under them is answered', async () => {
    const { runId, epoch } = await owned();
    const [done, held, fresh, later] = [1, 2, 3, 4].map((attempt) => executionKey(runId, 'push', 1, attempt));
    const ask = (key = '', instance = 'i1') => suite.port.claim({ key, instance, leaseMs: 1000 });
    for (const key of [done, held]) expect(await ask(key)).toEqual({ claim: 'granted' });
    const outcome = { kind: 'cancelled' } as const;
    expect(await suite.port.record({ key: done ?? '', instance: 'i1', outcome })).toBe('recorded');
    const barred = [done, held, fresh].map((key) => key ?? '');
    await one(appendOp(runId, epoch, { barred }), 'appended');
    expect(await ask(done)).toEqual({ claim: 'done', outcome });
    expect([await ask(held), await ask(held, 'i2'), await ask(fresh)]).toEqual(['barred', 'barred', 'barred']);
    expect(await ask(later)).toEqual({ claim: 'granted' });
    // Who acted before it was told puts on record what came of it.
    expect(await suite.port.record({ key: held ?? '', instance: 'i1', outcome })).toBe('recorded');
  });

  describe('a paused run', () => {
    test('is told so, keeps its wake time, and stays paused until an append says otherwise', async () => {
      const { runId, epoch } = await owned();
      await one(appendOp(runId, epoch, { paused: true }), 'appended');
      expect(await suite.port.look(runId)).toMatchObject({ status: 'paused', wakeAt: T0 + 3000 });
      await one(appendOp(runId, epoch), 'appended');
      expect(await suite.port.look(runId)).toMatchObject({ status: 'paused' });
      await one(appendOp(runId, epoch, { paused: false }), 'appended');
      expect(await suite.port.look(runId)).toMatchObject({ status: 'running' });
    });
  });
});
