import { z } from 'zod';
import { defineAction } from '../action.js';
import { ArtifactRef } from '../artifact.js';
import { CommitId } from '../ids.js';
import { PatchRef, RepositoryRef } from '../repository.js';

const Applied = z.object({ title: z.string(), step: z.string(), agent: z.string(), commit: CommitId });
const LeftOut = z.object({ title: z.string(), reason: z.string().max(500) });

/** A patch and who proposed it; `null` stands for an agent that had nothing to propose. */
export const ProposedPatch = z.object({ step: z.string(), agent: z.string(), patch: PatchRef }).nullable();
export type ProposedPatch = z.infer<typeof ProposedPatch>;

export const Integrated = z.object({
  repository: RepositoryRef,
  /** Incremental bundle `base..commit` for the user's repository; null when nothing was committed. */
  bundle: ArtifactRef.nullable(),
  commits: z.array(Applied).max(200),
  leftOut: z.array(LeftOut).max(200),
  summary: z.string().max(500),
});

/** Fixes every finding that has a safe fix; keeps each file parsing. Gives a patch, commits nothing. */
export const featureDevApplyFixes = defineAction({
  id: 'feature-dev/apply-fixes',
  title: 'Apply the safe fixes of findings as one patch',
  defaults: { repository: '${{ repository }}' },
  input: z.object({ repository: RepositoryRef, findings: ArtifactRef }),
  output: z.object({
    patch: PatchRef.nullable(),
    fixed: z.number().int().nonnegative(),
    /** Fixes left for another round, because they overlap one that was applied. */
    deferred: z.number().int().nonnegative(),
    /** Fixes dropped because the file would no longer parse. */
    dropped: z.number().int().nonnegative(),
    summary: z.string().max(500),
  }),
});

/** Turns accepted patches into commits on the run's branch. The only action that makes commits. */
export const featureDevIntegrate = defineAction({
  id: 'feature-dev/integrate',
  title: 'Turn accepted patches into commits on the branch of the run',
  defaults: { repository: '${{ repository }}', patches: '${{ patches }}' },
  input: z.object({ repository: RepositoryRef, patches: z.array(ProposedPatch).max(100) }),
  output: Integrated,
});

/**
 * Implements the task as far as it can be done: safe fixes of `findings` (its own review when none are given), then the
 * same integration as `integrate`. After a rejection it works on the rejected tree and its findings.
 */
export const featureDevImplement = defineAction({
  id: 'feature-dev/implement',
  title: 'Change the code for the task and commit it with the accepted patches',
  isDefault: true,
  defaults: { repository: '${{ repository }}', task: '${{ run.task }}', patches: '${{ patches }}' },
  input: z.object({
    repository: RepositoryRef,
    task: z.string().max(100_000).default(''),
    findings: ArtifactRef.optional(),
    patches: z.array(ProposedPatch).max(100).default([]),
  }),
  output: Integrated.extend({
    /** The patch of this round's fixes, which is committed already; null when there was nothing to fix. */
    fixes: ArtifactRef.nullable().default(null),
    fixed: z.number().int().nonnegative(),
    deferred: z.number().int().nonnegative(),
    dropped: z.number().int().nonnegative(),
  }),
});
