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

  preview(run: PreviewRun): Promise<RunPreview> {
    return inside(this.client.preview(run));
  }

  fork(source: RunId, fork: ForkRun): Promise<SubmitReply> {
    return inside(this.client.fork(source, fork));
  }

  cancel(runId: RunId, cancel: z.infer<typeof CancelRun>): Promise<z.infer<typeof CancelReply>> {
    return inside(this.client.cancel(runId, cancel));
  }

  pause(runId: RunId, pause: z.infer<typeof PauseRun>): Promise<z.infer<typeof PauseReply>> {
    return inside(this.client.pause(runId, pause));
  }

  resume(runId: RunId, by: string): Promise<void> {
    return inside(this.client.resume(runId, by));
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

  workflow(name: string): Promise<WorkflowDefinition> {
    return inside(this.client.workflow(name));
  }

  agents(): Promise<AgentList> {
    return inside(this.client.agents());
  }
}
