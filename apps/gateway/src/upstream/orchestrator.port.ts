import type { RunId } from '@devmesh/contracts/ids';
import type {
  AgentList,
  CancelReply,
  CancelRun,
  Plan,
  SubmitReply,
  SubmitRun,
  WorkflowCheck,
  WorkflowList,
} from '@devmesh/contracts/orchestrator-api';
import type { z } from 'zod';

/** What the gateway asks of the orchestrator; its refusals are `DevmeshError`s with the orchestrator's code and text. */
export abstract class OrchestratorPort {
  abstract submit(run: SubmitRun): Promise<SubmitReply>;
  abstract cancel(runId: RunId, cancel: z.infer<typeof CancelRun>): Promise<z.infer<typeof CancelReply>>;
  abstract resume(runId: RunId): Promise<void>;
  abstract plan(task: string): Promise<Plan>;
  abstract validate(source: string): Promise<z.infer<typeof WorkflowCheck>>;
  abstract workflows(): Promise<WorkflowList>;
  abstract agents(): Promise<AgentList>;
}
