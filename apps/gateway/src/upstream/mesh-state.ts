import type { Readable } from 'node:stream';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import {
  ArtifactStored,
  type ApiKeyRecord,
  type ArtifactPage,
  type EventPage,
  type EventQuery,
  type RunPage,
  type RunQuery,
  type RunRecord,
} from '@devmesh/contracts/state-api';
import type { PruneReply, PruneRequest } from '@devmesh/contracts/retention';
import type { ImportReply, ImportRun } from '@devmesh/contracts/run-export';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import type { ServiceCaller } from '@devmesh/service-client/http/service-caller';
import { pathOf } from '@devmesh/service-client/path';
import type { StateClient } from '@devmesh/service-client/state.client';
import type { z } from 'zod';
import { inside } from './inside.js';
import { StatePort, type ArtifactBody } from './state.port.js';

/** Longest transfer of an artifact, ms; a client that falls silent is cut off long before. */
const TRANSFER_MS = 30 * 60_000;
// A transfer goes at its client's pace, and breaks when its client does: it says nothing about state-persistence, and must
// neither keep others out nor open the breaker.
const AT_THE_CLIENTS_PACE = { longPoll: true } as const;

/** state-persistence over the mesh's client. Artifacts pass through in one attempt, as streams. */
export class MeshState extends StatePort {
  constructor(
    private readonly client: StateClient,
    private readonly caller: ServiceCaller,
  ) {
    super();
  }

  verifyApiKey(hash: Digest): Promise<ApiKeyRecord> {
    return inside(this.client.verifyApiKey(hash));
  }

  run(runId: RunId): Promise<RunRecord> {
    return inside(this.client.run(runId));
  }

  runs(query: z.input<typeof RunQuery>): Promise<z.infer<typeof RunPage>> {
    return inside(this.client.runs(query));
  }

  events(runId: RunId, query: EventQuery, signal?: AbortSignal): Promise<EventPage> {
    return inside(this.client.events(runId, query, signal === undefined ? {} : { signal }));
  }

  async runArtifacts(runId: RunId): Promise<z.infer<typeof ArtifactPage>> {
    return { items: await inside(this.client.runArtifacts(runId)) };
  }

  workflow(digest: Digest): Promise<WorkflowDefinition> {
    return inside(this.client.workflow(digest));
  }

  putWorkflow(digest: Digest, workflow: WorkflowDefinition): Promise<void> {
    return inside(this.client.putWorkflow(digest, workflow));
  }

  prune(request: PruneRequest): Promise<PruneReply> {
    return inside(this.client.prune(request));
  }

  importRun(run: ImportRun): Promise<z.infer<typeof ImportReply>> {
    return inside(this.client.importRun(run));
  }

  async artifactSize(digest: Digest): Promise<number | undefined> {
    try {
      const { headers, body } = await inside(
        this.caller.open({ method: 'HEAD', path: pathOf`/v1/artifacts/${digest}` }),
      );
      body.resume();
      return sizeOf(headers);
    } catch (error) {
      // The answer to a HEAD has no body that could name the code.
      if (!(error instanceof DevmeshError) || error.code !== 'bad_reply') throw error;
      throw new DevmeshError('not_found', `no artifact ${digest}`, { cause: error });
    }
  }

  async artifact(digest: Digest, signal?: AbortSignal): Promise<ArtifactBody> {
    const request = { method: 'GET', path: pathOf`/v1/artifacts/${digest}`, headers: { accept: '*/*' } } as const;
    const { headers, body } = await inside(
      this.caller.open({ ...request, ...AT_THE_CLIENTS_PACE, ...(signal === undefined ? {} : { signal }) }),
    );
    return { size: sizeOf(headers), body };
  }

  storeArtifact(
    digest: Digest,
    body: Readable,
    size: number | undefined,
    signal?: AbortSignal,
  ): Promise<z.infer<typeof ArtifactStored>> {
    const request = {
      method: 'PUT',
      path: pathOf`/v1/artifacts/${digest}`,
      content: () => body,
      headers: {
        'content-type': 'application/octet-stream',
        ...(size === undefined ? {} : { 'content-length': String(size) }),
      },
      timeoutMs: TRANSFER_MS,
    } as const;
    return inside(
      this.caller.call(
        { ...request, ...AT_THE_CLIENTS_PACE, ...(signal === undefined ? {} : { signal }) },
        ArtifactStored,
      ),
    );
  }

  storeFile(file: string, signal?: AbortSignal): Promise<z.infer<typeof ArtifactStored>> {
    return inside(this.client.artifacts.put({ file }, signal === undefined ? {} : { signal }));
  }
}

function sizeOf(headers: Readonly<Record<string, unknown>>): number | undefined {
  const length = headers['content-length'];
  return typeof length === 'string' && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
