import type { Readable } from 'node:stream';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import type {
  ApiKeyRecord,
  ArtifactPage,
  ArtifactStored,
  EventPage,
  EventQuery,
  RunPage,
  RunQuery,
  RunRecord,
} from '@devmesh/contracts/state-api';
import type { PruneReply, PruneRequest } from '@devmesh/contracts/retention';
import type { ImportReply, ImportRun } from '@devmesh/contracts/run-export';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import type { z } from 'zod';

/** An artifact on its way out. `size` in bytes, where the store says it. Whoever takes it reads `body` to its end or destroys it. */
export interface ArtifactBody {
  readonly size: number | undefined;
  readonly body: Readable;
}

/**
 * What the gateway asks of state-persistence. What is not there is a `DevmeshError` `not_found`, what was there and was pruned `gone`; a service that can't be
 * reached is `unavailable`. A caller that is no longer interested aborts `signal`.
 */
export abstract class StatePort {
  abstract verifyApiKey(hash: Digest): Promise<ApiKeyRecord>;
  abstract run(runId: RunId): Promise<RunRecord>;
  abstract runs(query: z.input<typeof RunQuery>): Promise<z.infer<typeof RunPage>>;
  abstract events(runId: RunId, query: EventQuery, signal?: AbortSignal): Promise<EventPage>;
  abstract runArtifacts(runId: RunId): Promise<z.infer<typeof ArtifactPage>>;
  abstract workflow(digest: Digest): Promise<WorkflowDefinition>;
  abstract putWorkflow(digest: Digest, workflow: WorkflowDefinition): Promise<void>;
  abstract prune(request: PruneRequest): Promise<PruneReply>;
  abstract importRun(run: ImportRun): Promise<z.infer<typeof ImportReply>>;
  abstract artifactSize(digest: Digest): Promise<number | undefined>;
  abstract artifact(digest: Digest, signal?: AbortSignal): Promise<ArtifactBody>;
  /** Streams `body` into the store, which refuses it unless it has that digest. `size` in bytes, where it is known. */
  abstract storeArtifact(
    digest: Digest,
    body: Readable,
    size: number | undefined,
    signal?: AbortSignal,
  ): Promise<z.infer<typeof ArtifactStored>>;
  /** Stores a file under its digest; tried again when that helps. */
  abstract storeFile(file: string, signal?: AbortSignal): Promise<z.infer<typeof ArtifactStored>>;
}
