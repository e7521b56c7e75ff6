import type { Outcome } from '@devmesh/contracts/outcome';
import { TURN_LEASE_MS } from '@devmesh/contracts/state-api';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { describe, expect, it } from 'vitest';
import { fold } from '@devmesh/workflow/evolve';
import type { JsonObject } from '@devmesh/contracts/json';
import type { DispatchAnswer } from './ports.js';
import { SIM_WORKFLOWS, workflowOf } from './simulator/scenarios.js';
import { done, HandMesh, outcome, RUN, T0 } from './testing/hand-mesh.js';

const one = (rest = '') => workflowOf(`name: one\nsteps:\n  - { id: a, agent: alpha${rest} }`);
const two = workflowOf('name: two\nsteps:\n  - { id: a, agent: alpha }\n  - { id: b, agent: beta, needs: a }');
const cancel = { kind: 'cancel', by: 'me', reason: 'enough' } as const;
const failure = (retryable: boolean): Outcome => ({
  kind: 'failed',
  error: { code: 'action_failed', message: 'no', retryable },
});

/** A mesh in which the plan of six steps has been made and the four in the middle are out. */
async function fourOut() {
  const mesh = new HandMesh(SIM_WORKFLOWS.sixSteps);
  const { end } = await mesh.turn();
  (await mesh.next('execute')).answer(done());
  mesh.commit(await mesh.next('append'));
  return { mesh, end, out: await mesh.executions(4) };
}

describe('write before act', () => {
  it('dispatches nothing before the append that says so has answered', async () => {
    const mesh = new HandMesh(two);
    await mesh.turn();
    (await mesh.next('execute')).answer(done());
    const append = await mesh.next('append');
    expect(append.op.events.map(({ type }) => type)).toEqual(['StepCompleted', 'StepSettled', 'StepScheduled']);
    await mesh.over();
    mesh.commit(append);
    expect((await mesh.next('execute')).request.key).toBe(mesh.key('b'));
  });

  it('dispatches nothing after an append whose answer was lost: the turn fails, and the wake time stands', async () => {
    const mesh = new HandMesh(two);
    const { end } = await mesh.turn();
    (await mesh.next('execute')).answer(done());
    (await mesh.next('append')).fail(new Error('connection lost'));
    await expect(end).rejects.toThrow('connection lost');
    await mesh.over();
  });

  it('sets the wake time to the end of the turn lease with every append inside the turn', async () => {
    const mesh = new HandMesh(two);
    await mesh.turn();
    (await mesh.next('execute')).answer(done());
    expect((await mesh.next('append')).op).toMatchObject({ park: false, wakeAt: T0 + TURN_LEASE_MS, epoch: 1 });
  });

  it('tells of events when they are on record, and not before', async () => {
    const mesh = new HandMesh(two);
    await mesh.turn();
    (await mesh.next('execute')).answer(done());
    const append = await mesh.next('append');
    expect(mesh.committed).toEqual([]);
    mesh.commit(append);
    await mesh.next('execute');
    expect(mesh.committed).toEqual([append.op.events]);
  });
});

