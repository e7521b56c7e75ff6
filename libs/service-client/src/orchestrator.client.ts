import type { ForkRun } from '@devmesh/contracts/fork';
import type { RunId } from '@devmesh/contracts/ids';
import {
  AgentList,
  CancelReply,
  PauseReply,
  Plan,
  SubmitReply,
  WorkflowCheck,
  WorkflowList,
  type CancelRun,
  type PauseRun,
  type SubmitRun,
} from '@devmesh/contracts/orchestrator-api';
import { RunPreview, type PreviewRun } from '@devmesh/contracts/run-preview';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
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

  /** What a submit of this would do; stores and starts nothing. */
  preview(run: PreviewRun, options: CallOptions = {}): Promise<RunPreview> {
    return this.#caller.call(
      { method: 'POST', path: '/v1/runs/preview', json: run, keyed: true, ...options },
      RunPreview,
    );
  }

  /** As `submit`: tried again only with an idempotency key. */
  fork(source: RunId, fork: ForkRun, options: CallOptions = {}): Promise<z.infer<typeof SubmitReply>> {
    const path = pathOf`/v1/runs/${source}/fork`;
    const keyed = fork.idempotency !== null;
    return this.#caller.call(
      { method: 'POST', path, json: fork, keyed, timeoutMs: SUBMIT_TIMEOUT_MS, ...options },
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

  pause(runId: RunId, pause: z.infer<typeof PauseRun>, options: CallOptions = {}): Promise<z.infer<typeof PauseReply>> {
    const path = pathOf`/v1/runs/${runId}/pause`;
    return this.#caller.call({ method: 'POST', path, json: pause, keyed: true, ...options }, PauseReply);
  }

  /** Wakes a stuck run, and lets a paused one go on. */
  async resume(runId: RunId, by: string, options: CallOptions = {}): Promise<void> {
    await this.#caller.call(
      { method: 'POST', path: pathOf`/v1/runs/${runId}/resume`, json: { by }, keyed: true, ...options },
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

  /** A shipped one; throws `not_found`. */
  workflow(name: string, options: CallOptions = {}): Promise<WorkflowDefinition> {
    return this.#caller.call({ method: 'GET', path: pathOf`/v1/workflows/${name}`, ...options }, WorkflowDefinition);
  }

  agents(options: CallOptions = {}): Promise<AgentList> {
    return this.#caller.call({ method: 'GET', path: '/v1/agents', ...options }, AgentList);
  }
}
