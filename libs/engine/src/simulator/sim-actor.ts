import type { ActionContract } from '@devmesh/contracts/action';
import type { EffectClaimReply, EffectResult } from '@devmesh/contracts/effect';
import { effectKey } from '@devmesh/contracts/effect';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import type { ExecutionKey, InstanceId, UnixMs } from '@devmesh/contracts/ids';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import { createHash } from 'node:crypto';
import type { DispatchAnswer } from '../ports.js';
import type { Callee, Network } from './network.js';
import type { SimExecution } from './sim-execution.js';
import type { SimRemote } from './sim-remote.js';
import type { StateStore } from './state-store.js';
import type { Timers } from './timers.js';

/** What actors promise. Off only to show that the checks see it. */
export interface ActorHabits {
  /** An execution is claimed before it acts. */
  readonly claims: boolean;
  /** An effect has its row before its act. */
  readonly rowFirst: boolean;
  /** A claim that lapsed is looked into before anything is done. */
  readonly probes: boolean;
  /** The claim names the approval that it acts on. */
  readonly showsConsent: boolean;
  /** A claim that was refused is heeded. */
  readonly heedsRefusal: boolean;
  /** An act says what it expects to find, so that the remote refuses a second one. */
  readonly expects: boolean;
}

export const GOOD_ACTOR: ActorHabits = {
  claims: true,
  rowFirst: true,
  probes: true,
  showsConsent: true,
  heedsRefusal: true,
  expects: true,
};

export interface ActorWorld {
  readonly network: Network;
  readonly timers: Timers;
  readonly store: StateStore;
  readonly remote: SimRemote;
  readonly witness: {
    /** A body starts; `once`: nobody could tell what a first one did, so there is no second. */
    body(key: ExecutionKey, instance: InstanceId, once: boolean): void;
    /** The ledger let it act. */
    claimed(key: ExecutionKey, store: StateStore): void;
    /** The body gave this outcome. */
    said(key: ExecutionKey, outcome: Outcome): void;
  };
  readonly now: () => UnixMs;
}

/** How long an act may take, below the lease of its claim, ms. */
const ACT_MS = 10_000;
const EFFECT_LEASE_MS = 15_000;
const PAUSE_MS = 250;

function failure(message: string): Outcome {
  return { kind: 'failed', error: { code: 'action_failed', message, retryable: false } };
}

/** An execution of an action that acts (`once`, `ledger`), call by call: docs/engine.md, section 4 "Wire" and section 6. */
class Actor {
  private readonly key: ExecutionKey;
  private readonly short: string;
  private readonly effect: string;
  private readonly intent: string;

  constructor(
    private readonly world: ActorWorld,
    private readonly habits: ActorHabits,
    private readonly instance: InstanceId,
    private readonly contract: ActionContract,
    private readonly execution: SimExecution,
    private readonly scripted: { readonly outcome: Outcome; readonly takesMs: number },
  ) {
    this.key = execution.request.key;
    this.short = this.key.slice(37);
    const { runId, step, iteration } = parseExecutionKey(this.key);
    this.effect = effectKey(runId, step, 'push', 'main');
    this.intent = `${step} ${iteration}`;
  }

  /** What goes through the ledger alone may run again: the ledger knows what it did. */
  private get claimsItself(): boolean {
    return this.habits.claims && this.contract.effects === 'once';
  }

  /** Null when it has an outcome; else why nothing was started. */
  async perform(): Promise<DispatchAnswer | null> {
    const { world, habits, key, instance, execution } = this;
    if (this.claimsItself) {
      const reply = await this.call('state', 'claim', () =>
        world.store.claim({ key, instance, leaseMs: EXECUTION_LEASE_MS }, world.now()),
      ).catch(() => undefined);
      if (reply === undefined) return { kind: 'unreachable' };
      if (reply === 'barred') return { kind: 'outcome', outcome: { kind: 'cancelled' } };
      if (reply.claim === 'held') return { kind: 'held', retryAfterMs: reply.retryAfterMs };
      if (reply.claim === 'done') {
        execution.outcome = reply.outcome;
        return null;
      }
      if (reply.claim === 'lapsed' && habits.probes) {
        const found = await this.findOut();
        if (found) {
          execution.outcome = await this.record(found);
          return null;
        }
      }
    }
    if (execution.stopped || world.now() >= execution.request.notAfter) {
      execution.outcome = await this.record(execution.stopped ? { kind: 'cancelled' } : { kind: 'timed_out' });
      return null;
    }
    world.witness.body(key, instance, this.contract.effects === 'once' && this.contract.onLost !== 'probe');
    if (this.scripted.takesMs > 0) await world.timers.until(instance, world.now() + this.scripted.takesMs);
    execution.outcome = await this.record(await this.act());
    return null;
  }

  /** What the dead holder of the claim did; undefined: nothing, so it is to be done. */
  private async findOut(): Promise<Outcome | undefined> {
    if (this.contract.onLost !== 'probe')
      return { kind: 'lost', message: `nobody knows whether ${this.short} was done` };
    const there = await this.persist('remote', 'look', () => this.world.remote.look(this.effect));
    return there === this.intent ? this.scripted.outcome : undefined;
  }

