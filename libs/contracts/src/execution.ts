import { z } from 'zod';
import { Effects, MAX_INPUT_BYTES } from './action.js';
import { ApprovalRef } from './approval.js';
import { ReworkNote } from './event.js';
import { ActionId, AgentName, ExecutionKey, InstanceId, UnixMs } from './ids.js';
import { JsonObject } from './json.js';
import { Outcome } from './outcome.js';

/** Headers of the agent contract; the idempotency key is the execution key. */
export const EXECUTION_HEADERS = { idempotencyKey: 'idempotency-key', prefer: 'prefer' } as const;

/**
 * `POST /v1/executions`, with `Idempotency-Key: <key>` and `Prefer: wait=<seconds>` (RFC 7240). The same key twice joins
 * the one execution. Answers: 200 `ExecutionReply` with an outcome, 202 without one; or a problem:
 * `stale_epoch`, `wrong_instance`, `execution_cancelled` (tombstone), `claim_held` (retryAfterMs), `unknown_action`,
 * `invalid_input`, `shutting_down` or `unavailable` (nothing was started).
 */
export const ExecutionRequest = z.object({
  key: ExecutionKey,
  action: ActionId,
  /** Epoch of the owner; an agent refuses one that is lower than it has seen for the run. */
  epoch: z.number().int().positive(),
  /** The incarnation that was chosen. Another one at the same address refuses. */
  instance: InstanceId,
  notAfter: UnixMs,
  input: JsonObject,
  rework: ReworkNote.nullable(),
  /** The consent that it acts on; an effect that is claimed names it. */
  approval: ApprovalRef.optional(),
  /** Keys of this run whose outcomes are on record: the agent may forget its answers to them. */
  acknowledge: z.array(ExecutionKey).max(500),
});
export type ExecutionRequest = z.infer<typeof ExecutionRequest>;

export const ExecutionReply = z.object({
  key: ExecutionKey,
  instance: InstanceId,
  /** Null while it is under way; the outcome then comes to the run's inbox. */
  outcome: Outcome.nullable(),
  /** While under way: until when the agent vouches for it; heartbeats move it. */
  leaseUntil: UnixMs.nullable(),
});
export type ExecutionReply = z.infer<typeof ExecutionReply>;

/** `GET /v1/agent`: who answers here. */
export const AgentInfo = z.object({
  agent: AgentName,
  instance: InstanceId,
  version: z.string(),
  revision: z.string(),
  startedAt: UnixMs,
  actions: z.array(z.object({ id: ActionId, title: z.string(), effects: Effects, isDefault: z.boolean() })),
});
export type AgentInfo = z.infer<typeof AgentInfo>;

/** How long an agent vouches for an execution between two heartbeats, ms, and how often it sends them. */
export const EXECUTION_LEASE_MS = 6_000;
export const HEARTBEAT_MS = 2_000;
export const EXECUTION_REQUEST_BYTES = MAX_INPUT_BYTES + 64 * 1024;
