import { z } from 'zod';
import { AgentInfo } from './execution.js';
import { Digest, RunId, StepId } from './ids.js';
import { RunRepository } from './run.js';
import { WORKFLOW_LIMITS, WorkflowDefinition, WorkflowProblem } from './workflow.js';

/*
 * The API of the orchestrator. Internal.
 *
 *   POST /v1/runs                     SubmitRun -> SubmitReply
 *   POST /v1/runs/preview             PreviewRun -> RunPreview           what a submit would do; stores nothing
 *   POST /v1/runs/:runId/fork         ForkRun -> SubmitReply           a new run that goes on from this one
 *   POST /v1/runs/:runId/cancel       CancelRun -> CancelReply
 *   POST /v1/runs/:runId/pause        PauseRun -> PauseReply
 *   POST /v1/runs/:runId/resume       ResumeRun -> { runId }
 *   POST /v1/plan                     PlanRequest -> Plan                what a submit would run, and why
 *   POST /v1/workflows/validate       { source } -> WorkflowCheck
 *   GET  /v1/workflows                -> WorkflowList
 *   GET  /v1/workflows/:name          -> WorkflowDefinition
 *   GET  /v1/agents                   -> AgentList
 *   POST /orchestrate                 { description, repository? } -> { task_id }     plans, runs nothing yet
 *   POST /execute/:task_id            -> { task_id, run_id, status }
 *   POST /resume/:task_id             -> { task_id, run_id, status }
 */

export const TaskText = z
  .string()
  .refine(
    (text) => Buffer.byteLength(text) <= WORKFLOW_LIMITS.taskBytes,
    `a task has at most ${WORKFLOW_LIMITS.taskBytes} bytes`,
  );

/** A workflow by its shipped name, or its YAML source; neither: planned from the task. */
export const WorkflowChoice = z.union([
  z.object({ name: z.string().max(64) }),
  z.object({ source: z.string().max(WORKFLOW_LIMITS.sourceBytes) }),
]);
export type WorkflowChoice = z.infer<typeof WorkflowChoice>;

export const SubmitRun = z.object({
  projectId: z.string().max(64),
  requestedBy: z.string().max(200),
  task: TaskText,
  workflow: WorkflowChoice.nullable(),
  repository: RunRepository.nullable(),
  idempotency: z.object({ key: z.string().min(1).max(255), requestHash: Digest }).nullable(),
  /** Among runs that wait for a turn or a place the highest goes first. */
  priority: z.number().int().min(-100).max(100).optional(),
  /** Sets `runTests` of every step whose action has it. */
  runTests: z.boolean().optional(),
});
export type SubmitRun = z.infer<typeof SubmitRun>;
export const SubmitReply = z.object({
  runId: RunId,
  workflow: z.object({ name: z.string(), digest: Digest }),
  fresh: z.boolean(),
});
export type SubmitReply = z.infer<typeof SubmitReply>;

export const CancelRun = z.object({ by: z.string().max(200), reason: z.string().max(1000) });
export const CancelReply = z.object({ runId: RunId, accepted: z.boolean() });

/** `accepted` is false when the run had ended. */
export const PauseRun = z.object({ by: z.string().max(200), reason: z.string().max(1000) });
export const PauseReply = z.object({ runId: RunId, accepted: z.boolean() });
/** Wakes a stuck run, and lets a paused one go on. */
export const ResumeRun = z.object({ by: z.string().max(200) });

export const PlanRequest = z.object({ task: TaskText });
/** What the planner made of a text: a workflow and, for each step, why. */
export const Plan = z.object({
  workflow: WorkflowDefinition,
  because: z.array(z.object({ step: StepId, because: z.string().max(500) })),
});
export type Plan = z.infer<typeof Plan>;

export const WorkflowCheck = z.object({ workflow: WorkflowDefinition.nullable(), problems: z.array(WorkflowProblem) });
export const WorkflowList = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      version: z.number(),
      description: z.string(),
      digest: Digest,
      steps: z.array(z.object({ id: StepId, action: z.string(), needs: z.array(StepId) })),
    }),
  ),
});
export type WorkflowList = z.infer<typeof WorkflowList>;

export const AgentStatus = z.object({
  agent: z.string(),
  instances: z.array(AgentInfo.extend({ address: z.string(), healthy: z.boolean() })),
});
export const AgentList = z.object({ items: z.array(AgentStatus) });
export type AgentList = z.infer<typeof AgentList>;

export const OrchestrateRequest = z.object({
  description: TaskText.min(1),
  repository: RunRepository.nullable().default(null),
});
export const OrchestrateReply = z.object({ task_id: RunId });
export type OrchestrateReply = z.infer<typeof OrchestrateReply>;
export const ExecuteReply = z.object({ task_id: RunId, run_id: RunId, status: z.string() });
export type ExecuteReply = z.infer<typeof ExecuteReply>;
