import { z } from 'zod';
import { defineAction, Verdict } from '../action.js';
import { ArtifactRef } from '../artifact.js';
import { Severity, SeverityCounts } from '../finding.js';
import { CommitId } from '../ids.js';
import { RepositoryRef } from '../repository.js';

/**
 * Reviews a whole tree as its project wants it (`.devmesh/`), or with `base` what the tree changes: only findings that were not in the base are told and judged. The verdict is `rejected` when a finding at `rejectAt` or worse remains, among those that
 * `rejectOn` names: `all`, or only those that the mesh itself could mend (`fixable`). Broken settings of the project reject too, unless
 * only `fixable` is asked for.
 */
export const codeReviewReview = defineAction({
  id: 'code-review/review',
  title: 'Review a repository: findings, SARIF and a verdict',
  isDefault: true,
  givesVerdict: true,
  defaults: { repository: '${{ repository }}' },
  input: z.object({
    repository: RepositoryRef,
    /** Only what differs from there counts: `run` for the commit that the run began with, or a commit of the repository's bundles. */
    base: z.union([z.literal('run'), CommitId]).optional(),
    /** Beat the project's policy (`.devmesh/review.yaml`); without either: `high` and `all`. */
    rejectAt: Severity.optional(),
    rejectOn: z.enum(['all', 'fixable']).optional(),
    /** `FixHistory` as JSON. A fix that was dropped is not offered again: its finding is told without it, and is not `fixable`. */
    fixHistory: ArtifactRef.nullable().optional(),
  }),
  output: z.object({
    verdict: Verdict,
    summary: z.string().max(500),
    counts: SeverityCounts,
    /** How many of the findings carry a safe fix. */
    fixable: z.number().int().nonnegative(),
    /** With a base: findings in what was looked at that were there before, and those that are gone. */
    existing: z.number().int().nonnegative().default(0),
    fixed: z.number().int().nonnegative().default(0),
    /** Kept and not told: by a comment with a reason, by the baseline, or by a rule that people of the project reject. */
    suppressed: z.number().int().nonnegative().default(0),
    filesReviewed: z.number().int().nonnegative(),
    filesSkipped: z.number().int().nonnegative(),
    /** `FindingsDocument` as JSON. */
    findings: ArtifactRef,
    /** SARIF 2.1.0. */
    sarif: ArtifactRef,
    /** The tree that was reviewed, so that a rework starts from it. */
    repository: RepositoryRef,
    /** As it was given, so that a rework goes on from it. */
    fixHistory: ArtifactRef.nullable().default(null),
  }),
});
