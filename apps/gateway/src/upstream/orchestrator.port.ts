import type { ForkRun } from '@devmesh/contracts/fork';
import type { RunId } from '@devmesh/contracts/ids';
import type {
  AgentList,
  CancelReply,
  CancelRun,
  PauseReply,
  PauseRun,
  Plan,
  SubmitReply,
  SubmitRun,
  WorkflowCheck,
  WorkflowList,
} from '@devmesh/contracts/orchestrator-api';
import type { PreviewRun, RunPreview } from '@devmesh/contracts/run-preview';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import type { z } from 'zod';

/** What the gateway asks of the orchestrator; its refusals are `DevmeshError`s with the orchestrator's code and text. */
export abstract class OrchestratorPort {
  abstract submit(run: SubmitRun): Promise<SubmitReply>;
  abstract preview(run: PreviewRun): Promise<RunPreview>;
  abstract fork(source: RunId, fork: ForkRun): Promise<SubmitReply>;
  abstract cancel(runId: RunId, cancel: z.infer<typeof CancelRun>): Promise<z.infer<typeof CancelReply>>;
  abstract pause(runId: RunId, pause: z.infer<typeof PauseRun>): Promise<z.infer<typeof PauseReply>>;
  abstract resume(runId: RunId, by: string): Promise<void>;
  abstract plan(task: string): Promise<Plan>;
  abstract validate(source: string): Promise<z.infer<typeof WorkflowCheck>>;
  abstract workflows(): Promise<WorkflowList>;
  abstract workflow(name: string): Promise<WorkflowDefinition>;
  abstract agents(): Promise<AgentList>;
}
