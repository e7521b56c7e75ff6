import { z } from 'zod';
import { ForkOrigin } from './event.js';
import { Digest, StepId } from './ids.js';
import { JsonObject } from './json.js';

const Seq = z.number().int().positive();

/** What the orchestrator is asked: a new run that goes on from another one. */
export const ForkRun = z.object({
  projectId: z.string().max(64),
  requestedBy: z.string().max(200),
  kind: ForkOrigin.shape.kind,
  /** Null for a retry. */
  from: StepId.nullable(),
  /** The source's last event that counts; null: all there are. */
  at: Seq.nullable(),
  /** Of a fork: members laid over the input of `from`. */
  input: JsonObject.nullable(),
  idempotency: z.object({ key: z.string().min(1).max(255), requestHash: Digest }).nullable(),
});
export type ForkRun = z.infer<typeof ForkRun>;

export const RerunBody = z.object({ from: StepId });
export type RerunBody = z.input<typeof RerunBody>;
export const ForkBody = z.object({
  from: StepId,
  /** State of the source after this event; left out: as it is now. */
  at: Seq.optional(),
  /** Members laid over the step's input; the rest of it is as its workflow says. */
  input: JsonObject.default({}),
});
export type ForkBody = z.input<typeof ForkBody>;
