import { DevmeshError } from '@devmesh/contracts/errors';
import { executionKey } from '@devmesh/contracts/ids';
import { StateStore } from '@devmesh/engine/simulator/state-store';
import { describe, expect, it } from 'vitest';
import { EffectLost, Effects, type EffectProbe, type EffectRequest } from './effects.js';

const RUN = '01890000-0000-7000-8000-000000000001';
const DIGEST = 'a'.repeat(64);

/** A run on the model of the ledger that the real one is held to, and a remote that counts what is done to it. */
class World {
  now = 1_000_000;
  readonly store = new StateStore();
  /** What the remote holds. */
  value: string | null = null;
  acts = 0;
  /** Called in the act, after its look and before its effect. */
  inAct: () => Promise<void> | void = () => undefined;
  afterAct: () => Promise<void> | void = () => undefined;
  probe: () => EffectProbe<{ value: string }> | undefined = () => undefined;
  loseClaimAnswers = 0;
  /** Called when a claim is granted, before the actor hears of it. */
  onGranted: () => Promise<void> | void = () => undefined;
  /** Called when time has passed. */
  onTime: () => Promise<void> | void = () => undefined;

  constructor() {
    this.store.apply(
      {
        op: 'create',
        runId: RUN,
        projectId: 'p',
        events: [],
        workflow: { digest: DIGEST, name: 'w' },
        task: '',
        repository: null,
        idempotency: null,
        wakeAt: this.now,
      },
      this.now,
    );
  }

  effects(instance: string, iteration = 1, attempt = 1, signal = new AbortController().signal): Effects {
    return new Effects({
      state: {
        claimEffect: async (claim) => {
          const reply = this.store.claimEffect(claim, this.now);
          if (this.loseClaimAnswers-- > 0) this.now += 20_000;
          if (reply.claim === 'granted') await this.onGranted();
          return reply;
        },
        recordEffect: async (result) => {
          if (this.store.recordEffect(result) === 'conflict') throw new DevmeshError('conflict', 'not yours');
        },
      },
      execution: executionKey(RUN, 'push', iteration, attempt),
      instance,
      approval: null,
      signal,
      now: () => this.now,
      sleep: async (ms, stop) => {
        stop.throwIfAborted();
        this.now += ms;
        await this.onTime();
      },
    });
  }

  request(value: string): EffectRequest<{ value: string }, { value: string }> {
    return {
      kind: 'push',
      name: 'origin',
      intent: { value },
      actMs: 5000,
      act: async () => {
        await this.inAct();
        this.acts++;
        this.value = value;
        await this.afterAct();
        return { value };
      },
      probe: async (intent) =>
        this.probe() ??
        (this.value === intent.value ? { state: 'done', result: { value: intent.value } } : { state: 'not_done' }),
    };
  }

  cancel(): void {
    this.store.post(RUN, { dedupeKey: 'cancel', message: { kind: 'cancel', by: 'x', reason: '' } }, this.now);
  }
}

/** Stands still for ever: its process was killed there. */
const killed = () => new Promise<never>(() => undefined);

