import { DevmeshError } from '@devmesh/contracts/errors';
import { CreateRun, type RunList, type RunListQuery, type RunView } from '@devmesh/contracts/gateway-api';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import type { SubmitReply } from '@devmesh/contracts/orchestrator-api';
import { contentOf, type RunRepository } from '@devmesh/contracts/run';
import type { RunPreview } from '@devmesh/contracts/run-preview';
import type { ArtifactPage, RunRecord } from '@devmesh/contracts/state-api';
import { inSubmitSpan } from '@devmesh/service-kit/tracing/engine-span';
import type { z } from 'zod';
import type { Caller } from '../api-keys/caller.js';
import type { ArtifactAccessService } from '../artifacts/artifact-access.service.js';
import { digestsInSource } from '../artifacts/named-digests.js';
import type { RepositoryImportService } from '../repositories/repository-import.service.js';
import type { OrchestratorPort } from '../upstream/orchestrator.port.js';
import type { StatePort } from '../upstream/state.port.js';
import { requestHash } from './request-hash.js';
import type { RunAccessService } from './run-access.service.js';
import type { RunReaderService } from './run-reader.service.js';
import { runView } from './run-view.js';

type ValidCreateRun = z.output<typeof CreateRun>;

/** What a caller may do with runs: everything within its project. */
export class RunsService {
  constructor(
    private readonly state: Pick<StatePort, 'runs' | 'runArtifacts' | 'artifactSize'>,
    private readonly orchestrator: OrchestratorPort,
    private readonly access: RunAccessService,
    private readonly reader: RunReaderService,
    private readonly artifacts: ArtifactAccessService,
    private readonly imports: Pick<RepositoryImportService, 'import'>,
  ) {}

  /**
   * Submits a run. With an idempotency key that was used before in the project: the run of then, or
   * `idempotency_key_reused` for another request. `signal` ends a clone for which nobody waits any more.
   */
  async create(
    caller: Caller,
    body: ValidCreateRun,
    idempotencyKey: string | null,
    signal?: AbortSignal,
  ): Promise<RunView> {
    if (body.workflow !== undefined && 'source' in body.workflow)
      await this.artifacts.assertNameable(caller.projectId, digestsInSource(body.workflow.source));
    const repository = await this.#repository(caller, body.repository, signal);
    const reply = await inSubmitSpan(() =>
      this.orchestrator.submit({
        projectId: caller.projectId,
        requestedBy: caller.name,
        task: body.task,
        workflow: body.workflow ?? null,
        repository,
        ...(body.priority === undefined ? {} : { priority: body.priority }),
        ...(body.runTests === undefined ? {} : { runTests: body.runTests }),
        idempotency: idempotencyKey === null ? null : { key: idempotencyKey, requestHash: requestHash(body) },
      }),
    );
    // A planned run has a plan to show, and a known one a history; of a fresh one there is nothing to read yet.
    const planned = body.workflow === undefined && body.task !== '';
    if (planned || !reply.fresh) return this.view(caller, reply.runId);
    return this.#freshView(caller, body.task, repository, reply);
  }

  /** What a submit of this would do. Nothing is stored, started or cloned. */
  preview({ task, workflow, repository, runTests }: ValidCreateRun): Promise<RunPreview> {
    return this.orchestrator.preview({
      task,
      workflow: workflow ?? null,
      repository: repository !== undefined,
      ...(runTests === undefined ? {} : { runTests }),
    });
  }

  async list(caller: Caller, query: z.output<typeof RunListQuery>): Promise<z.infer<typeof RunList>> {
    const { status, cursor, limit } = query;
    return this.state.runs({
      projectId: caller.projectId,
      limit,
      ...(status === undefined ? {} : { status }),
      ...(cursor === undefined ? {} : { cursor }),
    });
  }

  /** As it is now, or as it was after event `at`. */
  async view(caller: Caller, runId: RunId, at?: number): Promise<RunView> {
    const record = await this.access.record(caller.projectId, runId);
    const view = await (at === undefined ? this.reader.view(record) : this.reader.viewAt(record, at));
    this.artifacts.grant(caller.projectId, digestsOf(view));
    return view;
  }

  async cancel(caller: Caller, runId: RunId, reason: string): Promise<RunView> {
    await this.access.assertOwn(caller.projectId, runId);
    await this.orchestrator.cancel(runId, { by: caller.name, reason });
    return this.view(caller, runId);
  }

  async pause(caller: Caller, runId: RunId, reason: string): Promise<RunView> {
    await this.access.assertOwn(caller.projectId, runId);
    await this.orchestrator.pause(runId, { by: caller.name, reason });
    return this.view(caller, runId);
  }

  async resume(caller: Caller, runId: RunId): Promise<RunView> {
    await this.access.assertOwn(caller.projectId, runId);
    await this.orchestrator.resume(runId, caller.name);
    return this.view(caller, runId);
  }

  async listArtifacts(caller: Caller, runId: RunId): Promise<z.infer<typeof ArtifactPage>> {
    await this.access.assertOwn(caller.projectId, runId);
    const page = await this.state.runArtifacts(runId);
    this.artifacts.grant(
      caller.projectId,
      page.items.map((item) => item.digest),
    );
    return page;
  }

  async #repository(
    caller: Caller,
    repository: ValidCreateRun['repository'],
    signal: AbortSignal | undefined,
  ): Promise<RunRepository | null> {
    if (repository === undefined) return null;
    if ('url' in repository) return this.imports.import(caller, repository, signal);
    const { branch, history, ...rest } = repository;
    const named = {
      ...rest,
      ...(branch === undefined ? {} : { branch }),
      ...(history === undefined ? {} : { history }),
    };
    const content = contentOf(named);
    await this.artifacts.assertUsable(caller.projectId, content);
    await Promise.all(content.map((digest) => this.#assertStored(digest)));
    return named;
  }

  /** That the run will find it: a store that was asked for an artifact keeps it until the run can be on record. */
  async #assertStored(digest: Digest): Promise<void> {
    try {
      await this.state.artifactSize(digest);
    } catch (error) {
      if (!(error instanceof DevmeshError) || error.code !== 'not_found') throw error;
      throw new DevmeshError(
        'invalid_repository',
        `${digest} of the repository is not stored any more: PUT /v1/artifacts/${digest}, then submit again`,
        { cause: error },
      );
    }
  }

  /** The view of a run just made, without a look at the state: a submit costs one call. */
  async #freshView(
    caller: Caller,
    task: string,
    repository: RunRepository | null,
    reply: SubmitReply,
  ): Promise<RunView> {
    const createdAt = new Date(uuidV7Time(reply.runId)).toISOString();
    const record: RunRecord = {
      id: reply.runId,
      projectId: caller.projectId,
      workflow: reply.workflow.name,
      workflowDigest: reply.workflow.digest,
      task,
      status: 'running',
      verdict: null,
      reason: null,
      createdAt,
      updatedAt: createdAt,
      endedAt: null,
      repository,
      lastSeq: 0,
      turnFailures: 0,
      lastTurnError: null,
    };
    const workflow = await this.reader.workflow(reply.workflow.digest);
    return runView({ record, workflow, events: [], progress: [] });
  }
}

/** Milliseconds since 1970 in the first 48 bits of a UUIDv7 (RFC 9562, section 5.7). */
function uuidV7Time(id: RunId): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

function digestsOf(view: RunView): string[] {
  return [view.report, view.sarif, view.result?.bundle, ...(view.repository ? contentOf(view.repository) : [])].filter(
    (digest) => typeof digest === 'string',
  );
}
