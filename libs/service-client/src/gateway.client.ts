import { DevmeshError } from '@devmesh/contracts/errors';
import {
  ArtifactList,
  EventList,
  RunList,
  RunView,
  WhoAmI,
  type ApprovalListQuery,
  type CreateRun,
  type ImportRepository,
  type RunListQuery,
  type FindingVerdictBody,
  type VerdictBody,
} from '@devmesh/contracts/gateway-api';
import { FindingPage, FindingRecord, RulePrecisionList, type RulePrecision } from '@devmesh/contracts/finding-fate';
import { ApprovalPage, ApprovalRecord } from '@devmesh/contracts/approval';
import { EffectPage, type EffectRecord } from '@devmesh/contracts/effect';
import type { ForkBody, RerunBody } from '@devmesh/contracts/fork';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import { AgentList, Plan, WorkflowCheck, WorkflowList } from '@devmesh/contracts/orchestrator-api';
import { PruneReply, type PruneBody } from '@devmesh/contracts/retention';
import { RunExport } from '@devmesh/contracts/run-export';
import { RunGraph } from '@devmesh/contracts/run-graph';
import { RunPreview } from '@devmesh/contracts/run-preview';
import { RunRepository } from '@devmesh/contracts/run';
import { TriggerCreated, TriggerList, TriggerView, type CreateTrigger } from '@devmesh/contracts/trigger';
import { SystemStatus } from '@devmesh/contracts/system-status';
import type { z } from 'zod';
import { download, downloadFile, upload, type ArtifactContent, type Stored } from './artifact-transfer.js';
import { Breaker } from './http/breaker.js';
import { Bulkhead } from './http/bulkhead.js';
import { createHttpClient, sleep, type HttpClient } from './http/http-client.js';
import { InstancePool } from './http/instance-pool.js';
import { RetryBudget } from './http/retry-policy.js';
import { ServiceCaller, type CallOptions } from './http/service-caller.js';
import { pathOf, queryOf } from './path.js';
import { followRun, type RunSignal } from './run-stream.js';

export interface GatewayClientOptions {
  /** Base URL, e.g. http://127.0.0.1:8000. */
  readonly url: string;
  readonly apiKey: string;
  readonly http?: HttpClient;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A submit may clone a repository first, ms. */
const SUBMIT_TIMEOUT_MS = 60_000;
const PRUNE_TIMEOUT_MS = 60_000;
const IMPORT_TIMEOUT_MS = 10 * 60_000;
/** Most bytes of an artifact that is read into memory. */
const MAX_BYTES = 64 * 1024 ** 2;

/** Client of the public REST API, for the command line and for programs. One gateway, one API key. */
export class GatewayClient {
  readonly #http: HttpClient;
  readonly #caller: ServiceCaller;
  readonly #breaker: Breaker;
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<void>;

