import { z } from 'zod';
import { ApprovalRequest } from './approval.js';
import { ArtifactRef } from './artifact.js';
import { InboxMessage, InboxRow, RunEvent, StoredEvent } from './event.js';
import { Digest, ExecutionKey, InstanceId, RunId, StepId, Timestamp, UnixMs } from './ids.js';
import { JsonObject } from './json.js';
import { Outcome } from './outcome.js';
import { RunListItem, RunRepository, RunStatus, RunVerdict } from './run.js';

/*
 * The API of state-persistence. Internal: wants the internal token. docs/engine.md says what each operation promises.
 *
 *   POST   /v1/batch                              Batch -> BatchReply          create, acquire, append, park
 *   POST   /v1/runs/due                           DueRequest -> DueReply       long poll
 *   POST   /v1/runs/recover                       RecoverRequest -> RecoverReply
 *   POST   /v1/runs/import                        ImportRun -> ImportReply    a run that is over, from elsewhere
 *   POST   /v1/runs/prune                         PruneRequest -> PruneReply  removes the detail of ended runs
 *   GET    /v1/runs                               RunQuery -> RunPage
 *   GET    /v1/runs/:runId                        -> RunRecord
 *   GET    /v1/runs/:runId/events                 EventQuery -> EventPage      long poll; 410 `gone` once pruned
 *   POST   /v1/runs/:runId/inbox                  InboxPost -> InboxPosted
 *   POST   /v1/runs/:runId/turn-failures          TurnFailure -> TurnFailureReply
 *   POST   /v1/runs/:runId/resume                 -> RunRecord
 *   GET    /v1/approvals                          ApprovalQuery -> ApprovalPage
 *   GET    /v1/approvals/:approvalId              -> ApprovalRecord
 *   POST   /v1/approvals/:approvalId/verdict      ApprovalVerdict -> ApprovalRecord
 *   POST   /v1/effects/claim                      EffectClaim -> EffectClaimReply
 *   POST   /v1/effects/result                     EffectResult -> {}
 *   GET    /v1/runs/:runId/effects                -> EffectPage
 *   POST   /v1/executions/claim                   ClaimRequest -> ClaimReply
 *   POST   /v1/executions/result                  ClaimResult -> {}
 *   POST   /v1/executions/heartbeats              Heartbeats -> HeartbeatsReply
 *   POST   /v1/executions/orphans                 { present } -> {}            those of no instance present are looked at now
 *   PUT    /v1/artifacts/:digest                  bytes -> ArtifactStored      refused unless the bytes have that SHA-256
 *   GET    /v1/artifacts/:digest                  -> bytes (HEAD too)
 *   PUT    /v1/workflows/:digest                  WorkflowDefinition -> {}
 *   GET    /v1/workflows/:digest                  -> WorkflowDefinition
 *   GET    /v1/runs/:runId/artifacts              -> ArtifactPage              410 `gone` once pruned
 *   POST   /v1/api-keys                           ApiKeyCreate -> ApiKeyRecord
 *   POST   /v1/api-keys/verify                    { hash } -> ApiKeyRecord, or not_found
 */

/** Lease of a run handed out by the due poll, and of a turn after each append, ms. */
export const DUE_LEASE_MS = 3_000;
export const TURN_LEASE_MS = 3_000;
/** Consecutive failed turns after which a run is `stuck`. */
export const MAX_TURN_FAILURES = 5;

export const RunSummary = z.object({
  verdict: RunVerdict,
  reason: z.string().max(1000),
});

/** A checkpoint is the folded state after event `seq`; its inside is the business of libs/workflow. */
export const Checkpoint = z.object({ seq: z.number().int().positive(), state: JsonObject });
export type Checkpoint = z.infer<typeof Checkpoint>;

export const CreateOp = z.object({
  op: z.literal('create'),
  runId: RunId,
  projectId: z.string().max(64),
  /** The first event is RunCreated. */
  events: z.array(RunEvent).min(1),
  workflow: z.object({ digest: Digest, name: z.string() }),
  task: z.string(),
  repository: RunRepository.nullable(),
  /** With the same key in the project, a second create answers the first's run; with another hash it is refused. */
  idempotency: z.object({ key: z.string().min(1).max(255), requestHash: Digest }).nullable(),
  /** When its first turn is due; null: held until something arrives in its inbox. */
  wakeAt: UnixMs.nullable(),
  /** Whoever takes the first turn at once: has the run as by an acquire in the same transaction, unless it is held or queued. */
  owner: z.string().min(1).max(120).optional(),
  /** Among due and queued runs the highest goes first; 0 when left out. */
  priority: z.number().int().min(-100).max(100).optional(),
  /**
   * Runs of this workflow at once in the project, of those that set it; the last one's number counts. With as many under way the run is
   * `queued`: of its events only those that are no decision are kept (RunCreated, StepsInherited), it has no wake time, and the end of
   * another one makes it due.
   */
  maxConcurrent: z.number().int().min(1).optional(),
  /** Artifacts that inherited outcomes name. */
  artifacts: z.array(ArtifactRef.extend({ step: StepId, iteration: z.number().int().positive() })).optional(),
});
export type CreateOp = z.infer<typeof CreateOp>;

