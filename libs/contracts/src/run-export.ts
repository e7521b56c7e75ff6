import { z } from 'zod';
import { RunEvent } from './event.js';
import { Digest, RunId, Timestamp } from './ids.js';
import { RunArtifact, RunRepository, RunVerdict } from './run.js';
import { WorkflowDefinition, WorkflowRef } from './workflow.js';

/**
 * A run as a file, version 1: everything that its history is made of, in one JSON document. A reader refuses another `format` or
 * `version`. Content of artifacts is not part of what the gateway gives and takes; a file may hold it beside them (`content`).
 */
export const RunExport = z.object({
  format: z.literal('devmesh-run'),
  version: z.literal(1),
  exportedAt: Timestamp,
  /** Its id in the mesh that it comes from. */
  runId: RunId,
  /** SHA-256 of the canonical JSON (RFC 8785) of `workflow`. */
  workflowDigest: Digest,
  workflow: WorkflowDefinition,
  /** All of them, number 1 first. Without a RunEnded: the run was under way. */
  events: z.array(RunEvent).min(1).max(50_000),
  artifacts: z.array(RunArtifact).max(20_000),
});
export type RunExport = z.infer<typeof RunExport>;

/** What state-persistence is asked: a run that is over, as it was elsewhere. */
export const ImportRun = z.object({
  runId: RunId,
  projectId: z.string().max(64),
  workflow: WorkflowRef,
  task: z.string(),
  repository: RunRepository.nullable(),
  events: z.array(RunEvent).min(1),
  artifacts: z.array(RunArtifact),
  createdAt: Timestamp,
  ended: z.object({ verdict: RunVerdict, reason: z.string().max(1000), at: Timestamp }),
});
export type ImportRun = z.infer<typeof ImportRun>;
export const ImportReply = z.object({ runId: RunId });
