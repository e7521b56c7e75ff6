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
import type { OrchestratorClient } from '@devmesh/service-client/orchestrator.client';
import type { z } from 'zod';
import { inside } from './inside.js';
import { OrchestratorPort } from './orchestrator.port.js';

/** The orchestrator over the mesh's client. */
export class MeshOrchestrator extends OrchestratorPort {
  constructor(private readonly client: OrchestratorClient) {
    super();
  }

  submit(run: SubmitRun): Promise<SubmitReply> {
    return inside(this.client.submit(run));
  }

  cancel(runId: RunId, cancel: z.infer<typeof CancelRun>): Promise<z.infer<typeof CancelReply>> {
    return inside(this.client.cancel(runId, cancel));
  }

  resume(runId: RunId): Promise<void> {
    return inside(this.client.resume(runId));
  }

  plan(task: string): Promise<Plan> {
    return inside(this.client.plan(task));
  }

  validate(source: string): Promise<z.infer<typeof WorkflowCheck>> {
    return inside(this.client.validate(source));
  }

  workflows(): Promise<WorkflowList> {
    return inside(this.client.workflows());
  }

  agents(): Promise<AgentList> {
    return inside(this.client.agents());
  }
}
