import { FindingPage, FindingRecord, FindingVerdict, RulePrecisionList } from './finding-fate.js';
import { SystemStatus } from './system-status.js';
import { z } from 'zod';
import { ApprovalPage, ApprovalQuery, ApprovalRecord, ApprovalVerdict } from './approval.js';
import { EffectPage } from './effect.js';
import { ArtifactStored, Progress } from './state-api.js';
import { Digest } from './ids.js';
import { ForkOrigin, ImportOrigin, StoredEvent } from './event.js';
import { ForkBody, RerunBody } from './fork.js';
import {
  AgentList,
  Plan,
  PlanRequest,
  TaskText,
  WorkflowCheck,
  WorkflowChoice,
  WorkflowList,
} from './orchestrator-api.js';
import { PruneBody, PruneReply } from './retention.js';
import { RepositoryRef } from './repository.js';
import { RunArtifact, RunListItem, RunRepository, RunStatus, StepView } from './run.js';
import { RunGraph } from './run-graph.js';
import { RunPreview } from './run-preview.js';
import { RunExport } from './run-export.js';
import { SeverityCounts } from './finding.js';
import { CreateTrigger, DeliveryReply, TriggerCreated, TriggerList, TriggerView } from './trigger.js';

/*
 * The public REST API, version 1. Every route but /health, /metrics, /openapi.json and /docs wants `Authorization: Bearer <api key>`.
 *
 *   POST /v1/runs                       CreateRun (Idempotency-Key) -> 202 RunView, Location
 *   GET  /v1/runs                       RunListQuery -> RunList
 *   GET  /v1/runs/:runId                RunViewQuery -> RunView          `at`: as it was after that event
 *   POST /v1/runs/:runId/retry          (Idempotency-Key) -> 202 RunView of a new run, Location
 *   POST /v1/runs/:runId/rerun          RerunBody (Idempotency-Key) -> 202 RunView of a new run, Location
 *   POST /v1/runs/:runId/fork           ForkBody (Idempotency-Key) -> 202 RunView of a new run, Location
 *   POST /v1/runs/preview               CreateRun -> RunPreview                        stores and starts nothing
 *   GET  /v1/runs/:runId/export         -> RunExport
 *   POST /v1/runs/import                RunExport -> 202 RunView of a run that is over, Location
 *   POST /v1/runs/prune                 PruneBody -> PruneReply
 *   GET  /v1/runs/:runId/graph          RunGraphQuery -> RunGraph, or text of Mermaid
 *   POST /v1/runs/:runId/cancel         CancelBody -> 202 RunView
 *   POST /v1/runs/:runId/pause          PauseBody -> 202 RunView
 *   GET  /v1/runs/:runId/effects        -> EffectPage
 *   GET  /v1/runs/:runId/findings       -> FindingPage
 *   POST /v1/runs/:runId/findings/:fingerprint/verdict  FindingVerdictBody -> FindingRecord
 *   GET  /v1/rules/precision            -> RulePrecisionList
 *   GET  /v1/approvals                  ApprovalListQuery -> ApprovalPage
 *   GET  /v1/approvals/:approvalId      -> ApprovalRecord
 *   POST /v1/approvals/:approvalId/verdict  VerdictBody -> ApprovalRecord
 *   POST /v1/runs/:runId/resume         -> 202 RunView
 *   GET  /v1/runs/:runId/events         server-sent events: `event` (id = seq), `progress`, `end`; Last-Event-ID; or JSON EventList
 *   GET  /v1/runs/:runId/artifacts      -> ArtifactList
 *   PUT  /v1/artifacts/:digest          bytes -> ArtifactStored
 *   GET  /v1/artifacts/:digest          bytes
 *   POST /v1/repositories               ImportRepository -> RunRepository        clones by URL
 *   POST /v1/plan                       PlanRequest -> Plan
 *   POST /v1/workflows/validate         { source } -> WorkflowCheck
 *   GET  /v1/workflows                  -> WorkflowList
 *   GET  /v1/workflows/:name/graph      RunGraphQuery -> RunGraph, or text of Mermaid
 *   GET  /v1/agents                     -> AgentList
 *   POST /v1/triggers                   CreateTrigger -> TriggerCreated
 *   GET  /v1/triggers                   -> TriggerList
 *   GET  /v1/triggers/:triggerId        -> TriggerView
 *   DELETE /v1/triggers/:triggerId      -> TriggerView
 *   POST /v1/hooks/:triggerId           a signed delivery -> 202 DeliveryReply        wants no API key
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
        /** Digest of a `RepositoryHistory`, uploaded too. */
        history: RunRepository.shape.history,
      }),
      /** Cloned by the mesh. */
      z.object({ url: z.url().max(4096), ref: z.string().max(1024).optional() }),
    ])
    .optional(),
  /** Among runs that wait for a turn or a place the highest goes first; 0 when left out. */
  priority: z.number().int().min(-100).max(100).optional(),
  /**
   * Runs the repository's own tests before and after each change, in a sandbox: sets `runTests` of every step that has it. Refused for a
   * workflow without such a step.
   */
  runTests: z.boolean().optional(),
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
  /** The run that it goes on from. */
  forkOf: ForkOrigin.optional(),
  /** The run of another mesh that it is a copy of. */
  imported: ImportOrigin.optional(),
});
export type RunView = z.infer<typeof RunView>;

/** `at`: the number of an event of the run. */
export const RunViewQuery = z.object({ at: z.coerce.number().int().positive().optional() });

export const RunListQuery = z.object({
  status: RunStatus.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
});
export const RunList = z.object({ items: z.array(RunListItem), nextCursor: z.string().nullable() });
export const EventList = z.object({ events: z.array(StoredEvent), progress: z.array(Progress), ended: z.boolean() });
export const ArtifactList = z.object({ items: z.array(RunArtifact) });
export const CancelBody = z.object({ reason: z.string().max(1000).default('') });
export const PauseBody = z.object({ reason: z.string().max(1000).default('') });
/** `hash` is that of the approval as it was shown; the key's name is who decided. */
export const VerdictBody = ApprovalVerdict.omit({ by: true });
/** The key's name is who says it. */
export const FindingVerdictBody = FindingVerdict.omit({ by: true });
export const ApprovalListQuery = ApprovalQuery.omit({ projectId: true });
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
  PauseBody,
  RerunBody,
  ForkBody,
  RunPreview,
  RunGraph,
  RunExport,
  PruneBody,
  PruneReply,
  VerdictBody,
  FindingPage,
  FindingRecord,
  FindingVerdictBody,
  RulePrecisionList,
  ApprovalRecord,
  ApprovalPage,
  EffectPage,
  ImportRepository,
  RunRepository,
  PlanRequest,
  Plan,
  ValidateWorkflow,
  WorkflowCheck,
  WorkflowList,
  AgentList,
  SystemStatus,
  WhoAmI,
  CreateTrigger,
  TriggerCreated,
  TriggerView,
  TriggerList,
  DeliveryReply,
} as const;