export const AcquireOp = z.object({ op: z.literal('acquire'), runId: RunId, owner: z.string().min(1).max(120) });
export type AcquireOp = z.infer<typeof AcquireOp>;

export const AppendOp = z.object({
  op: z.literal('append'),
  appendId: z.uuid(),
  runId: RunId,
  epoch: z.number().int().positive(),
  events: z.array(RunEvent),
  /** Inbox rows that these events took in; marked read in the same transaction. */
  consume: z.array(z.string()),
  /** The state after these events, now and then; null leaves the last one. */
  checkpoint: JsonObject.nullable(),
  /** Artifacts that outputs in these events name, so that they are kept and listed. */
  artifacts: z.array(ArtifactRef.extend({ step: StepId, iteration: z.number().int().positive() })),
  /** Approvals that these events open. */
  approvals: z
    .array(z.object({ step: StepId, iteration: z.number().int().positive(), request: ApprovalRequest }))
    .optional(),
  /** Approvals that nobody decided and that are over with these events; `escalated` ones stay open. */
  closedApprovals: z.array(z.object({ id: z.uuid(), status: z.enum(['expired', 'closed', 'escalated']) })).optional(),
  /** Executions that no longer count: what they would claim is refused from here on, and so is their own claim (`execution_cancelled`). */
  barred: z.array(ExecutionKey).optional(),
  /** Whether the run is paused after these events; left out: as before. */
  paused: z.boolean().optional(),
  /** Refused with `unread` when rows are unread that this append does not consume: somebody was told that they count. */
  ifRead: z.boolean().optional(),
  /** Set with the append that holds RunEnded. */
  ended: RunSummary.nullable(),
  /**
   * When the run must be looked at if nothing else is heard of its owner; null: never (ended, and nothing to stop).
   * Inside a turn: now + TURN_LEASE_MS. A park that leaves rows unread is refused: the turn goes on, with that lease.
   */
  wakeAt: UnixMs.nullable(),
  /** The owner gives the run up until `wakeAt`: the park. All dispatches of the turn were answered. */
  park: z.boolean(),
});
export type AppendOp = z.infer<typeof AppendOp>;

export const BatchOp = z.discriminatedUnion('op', [CreateOp, AcquireOp, AppendOp]);
export type BatchOp = z.infer<typeof BatchOp>;
export const Batch = z.object({ ops: z.array(BatchOp).min(1).max(256) });
export type Batch = z.infer<typeof Batch>;

export const Lease = z.object({ key: ExecutionKey, instance: InstanceId, leaseUntil: UnixMs });
export type Lease = z.infer<typeof Lease>;

/** The answer to the op at the same place in the batch. A refusal never fails its neighbours. */
export const BatchResult = z.discriminatedUnion('result', [
  z.object({
    result: z.literal('created'),
    runId: RunId,
    /** False when the idempotency key or the run id was known. */ fresh: z.boolean(),
    /** It waits for a place. */ queued: z.boolean().optional(),
    /** Of the owner that the create named, when this create made the run and it has a turn. */
    epoch: z.number().int().positive().optional(),
  }),
  z.object({
    result: z.literal('acquired'),
    epoch: z.number().int().positive(),
    status: RunStatus,
    workflowDigest: Digest,
    checkpoint: Checkpoint.nullable(),
    /** Events after the checkpoint (all, when there is none), in order. */
    events: z.array(StoredEvent),
    inbox: z.array(InboxRow),
    /** What agents last said of this run's slow executions. */
    leases: z.array(Lease),
  }),
  z.object({
    result: z.literal('appended'),
    /** Number of the last event of the run. */
    seq: z.number().int().nonnegative(),
    /** Rows that are unread after this append. When a park leaves some, the owner goes on instead. */
    inbox: z.array(InboxRow),
    parked: z.boolean(),
  }),
  z.object({
    result: z.literal('refused'),
    code: z.enum([
      'stale_epoch',
      'unread',
      'not_found',
      'conflict',
      'idempotency_key_reused',
      'invalid_request',
      'run_ended',
      /** Nothing was written (a lock, a restart); the same op may be sent again. */
      'unavailable',
      'internal',
    ]),
    message: z.string(),
  }),
]);
export type BatchResult = z.infer<typeof BatchResult>;
export const BatchReply = z.object({ results: z.array(BatchResult) });
export type BatchReply = z.infer<typeof BatchReply>;

export const DueRequest = z.object({
  limit: z.number().int().min(1).max(1000),
  leaseMs: z.number().int().min(100).max(600_000),
  waitMs: z.number().int().min(0).max(60_000),
});
/** `lease` counts how often the run was handed out; with the run id it names the job. */
export const DueRun = z.object({
  runId: RunId,
  lease: z.number().int().positive(),
  priority: z.number().int(),
});
export type DueRun = z.infer<typeof DueRun>;
export const DueReply = z.object({ runs: z.array(DueRun) });