describe('an effect', () => {
  it('is done once: the same intent again is answered, another one is an update', async () => {
    const world = new World();
    expect(await world.effects('i1').perform(world.request('a'))).toEqual({ value: 'a' });
    expect(await world.effects('i2', 1, 2).perform(world.request('a'))).toEqual({ value: 'a' });
    expect(world.acts).toBe(1);
    expect(await world.effects('i2', 2).perform(world.request('b'))).toEqual({ value: 'b' });
    expect([world.acts, world.value]).toEqual([2, 'b']);
  });

  it('C17: whose agent died between claim and act is done by its successor, after a look', async () => {
    const world = new World();
    world.inAct = killed;
    void world.effects('i1').perform(world.request('a'));
    await settle();
    world.inAct = () => undefined;
    await world.effects('i2').perform(world.request('a'));
    expect([world.acts, world.value]).toEqual([1, 'a']);
  });

  it('C17: whose agent died between act and record is found done, and not done again', async () => {
    const world = new World();
    world.afterAct = killed;
    void world.effects('i1').perform(world.request('a'));
    await settle();
    world.afterAct = () => undefined;
    expect(await world.effects('i2').perform(world.request('a'))).toEqual({ value: 'a' });
    expect(world.acts).toBe(1);
  });

  it('of an older intent that was done unheard is put on record, and then updated', async () => {
    const world = new World();
    world.afterAct = killed;
    void world.effects('i1').perform(world.request('a'));
    await settle();
    world.afterAct = () => undefined;
    expect(await world.effects('i2', 2).perform(world.request('b'))).toEqual({ value: 'b' });
    expect([world.acts, world.value]).toEqual([2, 'b']);
  });

  it('that nobody can tell of is lost, and the next one looks again before it acts', async () => {
    const world = new World();
    world.afterAct = () => Promise.reject(new DevmeshError('unavailable', 'the connection broke'));
    world.probe = () => ({ state: 'unknown', message: 'who knows' });
    await expect(world.effects('i1').perform(world.request('a'))).rejects.toThrow(EffectLost);
    world.probe = () => undefined;
    expect(await world.effects('i2', 1, 2).perform(world.request('a'))).toEqual({ value: 'a' });
    expect(world.acts).toBe(1);
  });

  it('whose connection broke is looked for: done is done, not done is tried again by the next attempt', async () => {
    const world = new World();
    world.afterAct = () => Promise.reject(new DevmeshError('unavailable', 'broke'));
    expect(await world.effects('i1').perform(world.request('a'))).toEqual({ value: 'a' });
    const other = new World();
    other.inAct = () => Promise.reject(new DevmeshError('unavailable', 'broke'));
    await expect(other.effects('i1').perform(other.request('a'))).rejects.toMatchObject({ code: 'unavailable' });
    other.inAct = () => undefined;
    expect(await other.effects('i1', 1, 2).perform(other.request('a'))).toEqual({ value: 'a' });
    expect(other.acts).toBe(1);
  });

  it('that the remote refused is not done, and not looked for', async () => {
    const world = new World();
    world.inAct = () => Promise.reject(new DevmeshError('conflict', 'somebody pushed'));
    world.probe = () => {
      throw new Error('nothing to look for');
    };
    await expect(world.effects('i1').perform(world.request('a'))).rejects.toMatchObject({ code: 'conflict' });
  });

  it('is refused to a run that is being cancelled, and never begun when its claim was long in coming', async () => {
    const world = new World();
    world.cancel();
    await expect(world.effects('i1').perform(world.request('a'))).rejects.toMatchObject({ code: 'effect_refused' });
    const slow = new World();
    slow.loseClaimAnswers = 1;
    await slow.effects('i1').perform(slow.request('a'));
    expect(slow.acts).toBe(1);
    expect(world.acts).toBe(0);
  });

  it('C18: an actor that was paused before its act and wakes up late finds its claim taken over', async () => {
    const world = new World();
    let wake = (): void => undefined;
    world.inAct = () => new Promise((resolve) => (wake = resolve));
    const late = world.effects('i1').perform(world.request('a'));
    await settle();
    world.inAct = () => undefined;
    await world.effects('i2').perform(world.request('a'));
    wake();
    // This remote refuses nothing, so it is done twice: the window. What is on record stays the successor's.
    await expect(late).rejects.toThrow(EffectLost);
    expect(world.acts).toBe(2);
  });

  /** What a remote that refuses nothing has seen when an actor stood still for `ms` at a point, and a successor was there all the while. */
  async function actsAfterPause(point: 'granted' | 'acting' | 'acted', ms: number): Promise<number> {
    const world = new World();
    const start = world.now;
    let wake = (): void => undefined;
    const still = new Promise<void>((resolve) => (wake = resolve));
    const hook = { granted: 'onGranted', acting: 'inAct', acted: 'afterAct' } as const;
    world[hook[point]] = () => still;
    const first = world.effects('i1').perform(world.request('a'));
    first.catch(() => undefined);
    await settle();
    world[hook[point]] = () => undefined;
    world.onTime = async () => {
      if (world.now - start < ms) return;
      wake();
      await settle();
    };
    await world.effects('i2').perform(world.request('a'));
    // It wakes up later still, when nothing has made the time pass so far.
    world.now = Math.max(world.now, start + ms);
    wake();
    await first.catch(() => undefined);
    expect(world.value).toBe('a');
    return world.acts;
  }

  it.each(['granted', 'acting', 'acted'] as const)(
    'C18: a standstill repeats an effect only between the last look at the claim and the remote, and only when it outlasts the lease: %s',
    async (point) => {
      // The lease of an act of 5 s, 20 s, is counted from the claim.
      for (const ms of [0, 1_000, 7_400, 7_600, 19_000, 21_000, 60_000])
        expect([point, ms, await actsAfterPause(point, ms)]).toEqual([
          point,
          ms,
          point === 'acting' && ms > 20_000 ? 2 : 1,
        ]);
    },
  );
});

/** Lets everything go on that can. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
