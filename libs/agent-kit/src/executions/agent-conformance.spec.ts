import { defineAction } from '@devmesh/contracts/action';
import type { ExecutionRequest } from '@devmesh/contracts/execution';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { realAgent, simulatedAgent, type AgentUnderTest } from '../testing/agent-port.fixture.js';

const RUN = '01900000-0000-7000-8000-000000000001';
const KEY = `${RUN}/build/1/1`;
const common = { title: 'Work', input: z.looseObject({}), output: z.looseObject({}) };
const actions = {
  quick: defineAction({ ...common, id: 'cicd/quick', isDefault: true }),
  slow: defineAction({ ...common, id: 'cicd/slow' }),
  once: defineAction({ ...common, id: 'cicd/once', effects: 'once' }),
};
const DONE = { kind: 'outcome', outcome: { kind: 'succeeded', output: { done: true } } };
const CANCELLED = { kind: 'outcome', outcome: { kind: 'cancelled' } };

// One suite for the agent that the simulator has and for a real one over HTTP: what the engine is proved with is what it meets.
describe.each(['simulated', 'real'] as const)('the %s agent', (kind) => {
  let agent: AgentUnderTest;

  beforeEach(async () => {
    agent = kind === 'real' ? await realAgent(actions, RUN) : simulatedAgent(actions, RUN);
    agent.store.apply(
      {
        op: 'create',
        runId: RUN,
        projectId: 'p',
        events: [],
        workflow: { digest: 'a'.repeat(64), name: 'w' },
        task: '',
        repository: null,
        idempotency: null,
        wakeAt: agent.now(),
      },
      agent.now(),
    );
  });
  afterEach(() => agent.close());

  const request = (over: Partial<ExecutionRequest> = {}): ExecutionRequest => ({
    key: KEY,
    action: actions.quick.id,
    epoch: 2,
    instance: agent.instance,
    notAfter: agent.now() + 60_000,
    input: {},
    rework: null,
    acknowledge: [],
    ...over,
  });

  it('runs a key once, and answers all who ask for it', async () => {
    expect(await agent.execute(request(), 'long')).toEqual(DONE);
    expect(await agent.execute(request({ epoch: 3 }), 'long')).toEqual(DONE);
    expect(agent.bodies()).toEqual([KEY]);
  });

  it('accepts what takes longer than the wait, and tells the inbox its outcome', async () => {
    const slow = request({ action: actions.slow.id });
    const accepted = await agent.execute(slow, 'none');
    expect(accepted).toMatchObject({ kind: 'accepted' });
    expect(accepted.kind === 'accepted' && accepted.leaseUntil > agent.now()).toBe(true);
    expect(agent.reports()).toEqual([]);
    await agent.finish();
    await expect.poll(() => agent.reports()).toEqual([{ key: KEY, outcome: DONE.outcome }]);
    expect(await agent.execute(slow, 'long')).toEqual(DONE);
    expect(agent.bodies()).toEqual([KEY]);
  });

  it('goes on when its caller goes away, and tells the inbox', async () => {
    await agent.executeAndLeave(request({ action: actions.slow.id }));
    await agent.finish();
    await expect.poll(() => agent.reports()).toEqual([{ key: KEY, outcome: DONE.outcome }]);
    expect(agent.bodies()).toEqual([KEY]);
  });

  it('refuses an owner that has been succeeded, and another incarnation', async () => {
    expect(await agent.execute(request(), 'long')).toEqual(DONE);
    expect(await agent.execute(request({ epoch: 1, key: `${RUN}/other/1/1` }), 'long')).toEqual({ kind: 'stale' });
    expect(await agent.execute(request({ instance: 'cicd@gone', key: `${RUN}/other/1/1` }), 'long')).toEqual({
      kind: 'gone',
    });
    // Whoever asks for another incarnation is told so, whatever their epoch.
    expect(await agent.execute(request({ instance: 'cicd@gone', epoch: 1 }), 'long')).toEqual({ kind: 'gone' });
    // Another incarnation's request says nothing about this one's run.
    expect(await agent.execute(request({ instance: 'cicd@gone', epoch: 9 }), 'long')).toEqual({ kind: 'gone' });
    expect(await agent.execute(request({ epoch: 2 }), 'long')).toEqual(DONE);
    expect(agent.bodies()).toEqual([KEY]);
  });

  it('never runs a key that was cancelled before it came', async () => {
    expect(await agent.cancel(KEY)).toBe(true);
    expect(await agent.execute(request(), 'long')).toEqual(CANCELLED);
    expect(agent.bodies()).toEqual([]);
  });

  it('answers whoever waits for what is cancelled', async () => {
    const { answer } = await agent.begin(request({ action: actions.slow.id }));
    await agent.cancel(KEY);
    expect(await answer).toEqual(CANCELLED);
    expect(agent.reports()).toEqual([]);
  });

  it('never runs a key again whose outcome is on record', async () => {
    expect(await agent.execute(request(), 'long')).toEqual(DONE);
    expect(await agent.execute(request({ key: `${RUN}/other/1/1`, acknowledge: [KEY] }), 'long')).toEqual(DONE);
    expect(await agent.execute(request(), 'long')).toEqual(CANCELLED);
    expect(agent.bodies()).toEqual([KEY, `${RUN}/other/1/1`]);
  });

  it('starts nothing after its time', async () => {
    expect(await agent.execute(request({ notAfter: agent.now() - 1 }), 'long')).toEqual({
      kind: 'outcome',
      outcome: { kind: 'timed_out' },
    });
    expect(agent.bodies()).toEqual([]);
  });

  describe('with an action that acts once', () => {
    const once = () => request({ action: actions.once.id });
    const claimedBy = (instance: string, leaseMs: number) =>
      agent.store.claim({ key: KEY, instance, leaseMs }, agent.now());

    it('claims it before it acts, and has its outcome on record before it answers', async () => {
      expect(await agent.execute(once(), 'long')).toEqual(DONE);
      expect(claimedBy('another', 15_000)).toEqual({ claim: 'done', outcome: DONE.outcome });
    });

    it('answers what is on record', async () => {
      claimedBy('another', 15_000);
      agent.store.record({ key: KEY, instance: 'another', outcome: { kind: 'succeeded', output: { by: 'another' } } });
      expect(await agent.execute(once(), 'long')).toEqual({
        kind: 'outcome',
        outcome: { kind: 'succeeded', output: { by: 'another' } },
      });
      expect(agent.bodies()).toEqual([]);
    });

    it('starts nothing while another holds it, and may be asked again', async () => {
      claimedBy('another', 15_000);
      expect(await agent.execute(once(), 'long')).toMatchObject({ kind: 'held' });
      agent.store.record({ key: KEY, instance: 'another', outcome: { kind: 'succeeded', output: { done: true } } });
      expect(await agent.execute(once(), 'long')).toEqual(DONE);
      expect(agent.bodies()).toEqual([]);
    });

    it('starts nothing that its run counts no longer', async () => {
      const [acquired] = agent.store.batch([{ op: 'acquire', runId: RUN, owner: 'o' }], agent.now());
      const epoch = acquired?.result === 'acquired' ? acquired.epoch : 0;
      agent.store.apply(
        {
          op: 'append',
          appendId: '00000000-0000-4000-8000-000000000001',
          runId: RUN,
          epoch,
          events: [],
          consume: [],
          checkpoint: null,
          artifacts: [],
          barred: [KEY],
          ended: null,
          wakeAt: agent.now(),
          park: false,
        },
        agent.now(),
      );
      expect(await agent.execute(once(), 'long')).toEqual(CANCELLED);
      expect(agent.bodies()).toEqual([]);
      expect(claimedBy('another', 15_000), 'and it is claimed by nobody').toBe('barred');
    });

    it('says that it is lost when its holder died and nobody can tell', async () => {
      claimedBy('another', -1);
      expect(await agent.execute(once(), 'long')).toMatchObject({ kind: 'outcome', outcome: { kind: 'lost' } });
      expect(agent.bodies()).toEqual([]);
      expect(claimedBy('a third', 15_000)).toMatchObject({ claim: 'done', outcome: { kind: 'lost' } });
    });
  });
});