export const RecoverRequest = z.object({ owner: z.string().min(1).max(120) });
export const RecoverReply = z.object({ runs: z.number().int().nonnegative() });

export const RunRecord = RunListItem.extend({
  projectId: z.string(),
  workflowDigest: Digest,
  repository: RunRepository.nullable(),
  lastSeq: z.number().int().nonnegative(),
  turnFailures: z.number().int().nonnegative(),
  lastTurnError: z.string().nullable(),
});
export type RunRecord = z.infer<typeof RunRecord>;

export const RunQuery = z.object({
  projectId: z.string().optional(),
  status: RunStatus.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  /** Opaque; from the page before. Newest runs come first. */
  cursor: z.string().max(200).optional(),
});
export type RunQuery = z.infer<typeof RunQuery>;
export const RunPage = z.object({ items: z.array(RunRecord), nextCursor: z.string().nullable() });

export const Progress = z.object({ step: StepId, key: ExecutionKey, message: z.string().max(300) });
export type Progress = z.infer<typeof Progress>;
export const EventQuery = z.object({
  after: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(1000).default(500),
  /** How long to wait for something new when there is nothing yet, ms. */
  waitMs: z.coerce.number().int().min(0).max(30_000).default(0),
});
export type EventQuery = z.input<typeof EventQuery>;
export const EventPage = z.object({
  events: z.array(StoredEvent),
  /** What slow executions are doing now; not durable. */
  progress: z.array(Progress),
  ended: z.boolean(),
});
export type EventPage = z.infer<typeof EventPage>;

export const InboxPost = z.object({ dedupeKey: z.string().min(1).max(300), message: InboxMessage });
export type InboxPost = z.infer<typeof InboxPost>;
/** `accepted` is false for a row that was there already, and for a run that has ended. */
export const InboxPosted = z.object({ accepted: z.boolean(), ended: z.boolean() });
export type InboxPosted = z.infer<typeof InboxPosted>;

export const TurnFailure = z.object({ epoch: z.number().int().positive().nullable(), error: z.string().max(4000) });
export const TurnFailureReply = z.object({ failures: z.number().int().positive(), stuck: z.boolean() });

export const ClaimRequest = z.object({
  key: ExecutionKey,
  instance: InstanceId,
  leaseMs: z.number().int().min(100).max(600_000),
});
export type ClaimRequest = z.infer<typeof ClaimRequest>;
export const ClaimReply = z.discriminatedUnion('claim', [
  /** Act. */
  z.object({ claim: z.literal('granted') }),
  /** Done before: answer this. */
  z.object({ claim: z.literal('done'), outcome: Outcome }),
  /** Another instance vouches for it still. */
  z.object({ claim: z.literal('held'), retryAfterMs: z.number().int().nonnegative() }),
  /** Another instance claimed it and its lease lapsed: what it did is unknown. The claim is now the caller's. */
  z.object({ claim: z.literal('lapsed') }),
]);
export type ClaimReply = z.infer<typeof ClaimReply>;
/** Puts the outcome on record; refused with `conflict` for an instance whose claim was taken over. */
export const ClaimResult = z.object({ key: ExecutionKey, instance: InstanceId, outcome: Outcome });
export type ClaimResult = z.infer<typeof ClaimResult>;

export const Heartbeats = z.object({
  instance: InstanceId,
  leaseMs: z.number().int().min(100).max(600_000),
  executions: z
    .array(z.object({ key: ExecutionKey, progress: z.string().max(300).nullable() }))
    .min(1)
    .max(1000),
});
export type Heartbeats = z.infer<typeof Heartbeats>;
/** Keys of runs that have ended: whoever still works on them may stop. */
export const HeartbeatsReply = z.object({ ended: z.array(ExecutionKey) });

/** The instances of all agents that are there, told by one who reached every agent. */
export const OrphansRequest = z.object({ present: z.array(InstanceId).max(1000) });
export type OrphansRequest = z.infer<typeof OrphansRequest>;

export const ArtifactStored = z.object({ digest: Digest, size: z.number().int().nonnegative() });
export const ArtifactPage = z.object({
  items: z.array(ArtifactRef.extend({ step: StepId, iteration: z.number().int().positive() })),
});

/** `hash` is the SHA-256 of the key; the key itself is never stored and never sent here. */
export const ApiKeyCreate = z.object({
  projectId: z.string().min(1).max(64),
  name: z.string().min(1).max(100),
  hash: Digest,
});
export const ApiKeyRecord = z.object({ id: z.string(), projectId: z.string(), name: z.string(), createdAt: Timestamp });
export type ApiKeyRecord = z.infer<typeof ApiKeyRecord>;
export const ApiKeyVerify = z.object({ hash: Digest });
