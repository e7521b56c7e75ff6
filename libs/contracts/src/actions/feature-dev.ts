import { z } from 'zod';
import { defineAction } from '../action.js';
import { ArtifactRef } from '../artifact.js';
import { CommitId } from '../ids.js';
import { PatchRef, RepositoryRef } from '../repository.js';

const BranchName = z
  .string()
  .regex(
    /^(?!.*(\.\.|\/\/|@\{|\.lock(\/|$)))[A-Za-z0-9][A-Za-z0-9._/-]{0,199}(?<![./])$/,
    'a name that a branch can have',
  );

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

/** What became of the safe fixes of a round, one by one; longer lists are cut (the fix history has them whole). */
const FixesOfRound = z.object({
  /** Applied and proved: the file parses, the finding is gone, none is new, the types are no worse. */
  fixedFindings: z
    .array(z.object({ rule: z.string(), path: z.string(), line: z.number().int(), fix: z.string().max(500) }))
    .max(100)
    .default([]),
  /** Not proved, or not fitting the file as it is. */
  droppedFixes: z
    .array(z.object({ rule: z.string(), path: z.string(), line: z.number().int(), reason: z.string().max(500) }))
    .max(100)
    .default([]),
});

/** What the tests of the repository said of a change, where they were asked for. */
export const TestsOfChange = z.object({
  /** `accepted`: what was green before stayed green. `rejected`: something turned red, and what did it was dropped. `not_judged`: no suite was green before. */
  verdict: z.enum(['accepted', 'rejected', 'not_judged']),
  /** In words, with the tests that turned red, or why nothing was judged. */
  summary: z.string().max(1000),
  suites: z
    .array(
      z.object({
        /** Folder that they were run in, "." for the root. */
        root: z.string().max(4096),
        command: z.string().max(300),
        /** Where the repository says so. */
        because: z.string().max(300),
        /** `unrunnable`: no sandbox, no runner, or a package that is not installed; nothing is known then. */
        before: z.enum(['green', 'red', 'unrunnable']),
        /** With the change; null when it was not run again, since it was not green before. */
        after: z.enum(['green', 'red', 'unrunnable']).nullable(),
        why: z.string().max(500),
        /** Tests that failed, as far as the runner names them. */
        failed: z.array(z.string().max(200)).max(20),
        /** The last lines, with secrets masked. */
        output: z.string().max(1500),
      }),
    )
    .max(5),
});
export type TestsOfChange = z.infer<typeof TestsOfChange>;

/** Fixes every finding that has a safe fix, as far as each is proved. Gives a patch, commits nothing. */
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
    /** Fixes dropped because they are not proved. */
    dropped: z.number().int().nonnegative(),
    summary: z.string().max(500),
    ...FixesOfRound.shape,
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
 * same integration as `integrate`. After a rejection it works on the rejected tree and its findings, and tries no fix again that was dropped.
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
    /**
     * Runs the repository's own tests before and after, in a sandbox; what turns a green suite red is dropped. Nothing of a repository is
     * run without this.
     */
    runTests: z.boolean().optional(),
  }),
  output: Integrated.extend({
    /** The patch of this round's fixes, which is committed already; null when there was nothing to fix. */
    fixes: ArtifactRef.nullable().default(null),
    fixed: z.number().int().nonnegative(),
    deferred: z.number().int().nonnegative(),
    dropped: z.number().int().nonnegative(),
    ...FixesOfRound.shape,
    /** `FixHistory` as JSON: what became of the fixes of this round and of those before it. Null when no fix was tried. */
    fixHistory: ArtifactRef.nullable().default(null),
    /** Null when tests were not asked for. */
    tests: TestsOfChange.nullable().default(null),
  }),
});

/** Pushes the tree to a branch of the remote: one atomic update, refused by the remote when somebody else was there. */
export const featureDevPush = defineAction({
  id: 'feature-dev/push',
  title: 'Push the result as a branch of the remote',
  effects: 'ledger',
  onLost: 'ask',
  timeoutMs: 5 * 60_000,
  defaults: { repository: '${{ repository }}', remote: '${{ run.origin }}' },
  input: z.object({
    repository: RepositoryRef,
    /** URL of the remote; the run's own when nothing is said. Credentials come from feature-dev's configuration, never from here. */
    remote: z.string().max(4096),
    /** The branch; `devmesh/<run>` when nothing is said. */
    branch: BranchName.optional(),
  }),
  output: z.object({
    remote: z.string(),
    branch: z.string(),
    commit: CommitId,
    summary: z.string().max(500),
  }),
});

/** Opens a pull request for a pushed branch, or brings the one that is open up to date. The forge refuses a second one per head. */
export const featureDevPullRequest = defineAction({
  id: 'feature-dev/pull-request',
  title: 'Open a pull request for the pushed branch, or update it',
  effects: 'ledger',
  onLost: 'ask',
  timeoutMs: 2 * 60_000,
  defaults: { remote: '${{ run.origin }}', title: '${{ run.task }}' },
  input: z.object({
    remote: z.string().max(4096),
    /** The pushed branch; `devmesh/<run>` when nothing is said. */
    branch: BranchName.optional(),
    /** The branch that it is to be merged into. */
    base: BranchName.default('main'),
    title: z.string().max(100_000).default(''),
    body: z.string().max(60_000).default(''),
  }),
  output: z.object({
    number: z.number().int().positive(),
    url: z.string(),
    summary: z.string().max(500),
  }),
});
