import { z } from 'zod';
import { ArtifactStored, Progress } from './state-api.js';
import { Digest } from './ids.js';
import { StoredEvent } from './event.js';
import {
  AgentList,
  Plan,
  PlanRequest,
  TaskText,
  WorkflowCheck,
  WorkflowChoice,
  WorkflowList,
} from './orchestrator-api.js';
import { RepositoryRef } from './repository.js';
import { RunArtifact, RunListItem, RunRepository, RunStatus, StepView } from './run.js';
import { SeverityCounts } from './finding.js';

/*
 * The public REST API, version 1. Every route but /health, /metrics, /openapi.json and /docs wants `Authorization: Bearer <api key>`.
 *
 *   POST /v1/runs                       CreateRun (Idempotency-Key) -> 202 RunView, Location
 *   GET  /v1/runs                       RunListQuery -> RunList
 *   GET  /v1/runs/:runId                -> RunView
 *   POST /v1/runs/:runId/cancel         CancelBody -> 202 RunView
 *   POST /v1/runs/:runId/resume         -> 202 RunView
 *   GET  /v1/runs/:runId/events         server-sent events: `event` (id = seq), `progress`, `end`; Last-Event-ID; or JSON EventList
 *   GET  /v1/runs/:runId/artifacts      -> ArtifactList
 *   PUT  /v1/artifacts/:digest          bytes -> ArtifactStored
 *   GET  /v1/artifacts/:digest          bytes
 *   POST /v1/repositories               ImportRepository -> RunRepository        clones by URL
 *   POST /v1/plan                       PlanRequest -> Plan
 *   POST /v1/workflows/validate         { source } -> WorkflowCheck
 *   GET  /v1/workflows                  -> WorkflowList
 *   GET  /v1/agents                     -> AgentList
 *   GET  /v1/whoami                     -> { projectId, name }
 */

export const CreateRun = z.object({
  task: TaskText.default(''),
  /** Left out: planned from the task, or `deliver` when there is no task. */
  workflow: WorkflowChoice.optional(),
  repository: z
    .union([
      /** Packed and uploaded by the caller. */
      z.object({
        ref: RepositoryRef,
        origin: z.string().max(4096),
        branch: z.string().max(1024).optional(),
        notices: RunRepository.shape.notices.default([]),
      }),
      /** Cloned by the mesh. */
      z.object({ url: z.url().max(4096), ref: z.string().max(1024).optional() }),
    ])
    .optional(),
});
export type CreateRun = z.input<typeof CreateRun>;

/** What a run handed back. `bundle` brings `commit` into a repository that has `base`. */
export const RunResult = z.object({
  branch: z.string(),
  commit: z.string(),
  base: z.string(),
  bundle: Digest,
});
export type RunResult = z.infer<typeof RunResult>;

export const RunView = RunListItem.extend({
  workflowDigest: Digest,
  repository: RunRepository.nullable(),
  steps: z.array(StepView),
  plan: z.array(z.object({ step: z.string(), because: z.string() })).nullable(),
  /** Of the latest review; null before there is one. */
  findings: SeverityCounts.nullable(),
  /** Null when the run changed nothing or is not that far. */
  result: RunResult.nullable(),
  /** The digest of report.md and of findings.sarif, once there. */
  report: Digest.nullable(),
  sarif: Digest.nullable(),
  costDollars: z.number().nonnegative(),
  turnFailures: z.number().int().nonnegative(),
  lastTurnError: z.string().nullable(),
  lastSeq: z.number().int().nonnegative(),
});
export type RunView = z.infer<typeof RunView>;

export const RunListQuery = z.object({
  status: RunStatus.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});
export const RunList = z.object({ items: z.array(RunListItem), nextCursor: z.string().nullable() });
export const EventList = z.object({ events: z.array(StoredEvent), progress: z.array(Progress), ended: z.boolean() });
export const ArtifactList = z.object({ items: z.array(RunArtifact) });
export const CancelBody = z.object({ reason: z.string().max(1000).default('') });
export const ImportRepository = z.object({ url: z.url().max(4096), ref: z.string().max(1024).optional() });
export const ValidateWorkflow = z.object({ source: z.string() });
export const WhoAmI = z.object({ projectId: z.string(), name: z.string() });

/** The JSON bodies of the public API by name, for the OpenAPI document. */
export const PUBLIC_SCHEMAS = {
  CreateRun,
  RunView,
  RunList,
  EventList,
  ArtifactList,
  ArtifactStored,
  CancelBody,
  ImportRepository,
  RunRepository,
  PlanRequest,
  Plan,
  ValidateWorkflow,
  WorkflowCheck,
  WorkflowList,
  AgentList,
  WhoAmI,
} as const;
