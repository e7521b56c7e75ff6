import { z } from 'zod';
import { ApprovalRef } from './approval.js';
import { Digest, ExecutionKey, InstanceId, RunId, StepId, Timestamp } from './ids.js';
import { JsonObject } from './json.js';

/*
 * The effect ledger: what reaches the world outside is claimed before the act. docs/engine.md section 6 says what each answer promises.
 */

/** What kind of act it is: `push`, `pull_request`, `comment`, … */
export const EffectKind = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/);

/** `run/step/kind/name`: no iteration and no attempt, so that doing the step again updates what is there. */
export const EffectKey = z
  .string()
  .regex(
    /^[0-9a-f-]{36}\/[a-z0-9][a-z0-9_.-]{0,159}\/[a-z][a-z0-9_]{0,39}\/[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}$/,
    'run/step/kind/name',
  );
export type EffectKey = z.infer<typeof EffectKey>;

export const EffectClaim = z.object({
  key: EffectKey,
  execution: ExecutionKey,
  instance: InstanceId,
  /** What is to be true afterwards; the same intent done before is answered, another one is an update. Holds no secret. */
  intent: JsonObject,
  intentHash: Digest,
  /** Longer than the act may take, ms. */
  leaseMs: z.number().int().min(100).max(600_000),
  approval: ApprovalRef.nullable(),
});
export type EffectClaim = z.infer<typeof EffectClaim>;

export const EffectClaimReply = z.discriminatedUnion('claim', [
  /** Act. `previous` is the result of the last act with this key, when there was one. */
  z.object({ claim: z.literal('granted'), previous: JsonObject.nullable() }),
  /** This intent was done: answer this. */
  z.object({ claim: z.literal('done'), result: JsonObject }),
  /** Another one's claim is alive: ask again later. */
  z.object({ claim: z.literal('held'), retryAfterMs: z.number().int().nonnegative() }),
  /** A claim lapsed without a word: probe before you act. The claim is now the caller's. `intent` is the lapsed one's. */
  z.object({ claim: z.literal('lapsed'), intent: JsonObject, previous: JsonObject.nullable() }),
  /** Nothing may be done. */
  z.object({
    claim: z.literal('refused'),
    reason: z.enum([
      'run_cancelled',
      'run_ended',
      'superseded',
      'approval_missing',
      'approval_changed',
      'approval_expired',
      'unknown_run',
    ]),
    message: z.string(),
  }),
]);
export type EffectClaimReply = z.infer<typeof EffectClaimReply>;

/** `done`: with its result. `not_done`: the act failed for sure. `unknown`: nobody can tell; a person must. */
export const EffectOutcome = z.enum(['done', 'not_done', 'unknown']);
/** Puts on record what came of a claim; refused with `conflict` for an instance whose claim was taken over. */
export const EffectResult = z.object({
  key: EffectKey,
  execution: ExecutionKey,
  instance: InstanceId,
  outcome: EffectOutcome,
  result: JsonObject,
});
export type EffectResult = z.infer<typeof EffectResult>;

/** An effect as people and other software see it. */
export const EffectRecord = z.object({
  key: EffectKey,
  runId: RunId,
  step: StepId,
  kind: EffectKind,
  name: z.string(),
  /** `claimed`: its act is under way, or its agent died in it. */
  status: z.enum(['claimed', 'done', 'not_done', 'unknown']),
  intent: JsonObject,
  result: JsonObject.nullable(),
  execution: ExecutionKey,
  approvalId: z.uuid().nullable(),
  /** How often it was claimed. */
  claims: z.number().int().positive(),
  claimedAt: Timestamp,
  updatedAt: Timestamp,
});

export type EffectRecord = z.infer<typeof EffectRecord>;
export const EffectPage = z.object({ items: z.array(EffectRecord) });

export function effectKey(run: RunId, step: StepId, kind: string, name: string): EffectKey {
  return `${run}/${step}/${kind}/${name}`;
}
