import { RunId } from '@devmesh/contracts/ids';
import {
  AgentList,
  CancelReply,
  Plan,
  SubmitReply,
  WorkflowCheck,
  WorkflowList,
  type CancelRun,
  type PlanRequest,
  type SubmitRun,
} from '@devmesh/contracts/orchestrator-api';
import { z } from 'zod';
import type { InternalHttp } from './internal-http.js';
import { OrchestratorPort } from './orchestrator.port.js';

const Resumed = z.object({ runId: RunId });

export class HttpOrchestrator extends OrchestratorPort {
  constructor(private readonly http: InternalHttp) {
    super();
  }

  submit(run: SubmitRun): Promise<SubmitReply> {
    return this.http.json(SubmitReply, { method: 'POST', path: '/v1/runs', json: run });
  }

  cancel(runId: RunId, cancel: z.infer<typeof CancelRun>): Promise<z.infer<typeof CancelReply>> {
    return this.http.json(CancelReply, { method: 'POST', path: `/v1/runs/${runId}/cancel`, json: cancel });
  }

  resume(runId: RunId): Promise<{ runId: RunId }> {
    return this.http.json(Resumed, { method: 'POST', path: `/v1/runs/${runId}/resume`, json: {} });
  }

  plan(request: z.infer<typeof PlanRequest>): Promise<Plan> {
    return this.http.json(Plan, { method: 'POST', path: '/v1/plan', json: request });
  }

  validate(source: string): Promise<z.infer<typeof WorkflowCheck>> {
    return this.http.json(WorkflowCheck, { method: 'POST', path: '/v1/workflows/validate', json: { source } });
  }

  workflows(): Promise<WorkflowList> {
    return this.http.json(WorkflowList, { path: '/v1/workflows' });
  }

  agents(): Promise<AgentList> {
    return this.http.json(AgentList, { path: '/v1/agents' });
  }
}