describe('appends', () => {
  it('C1 four results while an append is in flight make one more, with the step that joins them', async () => {
    const { mesh, out } = await fourOut();
    out.get('a')?.answer(done());
    const first = await mesh.next('append');
    for (const id of ['d', 'b', 'c']) out.get(id)?.answer(done());
    await mesh.over();
    mesh.commit(first);
    const second = await mesh.next('append');
    const of = (type: string) =>
      second.op.events.flatMap((event) => (event.type === type && 'step' in event ? [event.step] : []));
    expect(of('StepCompleted')).toEqual(['d', 'b', 'c']);
    expect(of('StepScheduled')).toEqual(['summary']);
    mesh.commit(second);
    expect((await mesh.next('execute')).request.key).toBe(mesh.key('summary'));
  });

  it('C1 four results in the same instant make a single append', async () => {
    const { mesh, out } = await fourOut();
    for (const call of out.values()) call.answer(done());
    expect((await mesh.next('append')).op.events.filter(({ type }) => type === 'StepCompleted')).toHaveLength(4);
    await mesh.over();
  });

  it('a graph of six steps takes one turn: an acquire, six dispatches and four appends, the last of which parks', async () => {
    const { mesh, end, out } = await fourOut();
    out.get('a')?.answer(done());
    const first = await mesh.next('append');
    for (const id of ['b', 'c', 'd']) out.get(id)?.answer(done());
    mesh.commit(first);
    mesh.commit(await mesh.next('append'));
    (await mesh.next('execute')).answer(done());
    const last = await mesh.next('append');
    expect(last.op).toMatchObject({ park: true, wakeAt: null, ended: { verdict: 'passed' } });
    mesh.commit(last);
    await expect(end).resolves.toBe('ended');
    await mesh.over();
    // With the submit's three (submit, orchestrate, create) this is the 14 of the specification.
    const calls = (name: string) => mesh.log.filter((call) => call.startsWith(name)).length;
    expect([calls('acquire'), calls('execute'), calls('append')]).toEqual([1, 6, 4]);
  });

  it('C7 one that is refused for its epoch ends the turn without another word', async () => {
    const mesh = new HandMesh(two);
    const { end } = await mesh.turn();
    (await mesh.next('execute')).answer(done());
    (await mesh.next('append')).answer({ result: 'refused', code: 'stale_epoch', message: 'epoch 1 is over' });
    await expect(end).resolves.toBe('superseded');
    await mesh.over();
    expect(mesh.committed).toEqual([]);
  });

  it('one that is refused for another reason is a failure of the turn, with that reason', async () => {
    const mesh = new HandMesh(two);
    const { end } = await mesh.turn();
    (await mesh.next('execute')).answer(done());
    (await mesh.next('append')).answer({ result: 'refused', code: 'invalid_request', message: 'no wakeAt' });
    await expect(end).rejects.toThrow('invalid_request: no wakeAt');
  });

  it('name the artifacts of the outputs that they put on record', async () => {
    const mesh = new HandMesh(one());
    await mesh.turn();
    const report = { digest: 'd'.repeat(64), name: 'report.md', mediaType: 'text/markdown', size: 3 };
    (await mesh.next('execute')).answer(done({ report }));
    expect((await mesh.next('append')).op.artifacts).toEqual([{ ...report, step: 'a', iteration: 1 }]);
  });

  it('carry a checkpoint when many events have come since the last, from which the run goes on', async () => {
    const loop = '{ action: retry, target: a, max_attempts: 100 }';
    const mesh = new HandMesh(one(`, on_failure: ${loop}`));
    const { end } = await mesh.turn();
    let checkpoint: JsonObject | null = null;
    for (let round = 1; checkpoint === null; round++) {
      expect(round).toBeLessThan(40);
      (await mesh.next('execute')).answer(outcome(failure(false)));
      const append = await mesh.next('append');
      checkpoint = append.op.checkpoint;
      mesh.commit(append);
    }
    expect(checkpoint).toEqual(fold(mesh.graph, RUN, null, mesh.events));
    const seq = mesh.events.length;
    const { request } = await mesh.next('execute');
    mesh.epoch = 2;
    await mesh.turn({ checkpoint: { seq, state: checkpoint }, events: [] });
    expect((await mesh.next('execute')).request).toEqual({ ...request, epoch: 2, acknowledge: [] });
    void end;
  });
});