  /** Claims the effect, acts, and puts on record what came of it. */
  private async act(): Promise<Outcome> {
    const { scripted, effect, intent, key, execution, world } = this;
    if (scripted.outcome.kind !== 'succeeded') return scripted.outcome;
    if (!this.habits.rowFirst) {
      await this.call('remote', 'act', () => world.remote.act({ key: effect, intent, execution: key }, null)).catch(
        () => undefined,
      );
    }
    for (;;) {
      const claim = await this.claimEffect();
      if (claim.claim === 'done') return scripted.outcome;
      if (claim.claim === 'refused' && this.habits.heedsRefusal) return failure(claim.message);
      if (claim.claim === 'held') {
        if (world.now() >= execution.request.notAfter) return { kind: 'timed_out' };
        await world.timers.until(this.instance, world.now() + claim.retryAfterMs);
        continue;
      }
      const acted =
        claim.claim === 'lapsed' ? await this.lookFor(claim.intent) : await this.actOn(this.expectedBy(claim));
      if (acted === 'unknown') return { kind: 'lost', message: `nobody knows whether ${this.short} was done` };
      // Whatever became of the lapsed one is on record now: the claim is asked for anew.
      if (claim.claim === 'lapsed') continue;
      return acted === 'done' ? scripted.outcome : failure('the remote has something else');
    }
  }

  /** What the remote has, as far as the ledger knows. */
  private expectedBy(claim: EffectClaimReply): string | null {
    const previous = 'previous' in claim ? claim.previous?.['is'] : undefined;
    return typeof previous === 'string' ? previous : null;
  }

  /** A claim lapsed without a word: whether its intent is there is put on record. */
  private async lookFor(intent: JsonObject): Promise<EffectResult['outcome']> {
    const { effect, world } = this;
    const wanted = intent['is'];
    if (!this.habits.probes || typeof wanted !== 'string') return this.recordEffect('not_done');
    const there = await this.persist('remote', 'look', () => world.remote.look(effect));
    return there === wanted ? this.recordEffect('done', wanted) : this.recordEffect('not_done');
  }

  private claimEffect(): Promise<EffectClaimReply> {
    const { effect, key, instance, intent, execution, world } = this;
    const intentHash = createHash('sha256').update(intent).digest('hex');
    const approval = this.habits.showsConsent ? (execution.request.approval ?? null) : null;
    const claim = {
      key: effect,
      execution: key,
      instance,
      intent: { is: intent },
      intentHash,
      leaseMs: EFFECT_LEASE_MS,
      approval,
    };
    return this.persist('state', 'claim effect', () => {
      const reply = world.store.claimEffect(claim, world.now());
      if (reply.claim === 'granted' || reply.claim === 'lapsed') world.witness.claimed(key, world.store);
      return reply;
    });
  }

  private async actOn(expected: string | null): Promise<EffectResult['outcome']> {
    const { effect, intent, key, world } = this;
    const until = world.now() + ACT_MS;
    for (;;) {
      // Looks at its lease before it acts.
      if (world.now() >= until) return this.recordEffect('unknown');
      const answer = await this.call('remote', 'act', () =>
        world.remote.act(
          { key: effect, intent, execution: key },
          this.habits.expects ? expected : world.remote.look(effect),
        ),
      ).catch(() => undefined);
      if (answer === 'done') return this.recordEffect('done');
      const there = await this.persist('remote', 'look', () => world.remote.look(effect));
      if (there === intent) return this.recordEffect('done');
      if (answer === 'refused') return this.recordEffect('not_done');
    }
  }

  private async recordEffect(outcome: EffectResult['outcome'], is = this.intent): Promise<EffectResult['outcome']> {
    const { effect, key, instance, world } = this;
    const said = await this.persist('state', 'record effect', () =>
      world.store.recordEffect({ key: effect, execution: key, instance, outcome, result: { is } }),
    );
    return said === 'conflict' ? 'unknown' : outcome;
  }

  /** The outcome that counts: `lost` when the claim was taken over meanwhile. */
  private async record(outcome: Outcome): Promise<Outcome> {
    const { key, instance, world } = this;
    world.witness.said(key, outcome);
    if (!this.claimsItself) return outcome;
    const said = await this.persist('state', 'record', () => world.store.record({ key, instance, outcome }));
    if (said !== 'conflict') return outcome;
    const lost: Outcome = { kind: 'lost', message: `the claim of ${this.short} was taken over` };
    world.witness.said(key, lost);
    return lost;
  }

  private call<T>(to: Callee, name: string, effect: () => T): Promise<T> {
    return this.world.network.call(this.instance, to, `${name} ${this.short}`, effect);
  }

  /** Asks until it is answered: what is on its way cannot be undone, so it is found out. */
  private async persist<T>(to: Callee, name: string, effect: () => T): Promise<T> {
    for (;;) {
      try {
        return await this.call(to, name, effect);
      } catch {
        await this.world.timers.until(this.instance, this.world.now() + PAUSE_MS);
      }
    }
  }
}

export function actOnce(
  world: ActorWorld,
  habits: ActorHabits,
  instance: InstanceId,
  contract: ActionContract,
  execution: SimExecution,
  scripted: { readonly outcome: Outcome; readonly takesMs: number },
): Promise<DispatchAnswer | null> {
  return new Actor(world, habits, instance, contract, execution, scripted).perform();
}
