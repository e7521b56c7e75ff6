import { z } from 'zod';
import { Verdict } from './action.js';
import { Digest, RunId, StepId, Timestamp, UnixMs } from './ids.js';
import { JsonObject } from './json.js';

/**
 * What a verdict is about. `consent`: whether the run may go on, or may act. `lost`: whether an act whose agent died inside it
 * was done (approved) or not (rejected).
 */
export const ApprovalKind = z.enum(['consent', 'lost']);
export type ApprovalKind = z.infer<typeof ApprovalKind>;

/**
 * A decision asked of a person. `hash` is the SHA-256 of the canonical JSON (RFC 8785) of `subject`: the action and its resolved
 * arguments, the repository's commit and bundles, the workflow's digest, the policy's revision, the expiry.
 */
export const ApprovalRequest = z.object({
  id: z.uuid(),
  kind: ApprovalKind,
  title: z.string().max(300),
  subject: JsonObject,
  hash: Digest,
  /** A verdict counts before this. */
  expiresAt: UnixMs,
  remindAt: UnixMs.nullable(),
  escalateAt: UnixMs.nullable(),
  escalateTo: z.array(z.string().max(200)).max(20),
});
export type ApprovalRequest = z.infer<typeof ApprovalRequest>;

/** The approval that an execution acts on: checked again in the transaction that claims an effect. */
export const ApprovalRef = z.object({ id: z.uuid(), hash: Digest });
export type ApprovalRef = z.infer<typeof ApprovalRef>;

/** `closed`: the run ended, or work was sent back, before anybody decided. */
export const ApprovalStatus = z.enum(['open', 'approved', 'rejected', 'expired', 'closed']);
export type ApprovalStatus = z.infer<typeof ApprovalStatus>;

/** An approval as people and other software see it. */
export const ApprovalRecord = z.object({
  id: z.uuid(),
  runId: RunId,
  projectId: z.string(),
  step: StepId,
  iteration: z.number().int().positive(),
  kind: ApprovalKind,
  title: z.string(),
  subject: JsonObject,
  hash: Digest,
  status: ApprovalStatus,
  requestedAt: Timestamp,
  expiresAt: Timestamp,
  escalateTo: z.array(z.string()),
  /** Set from the time on at which the others are asked too. */
  escalatedAt: Timestamp.nullable(),
  decidedAt: Timestamp.nullable(),
  decidedBy: z.string().nullable(),
  comment: z.string().nullable(),
});
export type ApprovalRecord = z.infer<typeof ApprovalRecord>;

/**
 * A verdict. `hash` is the one that the person saw; another one is refused (`approval_changed`). Refused with `approval_closed` when
 * the approval is not open any more, or its run has ended or is being cancelled. The same verdict of the same person again is
 * answered as the first time.
 */
export const ApprovalVerdict = z.object({
  verdict: Verdict,
  hash: Digest,
  by: z.string().min(1).max(200),
  comment: z.string().max(2000).default(''),
});
export type ApprovalVerdict = z.infer<typeof ApprovalVerdict>;

export const ApprovalQuery = z.object({
  projectId: z.string().max(64).optional(),
  runId: RunId.optional(),
  status: ApprovalStatus.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  /** Opaque; from the page before. The oldest come first. */
  cursor: z.string().max(200).optional(),
});
export type ApprovalQuery = z.infer<typeof ApprovalQuery>;
export const ApprovalPage = z.object({ items: z.array(ApprovalRecord), nextCursor: z.string().nullable() });
export type ApprovalPage = z.infer<typeof ApprovalPage>;