describe('the park', () => {
  it('C4 a row that came meanwhile refuses it, and is taken in by the same turn', async () => {
    const mesh = new HandMesh(two);
    const { end } = await mesh.turn();
    (await mesh.next('execute')).answer({ kind: 'accepted', leaseUntil: T0 + 15_000 });
    const park = await mesh.next('append');
    expect(park.op).toMatchObject({ park: true, events: [], wakeAt: T0 + 15_000 });
    const result = { kind: 'succeeded', output: {} } as const;
    const row = mesh.row({ kind: 'result', key: mesh.key('a'), outcome: result });
    mesh.commit(park, [row]);
    const append = await mesh.next('append');
    expect(append.op.consume).toEqual([row.id]);
    expect(append.op.events.map(({ type }) => type)).toEqual(['StepCompleted', 'StepSettled', 'StepScheduled']);
    mesh.commit(append);
    (await mesh.next('execute')).answer({ kind: 'accepted', leaseUntil: T0 + 15_000 });
    mesh.commit(await mesh.next('append'));
    await expect(end).resolves.toBe('parked');
  });

  it('C4 a row that an append answers again is taken in once', async () => {
    const { mesh, out } = await fourOut();
    const row = mesh.row({ kind: 'result', key: mesh.key('b'), outcome: { kind: 'succeeded', output: {} } });
    out.get('a')?.answer(done());
    mesh.commit(await mesh.next('append'), [row]);
    const second = await mesh.next('append');
    expect(second.op.consume).toEqual([row.id]);
    out.get('c')?.answer(done());
    mesh.commit(second, [row]);
    expect((await mesh.next('append')).op.consume).toEqual([]);
  });

  it('C5 a cancel that an append answers ends the run in one append, and then its agents are told', async () => {
    const { mesh, end, out } = await fourOut();
    out.get('a')?.answer(done());
    const row = mesh.row(cancel);
    mesh.commit(await mesh.next('append'), [row]);
    const append = await mesh.next('append');
    expect(append.op).toMatchObject({ consume: [row.id], ended: { verdict: 'cancelled', reason: 'enough' } });
    expect(append.op.events.map(({ type }) => type)).toEqual([
      'CancelRequested',
      'StepCancelled',
      'StepCancelled',
      'StepCancelled',
      'StepCancelled',
      'RunEnded',
    ]);
    await mesh.over();
    mesh.commit(append);
    const cancels = [await mesh.next('cancel'), await mesh.next('cancel'), await mesh.next('cancel')];
    expect(cancels.map(({ key, epoch }) => [key, epoch])).toEqual(['b', 'c', 'd'].map((id) => [mesh.key(id), 1]));
    for (const call of cancels) call.answer(call.key !== mesh.key('d'));
    for (const id of ['b', 'c', 'd']) out.get(id)?.answer({ kind: 'unreachable' });
    const last = await mesh.next('append');
    // Two confirmed; the third is asked again soon, and is over at its deadline at the latest.
    expect(last.op).toMatchObject({
      park: true,
      wakeAt: T0 + 1000,
      events: [{ type: 'ExecutionStopped' }, { type: 'ExecutionStopped' }],
    });
    mesh.commit(last);
    await expect(end).resolves.toBe('parked');
  });

  it('waits for every dispatch, and nothing is decided while none has answered', async () => {
    const { mesh } = await fourOut();
    await mesh.over();
    mesh.now += 900;
    await mesh.over();
  });

  it('leaves to the next turn, at once, what became due when time was up', async () => {
    const mesh = new HandMesh(two);
    const { end } = await mesh.turn();
    const call = await mesh.next('execute');
    mesh.now += 1000;
    call.answer(done());
    const append = await mesh.next('append');
    expect(append.op).toMatchObject({ park: true, wakeAt: mesh.now });
    expect(append.op.events.at(-1)).toMatchObject({ type: 'StepScheduled', step: 'b' });
    mesh.commit(append);
    await expect(end).resolves.toBe('parked');
    await mesh.over();
  });

  interface Wake {
    readonly about: string;
    readonly workflow: WorkflowDefinition;
    readonly answer: DispatchAnswer;
    readonly wakeAt: number | null;
    readonly end?: string;
  }
  const wakes: readonly Wake[] = [
    {
      about: 'a lease ends',
      workflow: one(),
      answer: { kind: 'accepted', leaseUntil: T0 + 15_000 },
      wakeAt: T0 + 15_000,
    },
    {
      about: 'the deadline comes before the lease ends',
      workflow: one(', timeout: 4s'),
      answer: { kind: 'accepted', leaseUntil: T0 + 15_000 },
      wakeAt: T0 + 4000,
    },
    {
      about: 'a claim is held for a while',
      workflow: one(),
      answer: { kind: 'held', retryAfterMs: 7000 },
      wakeAt: T0 + 7000,
    },
    {
      about: 'C10 (b) an agent could not be reached',
      workflow: one(),
      answer: { kind: 'unreachable' },
      wakeAt: T0 + 1000,
    },
    { about: 'the only instance refused', workflow: one(), answer: { kind: 'gone' }, wakeAt: T0 + 1000 },
    { about: 'nothing is left', workflow: one(), answer: done(), wakeAt: null, end: 'ended' },
  ];
  it.each(wakes)('wakes when $about', async ({ workflow, answer, wakeAt, end: ends }) => {
    const mesh = new HandMesh(workflow);
    const { end } = await mesh.turn();
    (await mesh.next('execute')).answer(answer);
    const append = await mesh.next('append');
    expect(append.op).toMatchObject({ park: true, wakeAt });
    mesh.commit(append);
    await expect(end).resolves.toBe(ends ?? 'parked');
    await mesh.over();
  });

  it('wakes at the time of a retry', async () => {
    const mesh = new HandMesh(one(', retry: { initial_delay: 10s }'));
    await mesh.turn();
    (await mesh.next('execute')).answer(outcome(failure(true)));
    const { op } = await mesh.next('append');
    const retry = op.events.find((event) => event.type === 'RetryScheduled');
    expect(op).toMatchObject({ park: true, wakeAt: retry?.notBefore });
  });

  it('looks once a second while no instance is there', async () => {
    const mesh = new HandMesh(one());
    mesh.instances.set('alpha', []);
    const { end } = await mesh.turn();
    (await mesh.next('execute')).answer({ kind: 'gone' });
    const append = await mesh.next('append');
    expect(append.op).toMatchObject({
      park: true,
      wakeAt: T0 + 1000,
      events: [{ type: 'StepReassigned', instance: null }],
    });
    mesh.commit(append);
    await expect(end).resolves.toBe('parked');
    mesh.now += 1000;
    await mesh.turn();
    expect((await mesh.next('append')).op).toMatchObject({ park: true, events: [], wakeAt: T0 + 2000 });
  });
});

