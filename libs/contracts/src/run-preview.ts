import { z } from 'zod';
import { ApprovalSpec, WorkflowRef } from './workflow.js';
import { Effects } from './action.js';
import { ActionId, AgentName, StepId } from './ids.js';
import { TaskText, WorkflowChoice } from './orchestrator-api.js';

/** What the orchestrator is asked: a run that is not to be. */
export const PreviewRun = z.object({
  task: TaskText,
  workflow: WorkflowChoice.nullable(),
  /** Whether the run would have one. */
  repository: z.boolean(),
  runTests: z.boolean().optional(),
});
export type PreviewRun = z.infer<typeof PreviewRun>;

/** What a run would do if all went well: nothing was stored or started. */
export const RunPreview = z.object({
  workflow: WorkflowRef,
  /** Why the planner chose these steps; null when the workflow was named. */
  plan: z.array(z.object({ step: StepId, because: z.string() })).nullable(),
  /** Steps that would start together, in their order. A fan-out counts as one. */
  waves: z.array(z.array(StepId)),
  /** Steps that only something else than success leads to. */
  otherwise: z.array(StepId),
  steps: z.array(
    z.object({
      id: StepId,
      action: ActionId,
      agent: AgentName,
      effects: Effects,
      timeoutMs: z.number().int().positive(),
      /** Runs only then; that it does was taken for granted. */
      when: z.string().nullable(),
      /** Of a fan-out: the most items it may have. */
      maxItems: z.number().int().positive().nullable(),
    }),
  ),
  approvals: z.array(
    ApprovalSpec.pick({ title: true, of: true, deadlineMs: true, onExpiry: true }).extend({ step: StepId }),
  ),
  /** Agents of its steps without an instance now: its steps would wait for one. */
  missingAgents: z.array(AgentName),
  limits: z.object({
    timeoutMs: z.number().int().positive().nullable(),
    maxParallelAgents: z.number().int().positive().nullable(),
    maxConcurrentRuns: z.number().int().positive().nullable(),
  }),
});
export type RunPreview = z.infer<typeof RunPreview>;
