import { z } from 'zod';
import { FindingClass, Severity } from './finding.js';
import { Digest, RunId, Timestamp } from './ids.js';

/**
 * What became of a finding of a project's repository: `open` since it was first told, `accepted` when it is still there on another commit, `fixed` when
 * it is gone, `suppressed` by a comment, the baseline or the policy; `confirmed` or `rejected` by a person, which stands.
 */
export const FINDING_FATES = ['open', 'accepted', 'fixed', 'suppressed', 'confirmed', 'rejected'] as const;
export const FindingFate = z.enum(FINDING_FATES);
export type FindingFate = z.infer<typeof FindingFate>;

const RuleId = z.string().min(1).max(100);
const Path = z.string().min(1).max(4096);

/** Most findings of one review that are kept track of. */
export const MAX_SEEN_FINDINGS = 5000;

/** A finding of a review of a whole tree. `untold`: there, but of a silent rule, or rejected by a person. */
export const SeenFinding = z.object({
  fingerprint: Digest,
  rule: RuleId,
  class: FindingClass,
  severity: Severity,
  path: Path,
  state: z.enum(['told', 'suppressed', 'untold']),
});
export type SeenFinding = z.infer<typeof SeenFinding>;

/** All findings of the commit that a run began with. In the files of `unsure` nothing counts as fixed: they were not reviewed to their end. */
export const SeenFindings = z.object({
  findings: z.array(SeenFinding).max(MAX_SEEN_FINDINGS),
  unsure: z.array(Path).max(MAX_SEEN_FINDINGS).default([]),
});
export type SeenFindings = z.infer<typeof SeenFindings>;

export const FindingRecord = z.object({
  fingerprint: Digest,
  rule: RuleId,
  class: FindingClass,
  severity: Severity,
  path: Path,
  fate: FindingFate,
  /** When it became that. */
  since: Timestamp,
  firstRunId: RunId,
  lastRunId: RunId,
  judgedBy: z.string().nullable(),
  reason: z.string().nullable(),
});
export type FindingRecord = z.infer<typeof FindingRecord>;

/** Those that the run's repository had when the run reviewed it. */
export const FindingPage = z.object({ items: z.array(FindingRecord).max(MAX_SEEN_FINDINGS) });
export type FindingPage = z.infer<typeof FindingPage>;

/** What a person says of a finding. The last word counts. */
export const FindingVerdict = z.object({
  verdict: z.enum(['confirmed', 'rejected']),
  reason: z.string().min(1).max(1000),
  by: z.string().min(1).max(200),
});
export type FindingVerdict = z.infer<typeof FindingVerdict>;

const Count = z.number().int().nonnegative();

/** How often a rule was right in a project. */
export const RulePrecision = z.object({
  rule: RuleId,
  open: Count,
  accepted: Count,
  fixed: Count,
  suppressed: Count,
  confirmed: Count,
  rejected: Count,
  /** `fixed`, `confirmed` and `rejected` together. */
  judged: Count,
  /** The share of `fixed` and `confirmed` among the judged; null when none is. */
  precision: z.number().min(0).max(1).nullable(),
});
export type RulePrecision = z.infer<typeof RulePrecision>;
export const RulePrecisionList = z.object({ items: z.array(RulePrecision) });
export type RulePrecisionList = z.infer<typeof RulePrecisionList>;

/** What a project's people have said, for a review of one of its repositories. */
export const FindingHistory = z.object({
  precision: z.array(RulePrecision),
  rejected: z.array(z.object({ fingerprint: Digest, reason: z.string() })).max(100_000),
});
export type FindingHistory = z.infer<typeof FindingHistory>;