describe('dispatches', () => {
  it('C2 what is running and was never sent is sent by the next owner, with its epoch and the same key', async () => {
    const mesh = new HandMesh(one());
    mesh.epoch = 7;
    mesh.now += 3000;
    await mesh.turn();
    const { request, waitMs } = await mesh.next('execute');
    expect(request).toEqual({
      key: mesh.key('a'),
      action: 'alpha/act',
      epoch: 7,
      instance: 'alpha#1',
      notAfter: T0 + 60_000,
      input: {},
      rework: null,
      acknowledge: [],
    });
    expect(waitMs).toBe(1000);
  });

  it('C3 what an agent kept is joined by the next owner: one outcome, one append', async () => {
    const mesh = new HandMesh(one());
    const first = await mesh.turn();
    await mesh.next('execute');
    mesh.epoch = 2;
    const second = await mesh.turn();
    const again = await mesh.next('execute');
    expect(again.request).toMatchObject({ key: mesh.key('a'), epoch: 2 });
    again.answer(done());
    mesh.commit(await mesh.next('append'));
    await expect(second.end).resolves.toBe('ended');
    void first;
  });

  it('C3 a result among the unread rows is taken in before anything is sent', async () => {
    const mesh = new HandMesh(one());
    const row = mesh.row({ kind: 'result', key: mesh.key('a'), outcome: { kind: 'succeeded', output: {} } });
    const { end } = await mesh.turn({ inbox: [row] });
    const append = await mesh.next('append');
    expect(append.op).toMatchObject({ consume: [row.id], park: true, ended: { verdict: 'passed' } });
    mesh.commit(append);
    await expect(end).resolves.toBe('ended');
    await mesh.over();
  });

  it('leave alone an execution whose lease is alive, and look again when it ends', async () => {
    const mesh = new HandMesh(one());
    const lease = { key: mesh.key('a'), instance: 'alpha#1', leaseUntil: T0 + 9000 };
    const { end } = await mesh.turn({ leases: [lease] });
    const park = await mesh.next('append');
    expect(park.op).toMatchObject({ park: true, wakeAt: T0 + 9000, events: [] });
    mesh.commit(park);
    await expect(end).resolves.toBe('parked');
    mesh.now = T0 + 9000;
    await mesh.turn({ leases: [lease] });
    expect((await mesh.next('execute')).request.key).toBe(mesh.key('a'));
  });

  it('C8 one that an agent refuses for its epoch ends the turn: a successor is at work', async () => {
    const mesh = new HandMesh(SIM_WORKFLOWS.branches);
    const { end } = await mesh.turn();
    const out = await mesh.executions(2);
    out.get('try')?.answer({ kind: 'stale' });
    await expect(end).resolves.toBe('superseded');
    out.get('close')?.answer(done());
    await mesh.over();
  });

  it('C9 an agent that dies in a `once` action: same key, next incarnation, held, and then lost for good', async () => {
    const mesh = new HandMesh(one());
    const first = await mesh.turn();
    (await mesh.next('execute')).answer({ kind: 'unreachable' });
    mesh.commit(await mesh.next('append'));
    await expect(first.end).resolves.toBe('parked');

    mesh.instances.set('alpha', ['alpha#2']);
    mesh.now += 1000;
    const second = await mesh.turn();
    (await mesh.next('execute')).answer({ kind: 'gone' });
    const reassigned = await mesh.next('append');
    expect(reassigned.op.events).toMatchObject([{ type: 'StepReassigned', key: mesh.key('a'), instance: 'alpha#2' }]);
    mesh.commit(reassigned);
    const again = await mesh.next('execute');
    expect(again.request).toMatchObject({ key: mesh.key('a'), instance: 'alpha#2' });
    again.answer({ kind: 'held', retryAfterMs: 9000 });
    const held = await mesh.next('append');
    expect(held.op).toMatchObject({ park: true, wakeAt: mesh.now + 9000, events: [] });
    mesh.commit(held);
    await expect(second.end).resolves.toBe('parked');

    mesh.now += 9000;
    await mesh.turn();
    (await mesh.next('execute')).answer(outcome({ kind: 'lost', message: 'nobody can tell' }));
    expect((await mesh.next('append')).op.events.map(({ type }) => type)).toEqual([
      'StepCompleted',
      'StepSettled',
      'RunEnded',
    ]);
  });

  it('C10 (b) one that got lost is sent again to the same instance under the same key', async () => {
    const mesh = new HandMesh(one());
    const first = await mesh.turn();
    const lost = await mesh.next('execute');
    lost.answer({ kind: 'unreachable' });
    mesh.commit(await mesh.next('append'));
    await expect(first.end).resolves.toBe('parked');
    mesh.now += 1000;
    mesh.epoch = 2;
    await mesh.turn();
    expect((await mesh.next('execute')).request).toEqual({ ...lost.request, epoch: 2 });
  });

  it('refused for good are failures that are not retried', async () => {
    const mesh = new HandMesh(one());
    await mesh.turn();
    const error = { code: 'invalid_input', message: 'a: expected b', retryable: false } as const;
    (await mesh.next('execute')).answer({ kind: 'refused', error });
    const { op } = await mesh.next('append');
    expect(op.events.map(({ type }) => type)).toEqual(['StepCompleted', 'StepSettled', 'RunEnded']);
    expect(op.ended).toEqual({ verdict: 'failed', reason: 'step a failed: a: expected b' });
  });

  it('tell the agents which outcomes are on record, those of this turn', async () => {
    const { mesh, out } = await fourOut();
    expect(out.get('a')?.request.acknowledge).toEqual([mesh.key('plan')]);
    for (const call of out.values()) call.answer(done());
    mesh.commit(await mesh.next('append'));
    const ids = ['plan', 'a', 'b', 'c', 'd'];
    expect((await mesh.next('execute')).request.acknowledge).toEqual(ids.map((id) => mesh.key(id)));
  });

  it('go out once in a turn, however often it looks', async () => {
    const { mesh, out } = await fourOut();
    for (const id of ['a', 'b']) {
      out.get(id)?.answer(done());
      mesh.commit(await mesh.next('append'));
      await mesh.over();
    }
  });

  it('whose port breaks its promise fail the turn instead of hanging it', async () => {
    const mesh = new HandMesh(one());
    const { end } = await mesh.turn();
    (await mesh.next('execute')).fail(new Error('a bug in the port'));
    await expect(end).rejects.toThrow('a bug in the port');
    await mesh.over();
  });
});

