import type { StoredEvent } from '@devmesh/contracts/event';
import type { CreateRun, RunView } from '@devmesh/contracts/gateway-api';
import type { AgentList, WorkflowList } from '@devmesh/contracts/orchestrator-api';
import type { RunArtifact, RunListItem } from '@devmesh/contracts/run';

/** What a stream of a run's events brings. */
export type RunSignal =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'progress'; readonly step: string; readonly message: string }
  | { readonly kind: 'end' };

/** The public API of the mesh, as far as the command line needs it. Every refusal is a `DevmeshError`. */
export interface MeshApi {
  createRun(body: CreateRun, idempotencyKey: string): Promise<RunView>;
  run(id: string): Promise<RunView>;
  runs(limit: number): Promise<RunListItem[]>;
  cancel(id: string, reason: string): Promise<RunView>;
  resume(id: string): Promise<RunView>;
  artifacts(id: string): Promise<RunArtifact[]>;
  /** From event `after` on; reconnects by itself, and ends with `end` or the signal. */
  watch(id: string, after: number, signal: AbortSignal): AsyncGenerator<RunSignal>;
  hasArtifact(digest: string): Promise<boolean>;
  /** Streams a file. */
  putArtifact(file: string): Promise<void>;
  /** Writes an artifact into a file, whole or not at all; its SHA-256 is checked on the way. */
  getArtifact(digest: string, file: string): Promise<void>;
  agents(): Promise<AgentList>;
  workflows(): Promise<WorkflowList>;
  /** Lets go of its connections, so that the process can end. */
  close(): Promise<void>;
}
