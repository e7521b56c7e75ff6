import { describe, expect, it } from 'vitest';
import { workflowOf } from './simulator/scenarios.js';
import { done, HandMesh, outcome, T0 } from './testing/hand-mesh.js';

const CONSENT = workflowOf(`
name: consent
steps:
  - { id: a, agent: alpha }
  - { id: ok, needs: a, approval: { of: b, deadline: 1h, escalate_after: 10m } }
  - { id: b, agent: beta, needs: ok }
`);

/** A mesh whose run asks for consent, with the append that asked. */
async function asked() {
  const mesh = new HandMesh(CONSENT);
  const { end } = await mesh.turn();
  (await mesh.next('execute')).answer(done());
  const append = await mesh.next('append');
  mesh.commit(append);
  const request = append.op.approvals?.[0]?.request;
  if (!request) throw new Error('nothing was asked');
  return { mesh, end, append, request };
}

const verdict = (approvalId: string, given: 'approved' | 'rejected' = 'approved') =>
  ({ kind: 'verdict', approvalId, verdict: given, by: 'ann', comment: '' }) as const;

describe('what an append says of approvals', () => {
  it('opens what was asked, and parks until the next time that counts', async () => {
    const { end, append, request } = await asked();
    expect(append.op).toMatchObject({ park: true, wakeAt: T0 + 600_000, approvals: [{ step: 'ok', iteration: 1 }] });
    expect(request.expiresAt).toBe(T0 + 3600_000);
    expect(append.op.closedApprovals).toBeUndefined();
    expect(await end).toBe('parked');
  });

  it('says nothing of one that was decided, and sends what it allows with the consent', async () => {
    const { mesh, request } = await asked();
    const { end } = await mesh.turn({ inbox: [mesh.row(verdict(request.id))] });
    const append = await mesh.next('append');
    expect([append.op.approvals, append.op.closedApprovals]).toEqual([undefined, undefined]);
    mesh.commit(append);
    const execute = await mesh.next('execute');
    expect(execute.request.approval).toEqual({ id: request.id, hash: request.hash });
    execute.answer(done());
    mesh.commit(await mesh.next('append'));
    expect(await end).toBe('ended');
  });

  it('marks one that is escalated, and closes one that is out of time', async () => {
    const { mesh, request } = await asked();
    mesh.now = T0 + 600_000;
    await mesh.turn();
    const escalated = await mesh.next('append');
    expect(escalated.op.closedApprovals).toEqual([{ id: request.id, status: 'escalated' }]);
    expect(escalated.op.ifRead).toBeUndefined();
    mesh.commit(escalated);
    mesh.now = T0 + 3600_000;
    await mesh.turn();
    const expired = await mesh.next('append');
    expect(expired.op).toMatchObject({ closedApprovals: [{ id: request.id, status: 'expired' }], ifRead: true });
  });

  it('C16 that is refused because a verdict is unread writes nothing; the verdict is read first, and counts', async () => {
    const { mesh, request } = await asked();
    mesh.now = T0 + 3600_000;
    const { end } = await mesh.turn();
    const expired = await mesh.next('append');
    expired.answer({ result: 'refused', code: 'unread', message: 'read first' });
    (await mesh.next('acquire')).answer({
      result: 'acquired',
      epoch: 9,
      status: 'running',
      workflowDigest: 'a'.repeat(64),
      checkpoint: null,
      events: mesh.stored(),
      inbox: [mesh.row(verdict(request.id))],
      leases: [],
    });
    const append = await mesh.next('append');
    expect(append.op.epoch).toBe(9);
    expect(append.op.events[0]).toMatchObject({ type: 'ApprovalDecided', outcome: { verdict: 'approved' } });
    mesh.commit(append);
    (await mesh.next('execute')).answer(done());
    mesh.commit(await mesh.next('append'));
    expect(await end).toBe('ended');
  });

  it('closes what is open when the run ends', async () => {
    const { mesh, request } = await asked();
    await mesh.turn({ inbox: [mesh.row({ kind: 'cancel', by: 'bob', reason: '' })] });
    const append = await mesh.next('append');
    expect(append.op.closedApprovals).toEqual([{ id: request.id, status: 'closed' }]);
  });
});

describe('what an append says of executions and of the run', () => {
  it('bars those that were stopped and those that are out of time', async () => {
    const both = workflowOf(
      'name: both\nsteps:\n  - { id: a, agent: alpha, timeout: 500ms }\n  - { id: b, agent: beta }',
    );
    const mesh = new HandMesh(both);
    await mesh.turn();
    const out = await mesh.executions(2);
    mesh.now += 500;
    out.get('b')?.answer(done());
    const late = await mesh.next('append');
    expect(late.op.barred).toEqual([mesh.key('a')]);
    const other = new HandMesh(both);
    await other.turn({ inbox: [other.row({ kind: 'cancel', by: 'bob', reason: '' })] });
    expect((await other.next('append')).op.barred).toEqual([other.key('a'), other.key('b')]);
  });

  it.each([
    ['failed', { kind: 'failed', error: { code: 'action_failed', message: 'no', retryable: true } }],
    ['was lost', { kind: 'lost', message: 'its claim was taken over' }],
  ] as const)('bars one that %s: whoever was cut off may come back and still be at it', async (_how, ending) => {
    const mesh = new HandMesh(workflowOf('name: one\nsteps:\n  - { id: a, agent: alpha }\n  - { id: b, agent: beta }'));
    await mesh.turn();
    const out = await mesh.executions(2);
    out.get('a')?.answer(outcome(ending));
    out.get('b')?.answer(done());
    expect((await mesh.next('append')).op.barred).toEqual([mesh.key('a')]);
  });

  it('tells when the run is paused and when it goes on, and parks a paused run that waits for nothing', async () => {
    const mesh = new HandMesh(CONSENT);
    await mesh.turn({ inbox: [mesh.row({ kind: 'pause', by: 'ann', reason: '' })] });
    const paused = await mesh.next('append');
    expect(paused.op).toMatchObject({ paused: true });
    mesh.commit(paused);
    (await mesh.next('execute')).answer(outcome({ kind: 'succeeded', output: {} }));
    const parked = await mesh.next('append');
    expect(parked.op.park).toBe(true);
    expect([parked.op.approvals, parked.op.paused]).toEqual([undefined, undefined]);
    mesh.commit(parked);
    await mesh.turn({ inbox: [mesh.row({ kind: 'resume', by: 'ann' })] });
    expect((await mesh.next('append')).op).toMatchObject({ paused: false, approvals: [{ step: 'ok' }] });
  });
});
