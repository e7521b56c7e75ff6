import { DevmeshError } from '@devmesh/contracts/errors';
import type { Digest, InstanceId, RunId } from '@devmesh/contracts/ids';
import {
  ApiKeyCreate,
  ApiKeyRecord,
  ArtifactPage,
  BatchReply,
  ClaimReply,
  DueReply,
  EventPage,
  HeartbeatsReply,
  InboxPosted,
  RecoverReply,
  RunPage,
  RunRecord,
  TurnFailureReply,
  type AcquireOp,
  type AppendOp,
  type BatchOp,
  type BatchResult,
  type ClaimRequest,
  type ClaimResult,
  type CreateOp,
  type DueRequest,
  type EventQuery,
  type Heartbeats,
  type InboxPost,
  type RunQuery,
  type TurnFailure,
} from '@devmesh/contracts/state-api';
import { PruneReply, type PruneRequest } from '@devmesh/contracts/retention';
import { ImportReply, type ImportRun } from '@devmesh/contracts/run-export';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { z } from 'zod';
import type { CallOptions, ServiceCaller } from './http/service-caller.js';
import { pathOf, queryOf } from './path.js';
import { BatchLane } from './state-batch.js';
import { StateArtifacts } from './state-artifacts.js';
import { StateFindings } from './state-findings.js';
import { StateLedger } from './state-ledger.js';
import { StateTriggers } from './state-triggers.js';

export type Created = Extract<BatchResult, { result: 'created' }>;
export type Acquired = Extract<BatchResult, { result: 'acquired' }>;
export type Appended = Extract<BatchResult, { result: 'appended' }>;

const Nothing = z.unknown();
/** A batch may hold the work of many runs, ms. */
const BATCH_TIMEOUT_MS = 15_000;
/** Many small transactions, ms. */
const PRUNE_TIMEOUT_MS = 60_000;
/** What a long poll gets beyond the time that it asked for, ms. */
const POLL_GRACE_MS = 5_000;

/** Client of state-persistence: everything of `contracts/state-api`. */
export class StateClient {
  readonly artifacts: StateArtifacts;
  readonly triggers: StateTriggers;
  readonly ledger: StateLedger;
  readonly findings: StateFindings;
  readonly #caller: ServiceCaller;
  readonly #lane: BatchLane;

