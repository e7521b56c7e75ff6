import type { Readable } from 'node:stream';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import {
  ApiKeyRecord,
  ArtifactPage,
  ArtifactStored,
  EventPage,
  RunPage,
  RunRecord,
  type EventQuery,
  type RunQuery,
} from '@devmesh/contracts/state-api';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
import type { z } from 'zod';
import { bodyOf, type InternalHttp } from './internal-http.js';
import { StatePort, type ArtifactBody } from './state.port.js';

/** A stalled transfer of an artifact is ended after this, ms; a slow one is not. */
const STORE_MS = 30 * 60_000;
const SLACK_MS = 5_000;

export class HttpState extends StatePort {
  constructor(private readonly http: InternalHttp) {
    super();
  }

  verifyApiKey(hash: Digest): Promise<ApiKeyRecord> {
    return this.http.json(ApiKeyRecord, { method: 'POST', path: '/v1/api-keys/verify', json: { hash } });
  }

  run(runId: RunId): Promise<RunRecord> {
    return this.http.json(RunRecord, { path: `/v1/runs/${runId}` });
  }

  runs({ projectId, status, limit, cursor }: z.input<typeof RunQuery>): Promise<z.infer<typeof RunPage>> {
    const query = { projectId, status, limit: Number(limit ?? 50), cursor };
    return this.http.json(RunPage, { path: '/v1/runs', query });
  }

  events(runId: RunId, query: EventQuery, signal?: AbortSignal): Promise<EventPage> {
    const { after = 0, limit = 500, waitMs = 0 } = query;
    return this.http.json(EventPage, {
      path: `/v1/runs/${runId}/events`,
      query: { after: Number(after), limit: Number(limit), waitMs: Number(waitMs) },
      signal,
      timeoutMs: Number(waitMs) + SLACK_MS,
    });
  }

  runArtifacts(runId: RunId): Promise<z.infer<typeof ArtifactPage>> {
    return this.http.json(ArtifactPage, { path: `/v1/runs/${runId}/artifacts` });
  }

  workflow(digest: Digest): Promise<WorkflowDefinition> {
    return this.http.json(WorkflowDefinition, { path: `/v1/workflows/${digest}` });
  }

  async artifactSize(digest: Digest): Promise<number> {
    const response = await this.http.send({ method: 'HEAD', path: `/v1/artifacts/${digest}` });
    return Number(response.headers.get('content-length'));
  }

  async artifact(digest: Digest, signal?: AbortSignal): Promise<ArtifactBody> {
    const response = await this.http.send({ path: `/v1/artifacts/${digest}`, signal });
    return { size: Number(response.headers.get('content-length')), body: bodyOf(response) };
  }

  storeArtifact(
    digest: Digest,
    body: Readable,
    size: number | undefined,
    signal?: AbortSignal,
  ): Promise<z.infer<typeof ArtifactStored>> {
    const path = `/v1/artifacts/${digest}`;
    return this.http.json(ArtifactStored, { method: 'PUT', path, bytes: { body, size }, signal, timeoutMs: STORE_MS });
  }
}