describe('the acquire', () => {
  it('of a run that is not there ends the turn; refused otherwise it fails it', async () => {
    for (const [code, ends] of [
      ['not_found', 'unknown_run'],
      ['unavailable', undefined],
    ] as const) {
      const mesh = new HandMesh(one());
      const end = mesh.take();
      end.catch(() => undefined);
      (await mesh.next('acquire')).answer({ result: 'refused', code, message: 'no' });
      if (ends) await expect(end).resolves.toBe(ends);
      else await expect(end).rejects.toThrow('unavailable: no');
      await mesh.over();
    }
  });

  it('C10 (c) whose answer was lost fails the turn; the next raises the epoch again and goes on', async () => {
    const mesh = new HandMesh(one());
    const end = mesh.take();
    end.catch(() => undefined);
    (await mesh.next('acquire')).fail(new Error('connection lost'));
    await expect(end).rejects.toThrow('connection lost');
    mesh.epoch = 2;
    await mesh.turn();
    expect((await mesh.next('execute')).request.epoch).toBe(2);
  });

  it('of a run that has ended asks for nothing but the end of what is being stopped', async () => {
    const mesh = new HandMesh(one());
    const first = await mesh.turn();
    const call = await mesh.next('execute');
    call.answer({ kind: 'accepted', leaseUntil: T0 + 15_000 });
    mesh.commit(await mesh.next('append'), [mesh.row(cancel)]);
    mesh.commit(await mesh.next('append'));
    (await mesh.next('cancel')).answer(false);
    mesh.commit(await mesh.next('append'));
    await expect(first.end).resolves.toBe('parked');
    const second = await mesh.turn();
    (await mesh.next('cancel')).answer(true);
    const last = await mesh.next('append');
    expect(last.op).toMatchObject({ park: true, wakeAt: null, ended: null, events: [{ type: 'ExecutionStopped' }] });
    mesh.commit(last);
    await expect(second.end).resolves.toBe('ended');
  });

  it('reads events through the upcasters, and says which event it cannot read', async () => {
    const mesh = new HandMesh(one());
    const unknown = { type: 'StepDanced', at: T0 } as unknown as (typeof mesh.events)[number];
    const { end } = await mesh.turn({ events: [...mesh.stored(), { seq: 3, event: unknown }] });
    await expect(end).rejects.toThrow('StepDanced');
    await mesh.over();
  });
});
