import type { RunId } from '@devmesh/contracts/ids';
import {
  AgentList,
  CancelReply,
  Plan,
  SubmitReply,
  WorkflowCheck,
  WorkflowList,
  type CancelRun,
  type SubmitRun,
} from '@devmesh/contracts/orchestrator-api';
import { z } from 'zod';
import type { CallOptions, ServiceCaller } from './http/service-caller.js';
import { pathOf } from './path.js';

/** A submit stores a workflow and a run, and may plan, ms. */
const SUBMIT_TIMEOUT_MS = 20_000;

/** Client of the orchestrator. */
export class OrchestratorClient {
  readonly #caller: ServiceCaller;

  constructor(caller: ServiceCaller) {
    this.#caller = caller;
  }

  /** Tried again only with an idempotency key: without one, a second submit is a second run. */
  submit(run: SubmitRun, options: CallOptions = {}): Promise<z.infer<typeof SubmitReply>> {
    const keyed = run.idempotency !== null;
    return this.#caller.call(
      { method: 'POST', path: '/v1/runs', json: run, keyed, timeoutMs: SUBMIT_TIMEOUT_MS, ...options },
      SubmitReply,
    );
  }

  cancel(
    runId: RunId,
    cancel: z.infer<typeof CancelRun>,
    options: CallOptions = {},
  ): Promise<z.infer<typeof CancelReply>> {
    return this.#caller.call(
      { method: 'POST', path: pathOf`/v1/runs/${runId}/cancel`, json: cancel, keyed: true, ...options },
      CancelReply,
    );
  }

  async resume(runId: RunId, options: CallOptions = {}): Promise<void> {
    await this.#caller.call(
      { method: 'POST', path: pathOf`/v1/runs/${runId}/resume`, keyed: true, ...options },
      z.unknown(),
    );
  }

  /** What a submit of this text would run, and why. */
  plan(task: string, options: CallOptions = {}): Promise<Plan> {
    return this.#caller.call({ method: 'POST', path: '/v1/plan', json: { task }, keyed: true, ...options }, Plan);
  }

  validate(source: string, options: CallOptions = {}): Promise<z.infer<typeof WorkflowCheck>> {
    return this.#caller.call(
      { method: 'POST', path: '/v1/workflows/validate', json: { source }, keyed: true, ...options },
      WorkflowCheck,
    );
  }

  workflows(options: CallOptions = {}): Promise<WorkflowList> {
    return this.#caller.call({ method: 'GET', path: '/v1/workflows', ...options }, WorkflowList);
  }

  agents(options: CallOptions = {}): Promise<AgentList> {
    return this.#caller.call({ method: 'GET', path: '/v1/agents', ...options }, AgentList);
  }
}
