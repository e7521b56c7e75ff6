import { createHash } from 'node:crypto';
import type { ApprovalRef } from '@devmesh/contracts/approval';
import { canonicalJson } from '@devmesh/contracts/canonical-json';
import { effectKey, type EffectClaim, type EffectResult } from '@devmesh/contracts/effect';
import { DevmeshError } from '@devmesh/contracts/errors';
import { parseExecutionKey, type ExecutionKey, type InstanceId, type UnixMs } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { StateLedger } from '@devmesh/service-client/state-ledger';

/** What a look at the world outside tells of an intent. */
export type EffectProbe<R> =
  | { readonly state: 'done'; readonly result: R }
  | { readonly state: 'not_done' }
  /** Nobody can tell: a person must. */
  | { readonly state: 'unknown'; readonly message: string };

/** An act on the world outside, and how it is looked for. */
export interface EffectRequest<I extends JsonObject, R extends JsonObject> {
  /** `push`, `pull_request`, … */
  readonly kind: string;
  /** What it is done to; with the kind it names the effect within its step. */
  readonly name: string;
  /** What is to be true afterwards. Holds no secret. */
  readonly intent: I;
  /** Longest time that the act may take, ms. */
  readonly actMs: number;
  /**
   * Does it. `previous` is the result of the last time. Throws a `DevmeshError` that is not `unavailable`, `deadline_exceeded` or
   * `bad_reply` when it is sure that nothing was done; anything else is looked into.
   */
  act(previous: R | null, signal: AbortSignal): Promise<R>;
  /** Looks whether an intent was done. Changes nothing. */
  probe(intent: I, previous: R | null, signal: AbortSignal): Promise<EffectProbe<R>>;
}

/** An effect of which nobody knows whether it was done: its execution ends as `lost`. */
export class EffectLost extends Error {
  override readonly name = 'EffectLost';
}

export interface EffectsOptions {
  readonly state: Pick<StateLedger, 'claimEffect' | 'recordEffect'>;
  readonly execution: ExecutionKey;
  readonly instance: InstanceId;
  readonly approval: ApprovalRef | null;
  readonly signal: AbortSignal;
  readonly now: () => UnixMs;
  /** Rejects when the signal fires. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The lease of a claim is this much longer than its act may take, ms: time to look before, and to put on record after. */
const MARGIN_MS = 15_000;
const RECORD_PAUSE_MS = 500;
const UNCERTAIN: ReadonlySet<string> = new Set(['unavailable', 'deadline_exceeded', 'bad_reply', 'internal']);

/** Does what reaches the world outside once: claimed before the act, on record after it, looked for when nobody knows (docs/engine.md, section 6). */
export class Effects {
  constructor(private readonly options: EffectsOptions) {}

  /**
   * Claims, acts, records. Throws `effect_refused` when nothing may be done, `EffectLost` when nobody can tell what was, and what
   * the act throws when nothing was.
   */
  async perform<I extends JsonObject, R extends JsonObject>(request: EffectRequest<I, R>): Promise<R> {
    const { execution, instance, approval, now, signal, sleep } = this.options;
    const { runId, step } = parseExecutionKey(execution);
    const leaseMs = request.actMs + MARGIN_MS;
    const claim: EffectClaim = {
      key: effectKey(runId, step, request.kind, request.name),
      execution,
      instance,
      intent: request.intent,
      intentHash: createHash('sha256').update(canonicalJson(request.intent)).digest('hex'),
      leaseMs,
      approval,
    };
    for (;;) {
      signal.throwIfAborted();
      const asked = now();
      const reply = await this.options.state.claimEffect(claim, { signal });
      switch (reply.claim) {
        case 'done':
          return reply.result as R;
        case 'refused':
          throw new DevmeshError('effect_refused', reply.message);
        case 'held':
          await sleep(Math.max(100, reply.retryAfterMs), signal);
          break;
        case 'lapsed': {
          // Whoever held it may have acted: look before anything is done. Then the claim is asked for anew, with what is known.
          const found = await this.look(request, reply.intent as I, reply.previous as R | null);
          await this.record(claim, found);
          if (found.state === 'unknown') throw new EffectLost(found.message);
          break;
        }
        case 'granted': {
          const previous = reply.previous as R | null;
          // The answer may have been long in coming; an act that could outlive its claim is not begun.
          if (now() - asked > MARGIN_MS / 2) break;
          return this.act(request, claim, previous);
        }
      }
    }
  }

  private async act<I extends JsonObject, R extends JsonObject>(
    request: EffectRequest<I, R>,
    claim: EffectClaim,
    previous: R | null,
  ): Promise<R> {
    let result: R;
    try {
      const signal = AbortSignal.any([this.options.signal, AbortSignal.timeout(request.actMs)]);
      result = await request.act(previous, signal);
    } catch (error) {
      const isSure = error instanceof DevmeshError && !UNCERTAIN.has(error.code);
      const found: EffectProbe<R> = isSure ? { state: 'not_done' } : await this.look(request, request.intent, previous);
      await this.record(claim, found);
      if (found.state === 'done') return found.result;
      if (found.state === 'unknown') throw new EffectLost(found.message);
      throw error;
    }
    await this.record(claim, { state: 'done', result });
    return result;
  }

  private async look<I extends JsonObject, R extends JsonObject>(
    request: EffectRequest<I, R>,
    intent: I,
    previous: R | null,
  ): Promise<EffectProbe<R>> {
    try {
      return await request.probe(intent, previous, AbortSignal.timeout(request.actMs));
    } catch (error) {
      const why = error instanceof DevmeshError ? error.message : 'it could not be looked for';
      return { state: 'unknown', message: `nobody can tell whether ${request.kind} ${request.name} was done: ${why}` };
    }
  }

  /** Puts on record what came of a claim; goes on trying within its margin, since an act can't be undone. */
  private async record(claim: EffectClaim, found: EffectProbe<JsonObject>): Promise<void> {
    const { key, execution, instance } = claim;
    const result: EffectResult = {
      key,
      execution,
      instance,
      outcome: found.state,
      result: found.state === 'done' ? found.result : {},
    };
    const until = this.options.now() + MARGIN_MS;
    for (;;) {
      try {
        await this.options.state.recordEffect(result);
        return;
      } catch (error) {
        // Taken over: whoever has it now has looked, or will.
        if (error instanceof DevmeshError && error.code === 'conflict')
          throw new EffectLost(`${key} was taken over by another execution while this one acted; see what it did`);
        if (this.options.now() + RECORD_PAUSE_MS > until) throw error;
        await this.options.sleep(RECORD_PAUSE_MS, AbortSignal.timeout(MARGIN_MS));
      }
    }
  }
}
