import { z } from 'zod';
import { defineAction, Verdict } from '../action.js';
import { ArtifactRef } from '../artifact.js';
import { Severity, SeverityCounts } from '../finding.js';
import { RepositoryRef } from '../repository.js';

/**
 * Reviews a whole tree. The verdict is `rejected` when a finding at `rejectAt` or worse remains, among those that
 * `rejectOn` names: `all`, or only those that the mesh itself could mend (`fixable`).
 */
export const codeReviewReview = defineAction({
  id: 'code-review/review',
  title: 'Review a repository: findings, SARIF and a verdict',
  isDefault: true,
  givesVerdict: true,
  defaults: { repository: '${{ repository }}' },
  input: z.object({
    repository: RepositoryRef,
    rejectAt: Severity.default('high'),
    rejectOn: z.enum(['all', 'fixable']).default('all'),
  }),
  output: z.object({
    verdict: Verdict,
    summary: z.string().max(500),
    counts: SeverityCounts,
    /** How many of the findings carry a safe fix. */
    fixable: z.number().int().nonnegative(),
    filesReviewed: z.number().int().nonnegative(),
    filesSkipped: z.number().int().nonnegative(),
    /** `FindingsDocument` as JSON. */
    findings: ArtifactRef,
    /** SARIF 2.1.0. */
    sarif: ArtifactRef,
    /** The tree that was reviewed, so that a rework starts from it. */
    repository: RepositoryRef,
  }),
});