  constructor(options: GatewayClientOptions) {
    const { url, apiKey } = options;
    this.#http = options.http ?? createHttpClient();
    this.#sleep = options.sleep ?? sleep;
    const instances = [{ address: url.replace(/\/+$/, ''), instance: null }];
    // A person sees for himself that the gateway fails: nothing is held back for him.
    this.#breaker = new Breaker('gateway', { failures: 1000, openMs: 1_000 });
    this.#caller = new ServiceCaller({
      service: 'gateway',
      http: this.#http.http,
      instances: () => instances,
      pool: new InstancePool(),
      breaker: this.#breaker,
      bulkhead: new Bulkhead('gateway', { concurrent: 64, waiting: 1000 }),
      budget: new RetryBudget(),
      authorization: `Bearer ${apiKey}`,
      deadline: () => undefined,
      now: Date.now,
      random: Math.random,
      sleep: this.#sleep,
    });
  }

  /** With the same key, the same request gives the same run. */
  createRun(run: CreateRun, idempotencyKey: string, options: CallOptions = {}): Promise<RunView> {
    const headers = { 'idempotency-key': idempotencyKey };
    return this.#caller.call(
      { method: 'POST', path: '/v1/runs', json: run, headers, keyed: true, timeoutMs: SUBMIT_TIMEOUT_MS, ...options },
      RunView,
    );
  }

  runs(query: z.input<typeof RunListQuery> = {}, options: CallOptions = {}): Promise<z.infer<typeof RunList>> {
    return this.#caller.call({ method: 'GET', path: `/v1/runs${queryOf(query)}`, ...options }, RunList);
  }

  /** As it is now, or as it was after event `at`. */
  run(runId: RunId, at?: number, options: CallOptions = {}): Promise<RunView> {
    const path = pathOf`/v1/runs/${runId}` + queryOf({ at });
    return this.#caller.call({ method: 'GET', path, ...options }, RunView);
  }

  /** A new run that goes on from this one; with the same key, the same request gives the same run. */
  retry(runId: RunId, idempotencyKey: string, options: CallOptions = {}): Promise<RunView> {
    return this.#fork(pathOf`/v1/runs/${runId}/retry`, {}, idempotencyKey, options);
  }

  rerun(runId: RunId, rerun: RerunBody, idempotencyKey: string, options: CallOptions = {}): Promise<RunView> {
    return this.#fork(pathOf`/v1/runs/${runId}/rerun`, rerun, idempotencyKey, options);
  }

  fork(runId: RunId, fork: ForkBody, idempotencyKey: string, options: CallOptions = {}): Promise<RunView> {
    return this.#fork(pathOf`/v1/runs/${runId}/fork`, fork, idempotencyKey, options);
  }

  /** What a submit of this would do; stores and starts nothing. */
  preview(run: CreateRun, options: CallOptions = {}): Promise<RunPreview> {
    return this.#caller.call(
      { method: 'POST', path: '/v1/runs/preview', json: run, keyed: true, ...options },
      RunPreview,
    );
  }

  runGraph(runId: RunId, options: CallOptions = {}): Promise<RunGraph> {
    return this.#caller.call({ method: 'GET', path: pathOf`/v1/runs/${runId}/graph`, ...options }, RunGraph);
  }

  /** Of a shipped workflow. */
  workflowGraph(name: string, options: CallOptions = {}): Promise<RunGraph> {
    return this.#caller.call({ method: 'GET', path: pathOf`/v1/workflows/${name}/graph`, ...options }, RunGraph);
  }

  exportRun(runId: RunId, options: CallOptions = {}): Promise<RunExport> {
    return this.#caller.call({ method: 'GET', path: pathOf`/v1/runs/${runId}/export`, ...options }, RunExport);
  }

  /** Not tried again: a second import is a second run. */
  importRun(file: RunExport, options: CallOptions = {}): Promise<RunView> {
    const request = { method: 'POST', path: '/v1/runs/import', json: file, timeoutMs: SUBMIT_TIMEOUT_MS } as const;
    return this.#caller.call({ ...request, ...options }, RunView);
  }

  /** Removes the detail of old runs of the project, or counts them. One call does a part of it when there are many. */
  prune(body: PruneBody, options: CallOptions = {}): Promise<PruneReply> {
    const request = {
      method: 'POST',
      path: '/v1/runs/prune',
      json: body,
      keyed: true,
      timeoutMs: PRUNE_TIMEOUT_MS,
    } as const;
    return this.#caller.call({ ...request, ...options }, PruneReply);
  }

  #fork(path: string, json: object, idempotencyKey: string, options: CallOptions): Promise<RunView> {
    const headers = { 'idempotency-key': idempotencyKey };
    return this.#caller.call(
      { method: 'POST', path, json, headers, keyed: true, timeoutMs: SUBMIT_TIMEOUT_MS, ...options },
      RunView,
    );
  }

  cancel(runId: RunId, reason = '', options: CallOptions = {}): Promise<RunView> {
    return this.#caller.call(
      { method: 'POST', path: pathOf`/v1/runs/${runId}/cancel`, json: { reason }, keyed: true, ...options },
      RunView,
    );
  }

  pause(runId: RunId, reason = '', options: CallOptions = {}): Promise<RunView> {
    const path = pathOf`/v1/runs/${runId}/pause`;
    return this.#caller.call({ method: 'POST', path, json: { reason }, keyed: true, ...options }, RunView);
  }

  async effects(runId: RunId, options: CallOptions = {}): Promise<EffectRecord[]> {
    const path = pathOf`/v1/runs/${runId}/effects`;
    return (await this.#caller.call({ method: 'GET', path, ...options }, EffectPage)).items;
  }

  approvals(query: z.input<typeof ApprovalListQuery> = {}, options: CallOptions = {}): Promise<ApprovalPage> {
    return this.#caller.call({ method: 'GET', path: `/v1/approvals${queryOf(query)}`, ...options }, ApprovalPage);
  }

  /** `verdict.hash` is that of the approval as it was shown. Throws `approval_closed`, `approval_changed`. */
  decide(id: string, verdict: z.input<typeof VerdictBody>, options: CallOptions = {}): Promise<ApprovalRecord> {
    const path = pathOf`/v1/approvals/${id}/verdict`;
    return this.#caller.call({ method: 'POST', path, json: verdict, keyed: true, ...options }, ApprovalRecord);
  }

  async findings(runId: RunId, options: CallOptions = {}): Promise<FindingRecord[]> {
    const path = pathOf`/v1/runs/${runId}/findings`;
    return (await this.#caller.call({ method: 'GET', path, ...options }, FindingPage)).items;
  }

  judgeFinding(
    runId: RunId,
    fingerprint: Digest,
    verdict: z.input<typeof FindingVerdictBody>,
    options: CallOptions = {},
  ): Promise<FindingRecord> {
    const path = pathOf`/v1/runs/${runId}/findings/${fingerprint}/verdict`;
    return this.#caller.call({ method: 'POST', path, json: verdict, keyed: true, ...options }, FindingRecord);
  }

  async rulePrecision(options: CallOptions = {}): Promise<RulePrecision[]> {
    const request = { method: 'GET', path: '/v1/rules/precision', ...options } as const;
    return (await this.#caller.call(request, RulePrecisionList)).items;
  }

  resume(runId: RunId, options: CallOptions = {}): Promise<RunView> {
    return this.#caller.call(
      { method: 'POST', path: pathOf`/v1/runs/${runId}/resume`, keyed: true, ...options },
      RunView,
    );
  }

  /** The secret of a webhook is in this answer only. */
  createTrigger(trigger: CreateTrigger, options: CallOptions = {}): Promise<TriggerCreated> {
    return this.#caller.call({ method: 'POST', path: '/v1/triggers', json: trigger, ...options }, TriggerCreated);
  }

  async triggers(options: CallOptions = {}): Promise<TriggerView[]> {
    return (await this.#caller.call({ method: 'GET', path: '/v1/triggers', ...options }, TriggerList)).items;
  }

  removeTrigger(id: string, options: CallOptions = {}): Promise<TriggerView> {
    return this.#caller.call({ method: 'DELETE', path: pathOf`/v1/triggers/${id}`, ...options }, TriggerView);
  }

  /** One page of events as JSON. */
  events(runId: RunId, after = 0, options: CallOptions = {}): Promise<z.infer<typeof EventList>> {
    const path = pathOf`/v1/runs/${runId}/events` + queryOf({ after });
    return this.#caller.call({ method: 'GET', path, headers: { accept: 'application/json' }, ...options }, EventList);
  }

  /**
   * Follows a run until it ends: its events in order from `after` on, none twice, and what slow steps are doing. Connects again,
   * from where it was, as often as it takes; ends without an error when the signal fires. Throws what the gateway refuses, and
   * `unavailable` when it has been unreachable for `patienceMs` (default 60 s).
   */
  follow(
    runId: RunId,
    options: { after?: number; signal?: AbortSignal; patienceMs?: number } = {},
  ): AsyncGenerator<RunSignal> {
    return followRun({
      after: options.after ?? 0,
      patienceMs: options.patienceMs ?? 60_000,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      now: Date.now,
      sleep: this.#sleep,
      open: (lastEventId) =>
        this.#caller.stream({
          method: 'GET',
          path: pathOf`/v1/runs/${runId}/events`,
          headers: {
            accept: 'text/event-stream',
            ...(lastEventId === 0 ? {} : { 'last-event-id': String(lastEventId) }),
          },
          longPoll: true,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        }),
    });
  }

  async artifacts(runId: RunId, options: CallOptions = {}): Promise<z.infer<typeof ArtifactList>['items']> {
    const request = { method: 'GET', path: pathOf`/v1/runs/${runId}/artifacts`, ...options } as const;
    return (await this.#caller.call(request, ArtifactList)).items;
  }

  /** Whether the mesh has that content already. */
  async hasArtifact(digest: Digest, options: CallOptions = {}): Promise<boolean> {
    try {
      (await this.#caller.stream({ method: 'HEAD', path: pathOf`/v1/artifacts/${digest}`, ...options })).resume();
      return true;
    } catch (error) {
      // The answer to HEAD has no body, hence no problem details.
      if (error instanceof DevmeshError && (error.code === 'not_found' || / 404 /.test(error.message))) return false;
      // Why a key is refused, an answer with a body says.
      if (error instanceof DevmeshError && / 40[13] /.test(error.message)) await this.whoAmI(options);
      throw error;
    }
  }

  putArtifact(content: ArtifactContent, options?: CallOptions): Promise<Stored> {
    return upload(this.#caller, content, options);
  }

  getArtifact(digest: Digest, options?: CallOptions): Promise<Buffer> {
    return download(this.#caller, digest, MAX_BYTES, options);
  }

  /** Gives its size in bytes. */
  getArtifactFile(digest: Digest, target: string, options?: CallOptions): Promise<number> {
    return downloadFile(this.#caller, digest, target, options);
  }

  /** Has the mesh clone a repository by URL. */
  importRepository(repository: z.infer<typeof ImportRepository>, options: CallOptions = {}): Promise<RunRepository> {
    return this.#caller.call(
      { method: 'POST', path: '/v1/repositories', json: repository, timeoutMs: IMPORT_TIMEOUT_MS, ...options },
      RunRepository,
    );
  }

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

  status(options: CallOptions = {}): Promise<SystemStatus> {
    return this.#caller.call({ method: 'GET', path: '/v1/status', ...options }, SystemStatus);
  }

  whoAmI(options: CallOptions = {}): Promise<z.infer<typeof WhoAmI>> {
    return this.#caller.call({ method: 'GET', path: '/v1/whoami', ...options }, WhoAmI);
  }

  /** Whether the gateway answers its health route; never throws. */
  async isUp(options: CallOptions = {}): Promise<boolean> {
    try {
      const request = { method: 'GET', path: '/health/ready', once: true, timeoutMs: 2_000, ...options } as const;
      (await this.#caller.stream(request)).resume();
      return true;
    } catch (error) {
      if (error instanceof DevmeshError) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#breaker.close();
    await this.#http.close();
  }
}
