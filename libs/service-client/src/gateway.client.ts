import { DevmeshError } from '@devmesh/contracts/errors';
import {
  ArtifactList,
  EventList,
  RunList,
  RunView,
  WhoAmI,
  type CreateRun,
  type ImportRepository,
  type RunListQuery,
} from '@devmesh/contracts/gateway-api';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import { AgentList, Plan, WorkflowCheck, WorkflowList } from '@devmesh/contracts/orchestrator-api';
import { RunRepository } from '@devmesh/contracts/run';
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

  run(runId: RunId, options: CallOptions = {}): Promise<RunView> {
    return this.#caller.call({ method: 'GET', path: pathOf`/v1/runs/${runId}`, ...options }, RunView);
  }

  cancel(runId: RunId, reason = '', options: CallOptions = {}): Promise<RunView> {
    return this.#caller.call(
      { method: 'POST', path: pathOf`/v1/runs/${runId}/cancel`, json: { reason }, keyed: true, ...options },
      RunView,
    );
  }

  resume(runId: RunId, options: CallOptions = {}): Promise<RunView> {
    return this.#caller.call(
      { method: 'POST', path: pathOf`/v1/runs/${runId}/resume`, keyed: true, ...options },
      RunView,
    );
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
