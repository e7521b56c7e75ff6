import { z } from 'zod';
import { ArtifactRef } from './artifact.js';
import { Digest, RunId, StepId, Timestamp } from './ids.js';
import { RepositoryNotice, RepositoryRef } from './repository.js';

/**
 * `queued`: as many runs of its workflow are under way as may be. `paused`: somebody paused it. `stuck`: its turns failed too often;
 * it is looked at rarely until somebody resumes it.
 */
export const RunStatus = z.enum(['queued', 'running', 'paused', 'stuck', 'ended']);
export type RunStatus = z.infer<typeof RunStatus>;

/** How a run ended. `cancelled` over `failed` over `rejected` over `partial` over `passed`. */
export const RunVerdict = z.enum(['passed', 'partial', 'rejected', 'failed', 'cancelled']);
export type RunVerdict = z.infer<typeof RunVerdict>;

/** Where a run's code comes from and how it is called. `origin` is for people: never holds credentials. */
export const RunRepository = z.object({
  ref: RepositoryRef,
  origin: z.string().max(4096),
  branch: z.string().max(1024).optional(),
  notices: z.array(RepositoryNotice).max(20),
  /** `RepositoryHistory` up to the commit; left out where nobody could tell it. */
  history: Digest.optional(),
});
export type RunRepository = z.infer<typeof RunRepository>;

/** Everything in the store that a run's repository is made of. */
export function contentOf({ ref, history }: Pick<RunRepository, 'ref' | 'history'>): Digest[] {
  return history === undefined ? ref.bundles : [...ref.bundles, history];
}

export const StepStatus = z.enum([
  'pending',
  /** Scheduled, but no instance of its agent is there. */
  'waiting',
  'running',
  /** Its items are under way. */
  'fanned',
  /** A person is to decide. */
  'awaiting',
  'retrying',
  'succeeded',
  'rejected',
  'failed',
  'skipped',
  'cancelled',
]);
export type StepStatus = z.infer<typeof StepStatus>;

/** A step as people and other software see it. */
export const StepView = z.object({
  id: StepId,
  agent: z.string(),
  action: z.string(),
  needs: z.array(StepId),
  status: StepStatus,
  iteration: z.number().int().positive(),
  attempt: z.number().int().positive(),
  startedAt: Timestamp.nullable(),
  endedAt: Timestamp.nullable(),
  /** One line: what came out, why it failed, or what it is doing now. */
  summary: z.string().nullable(),
  verdict: z.enum(['approved', 'rejected']).nullable(),
  /** While `awaiting`: the approval that it waits for. */
  approvalId: z.uuid().optional(),
});
export type StepView = z.infer<typeof StepView>;

/** A row of the list of runs. */
export const RunListItem = z.object({
  id: RunId,
  workflow: z.string(),
  task: z.string(),
  status: RunStatus,
  verdict: RunVerdict.nullable(),
  reason: z.string().nullable(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  endedAt: Timestamp.nullable(),
  /** When its detail (events, steps, artifacts) was removed; left out while it is there. */
  prunedAt: Timestamp.optional(),
});
export type RunListItem = z.infer<typeof RunListItem>;

export const RunArtifact = ArtifactRef.extend({ step: StepId, iteration: z.number().int().positive() });
export type RunArtifact = z.infer<typeof RunArtifact>;

/** The branch that a run's result goes by: in its bundle, in the user's repository, in every view and report. */
export function runBranch(runId: string): string {
  return `devmesh/${runId}`;
}
