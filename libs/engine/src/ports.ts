import type { ExecutionRequest } from '@devmesh/contracts/execution';
import type { AgentName, Digest, ExecutionKey, InstanceId, RunId, UnixMs } from '@devmesh/contracts/ids';
import type { ExecutionError, Outcome } from '@devmesh/contracts/outcome';
import type { AcquireOp, AppendOp, BatchResult } from '@devmesh/contracts/state-api';
import type { Graph } from '@devmesh/workflow/graph';

export type AcquireResult = Extract<BatchResult, { result: 'acquired' | 'refused' }>;
export type AppendResult = Extract<BatchResult, { result: 'appended' | 'refused' }>;

/** The durable half. A rejection means that nobody knows whether the operation happened. */
export interface StatePort {
  acquire(op: AcquireOp): Promise<AcquireResult>;
  append(op: AppendOp): Promise<AppendResult>;
  /** Counts a turn that threw. */
  turnFailed(runId: RunId, epoch: number | null, error: string): Promise<void>;
}

/** What a dispatch came to. */
export type DispatchAnswer =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  /** Under way; the outcome will come to the inbox. */
  | { readonly kind: 'accepted'; readonly leaseUntil: UnixMs }
  /** Nothing was started here, or this incarnation is no more: find another. */
  | { readonly kind: 'gone' }
  /** Another instance's claim is alive: ask again later. */
  | { readonly kind: 'held'; readonly retryAfterMs: number }
  /** Refused for good, before it started. */
  | { readonly kind: 'refused'; readonly error: ExecutionError }
  /** The agent has seen a later owner: this one is over. */
  | { readonly kind: 'stale' }
  /** Nobody knows whether it arrived. */
  | { readonly kind: 'unreachable' };

export interface AgentPort {
  /** Instances that may be given work, best first. A snapshot: answers at once. */
  instances(agent: AgentName): readonly InstanceId[];
  /** Never rejects: what goes wrong is an answer. Waits for the outcome at most `waitMs`. */
  execute(agent: AgentName, request: ExecutionRequest, waitMs: number): Promise<DispatchAnswer>;
  /** True when the execution is known to be over, or will never start. */
  cancel(agent: AgentName, instance: InstanceId, key: ExecutionKey, epoch: number): Promise<boolean>;
}

export interface GraphPort {
  /** The workflow with this digest, its edges worked out. Cached by who implements it. */
  graph(digest: Digest): Promise<Graph>;
}

export interface ClockPort {
  now(): UnixMs;
}

export interface IdPort {
  uuid(): string;
}

export interface TurnPorts {
  readonly state: StatePort;
  readonly agents: AgentPort;
  readonly graphs: GraphPort;
  readonly clock: ClockPort;
  readonly ids: IdPort;
}
