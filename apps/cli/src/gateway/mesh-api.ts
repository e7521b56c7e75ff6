import type { SystemStatus } from '@devmesh/contracts/system-status';
import type { ApprovalRecord, ApprovalStatus } from '@devmesh/contracts/approval';
import type { EffectRecord } from '@devmesh/contracts/effect';
import type { FindingRecord, RulePrecision } from '@devmesh/contracts/finding-fate';
import type { StoredEvent } from '@devmesh/contracts/event';
import type { CreateRun, RunView } from '@devmesh/contracts/gateway-api';
import type { ForkBody, RerunBody } from '@devmesh/contracts/fork';
import type { AgentList, WorkflowList } from '@devmesh/contracts/orchestrator-api';
import type { CreateTrigger, TriggerCreated, TriggerView } from '@devmesh/contracts/trigger';
import type { PruneBody, PruneReply } from '@devmesh/contracts/retention';
import type { RunExport } from '@devmesh/contracts/run-export';
import type { RunGraph } from '@devmesh/contracts/run-graph';
import type { RunPreview } from '@devmesh/contracts/run-preview';
import type { RunArtifact, RunListItem } from '@devmesh/contracts/run';

/** What a stream of a run's events brings. */
export type RunSignal =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'progress'; readonly step: string; readonly message: string }
  | { readonly kind: 'end' };

/** The public API of the mesh, as far as the command line needs it. Every refusal is a `DevmeshError`. */
export interface MeshApi {
  createRun(body: CreateRun, idempotencyKey: string): Promise<RunView>;
  run(id: string, at?: number): Promise<RunView>;
  exportRun(id: string): Promise<RunExport>;
  importRun(file: RunExport): Promise<RunView>;
  /** Of the project's runs; a part of them when there are many. */
  prune(body: PruneBody): Promise<PruneReply>;
  preview(body: CreateRun): Promise<RunPreview>;
  runGraph(id: string): Promise<RunGraph>;
  workflowGraph(name: string): Promise<RunGraph>;
  retry(id: string, idempotencyKey: string): Promise<RunView>;
  rerun(id: string, body: RerunBody, idempotencyKey: string): Promise<RunView>;
  fork(id: string, body: ForkBody, idempotencyKey: string): Promise<RunView>;
  runs(limit: number): Promise<RunListItem[]>;
  cancel(id: string, reason: string): Promise<RunView>;
  pause(id: string, reason: string): Promise<RunView>;
  resume(id: string): Promise<RunView>;
  effects(id: string): Promise<EffectRecord[]>;
  /** All of them, oldest first. */
  approvals(filter: { runId?: string; status?: ApprovalStatus }): Promise<ApprovalRecord[]>;
  decide(
    id: string,
    verdict: { verdict: 'approved' | 'rejected'; hash: string; comment: string },
  ): Promise<ApprovalRecord>;
  /** Those that a run saw in its repository. */
  findings(id: string): Promise<FindingRecord[]>;
  judgeFinding(
    id: string,
    fingerprint: string,
    verdict: { verdict: 'confirmed' | 'rejected'; reason: string },
  ): Promise<FindingRecord>;
  rulePrecision(): Promise<RulePrecision[]>;
  artifacts(id: string): Promise<RunArtifact[]>;
  /** From event `after` on; reconnects by itself, and ends with `end` or the signal. */
  watch(id: string, after: number, signal: AbortSignal): AsyncGenerator<RunSignal>;
  hasArtifact(digest: string): Promise<boolean>;
  /** Streams a file. */
  putArtifact(file: string): Promise<void>;
  /** Writes an artifact into a file, whole or not at all; its SHA-256 is checked on the way. */
  getArtifact(digest: string, file: string): Promise<void>;
  createTrigger(trigger: CreateTrigger): Promise<TriggerCreated>;
  triggers(): Promise<TriggerView[]>;
  removeTrigger(id: string): Promise<TriggerView>;
  agents(): Promise<AgentList>;
  /** How the mesh as a whole is. */
  status(): Promise<SystemStatus>;
  workflows(): Promise<WorkflowList>;
  /** Lets go of its connections, so that the process can end. */
  close(): Promise<void>;
}