  constructor(caller: ServiceCaller) {
    this.#caller = caller;
    this.artifacts = new StateArtifacts(caller);
    this.triggers = new StateTriggers(caller);
    this.ledger = new StateLedger(caller);
    this.findings = new StateFindings(caller);
    this.#lane = new BatchLane({
      send: async (jsonText) => {
        // Safe to send again: creates know their run, appends their id, and an acquire only raises the epoch.
        const request = {
          method: 'POST',
          path: '/v1/batch',
          jsonText,
          keyed: true,
          timeoutMs: BATCH_TIMEOUT_MS,
        } as const;
        return (await caller.call(request, BatchReply)).results;
      },
    });
  }

  /** One op of a batch; its refusal is a result. Ops that arrive together travel together. */
  batch(op: BatchOp): Promise<BatchResult> {
    return this.#lane.add(op);
  }

  /** Throws `idempotency_key_reused` for a key that was used for another request. */
  async create(op: Omit<CreateOp, 'op'>): Promise<Created> {
    return expect(await this.#lane.add({ op: 'create', ...op }), 'created');
  }

  /** Raises the run's epoch. Throws `not_found`. */
  async acquire(op: Omit<AcquireOp, 'op'>): Promise<Acquired> {
    return expect(await this.#lane.add({ op: 'acquire', ...op }), 'acquired');
  }

  /** Throws `stale_epoch` when another owner took over. */
  async append(op: Omit<AppendOp, 'op'>): Promise<Appended> {
    return expect(await this.#lane.add({ op: 'append', ...op }), 'appended');
  }

  /** Runs whose wake time has come; waits up to `waitMs` for one. */
  async due(request: z.infer<typeof DueRequest>, options: CallOptions = {}): Promise<z.infer<typeof DueReply>['runs']> {
    const timeoutMs = request.waitMs + POLL_GRACE_MS;
    const poll = {
      method: 'POST',
      path: '/v1/runs/due',
      json: request,
      longPoll: true,
      timeoutMs,
      ...options,
    } as const;
    return (await this.#caller.call(poll, DueReply)).runs;
  }

  /** Makes every unended run that this owner held due at once; gives their number. */
  async recover(owner: string, options: CallOptions = {}): Promise<number> {
    const request = { method: 'POST', path: '/v1/runs/recover', json: { owner }, keyed: true, ...options } as const;
    return (await this.#caller.call(request, RecoverReply)).runs;
  }

  runs(query: z.input<typeof RunQuery> = {}, options: CallOptions = {}): Promise<z.infer<typeof RunPage>> {
    return this.#caller.call({ method: 'GET', path: `/v1/runs${queryOf(query)}`, ...options }, RunPage);
  }

  /** Throws `not_found`. */
  run(runId: RunId, options: CallOptions = {}): Promise<RunRecord> {
    return this.#caller.call({ method: 'GET', path: pathOf`/v1/runs/${runId}`, ...options }, RunRecord);
  }

  /** Events after a number; with `waitMs`, waits for something new. */
  events(runId: RunId, query: EventQuery = {}, options: CallOptions = {}): Promise<z.output<typeof EventPage>> {
    const waitMs = Number(query.waitMs ?? 0);
    const path = pathOf`/v1/runs/${runId}/events` + queryOf(query);
    const poll = waitMs > 0 ? { longPoll: true, timeoutMs: waitMs + POLL_GRACE_MS } : {};
    return this.#caller.call({ method: 'GET', path, ...poll, ...options }, EventPage);
  }

  /** Tells a run something; the dedupe key makes a second post of it harmless. */
  postInbox(runId: RunId, post: InboxPost, options: CallOptions = {}): Promise<z.infer<typeof InboxPosted>> {
    return this.#caller.call(
      { method: 'POST', path: pathOf`/v1/runs/${runId}/inbox`, json: post, keyed: true, ...options },
      InboxPosted,
    );
  }

  /** Counts a turn that threw. Not tried again: a turn that fails once more is counted then. */
  turnFailed(
    runId: RunId,
    failure: z.infer<typeof TurnFailure>,
    options: CallOptions = {},
  ): Promise<z.infer<typeof TurnFailureReply>> {
    return this.#caller.call(
      { method: 'POST', path: pathOf`/v1/runs/${runId}/turn-failures`, json: failure, ...options },
      TurnFailureReply,
    );
  }

  /** Wakes a run, a stuck one too. */
  resume(runId: RunId, options: CallOptions = {}): Promise<RunRecord> {
    return this.#caller.call(
      { method: 'POST', path: pathOf`/v1/runs/${runId}/resume`, keyed: true, ...options },
      RunRecord,
    );
  }

  claim(request: ClaimRequest, options: CallOptions = {}): Promise<ClaimReply> {
    return this.#caller.call(
      { method: 'POST', path: '/v1/executions/claim', json: request, keyed: true, ...options },
      ClaimReply,
    );
  }

  /** Puts the outcome of a claimed execution on record. Throws `conflict` when the claim was taken over. */
  async claimResult(result: ClaimResult, options: CallOptions = {}): Promise<void> {
    const request = { method: 'POST', path: '/v1/executions/result', json: result, keyed: true, ...options } as const;
    await this.#caller.call(request, Nothing);
  }

  heartbeats(heartbeats: Heartbeats, options: CallOptions = {}): Promise<z.infer<typeof HeartbeatsReply>> {
    const request = {
      method: 'POST',
      path: '/v1/executions/heartbeats',
      json: heartbeats,
      keyed: true,
      ...options,
    } as const;
    return this.#caller.call(request, HeartbeatsReply);
  }

  /** Tells which instances are there, of all agents; a second time does no harm. */
  async orphans(present: readonly InstanceId[], options: CallOptions = {}): Promise<void> {
    await this.#caller.call(
      { method: 'POST', path: '/v1/executions/orphans', json: { present }, keyed: true, ...options },
      Nothing,
    );
  }

  async putWorkflow(digest: Digest, workflow: WorkflowDefinition, options: CallOptions = {}): Promise<void> {
    await this.#caller.call(
      { method: 'PUT', path: pathOf`/v1/workflows/${digest}`, json: workflow, ...options },
      Nothing,
    );
  }

  /** Removes the detail of runs that have ended, or counts them; a second time does no harm. */
  prune(request: PruneRequest, options: CallOptions = {}): Promise<PruneReply> {
    const call = {
      method: 'POST',
      path: '/v1/runs/prune',
      json: request,
      keyed: true,
      timeoutMs: PRUNE_TIMEOUT_MS,
    } as const;
    return this.#caller.call({ ...call, ...options }, PruneReply);
  }

  /** Stores a run that is over; not tried again, for a second one would be refused. */
  importRun(run: ImportRun, options: CallOptions = {}): Promise<z.infer<typeof ImportReply>> {
    return this.#caller.call(
      { method: 'POST', path: '/v1/runs/import', json: run, timeoutMs: BATCH_TIMEOUT_MS, ...options },
      ImportReply,
    );
  }

  /** Throws `not_found`. */
  workflow(digest: Digest, options: CallOptions = {}): Promise<WorkflowDefinition> {
    return this.#caller.call({ method: 'GET', path: pathOf`/v1/workflows/${digest}`, ...options }, WorkflowDefinition);
  }

  async runArtifacts(runId: RunId, options: CallOptions = {}): Promise<z.infer<typeof ArtifactPage>['items']> {
    const request = { method: 'GET', path: pathOf`/v1/runs/${runId}/artifacts`, ...options } as const;
    return (await this.#caller.call(request, ArtifactPage)).items;
  }

  createApiKey(key: z.infer<typeof ApiKeyCreate>, options: CallOptions = {}): Promise<ApiKeyRecord> {
    return this.#caller.call(
      { method: 'POST', path: '/v1/api-keys', json: key, keyed: true, ...options },
      ApiKeyRecord,
    );
  }

  /** Throws `not_found` for a hash that belongs to no key. */
  verifyApiKey(hash: Digest, options: CallOptions = {}): Promise<ApiKeyRecord> {
    const request = { method: 'POST', path: '/v1/api-keys/verify', json: { hash }, keyed: true, ...options } as const;
    return this.#caller.call(request, ApiKeyRecord);
  }
}

function expect<K extends 'created' | 'acquired' | 'appended'>(
  result: BatchResult,
  kind: K,
): Extract<BatchResult, { result: K }> {
  if (result.result === 'refused')
    throw new DevmeshError(result.code === 'unread' ? 'conflict' : result.code, result.message);
  if (result.result !== kind)
    throw new DevmeshError('bad_reply', `the state answered "${result.result}" where "${kind}" was due`);
  return result as Extract<BatchResult, { result: K }>;
}
