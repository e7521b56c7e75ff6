import { z } from 'zod';
import { Verdict } from './action.js';
import { ApprovalRef, ApprovalRequest } from './approval.js';
import { ActionId, ExecutionKey, InstanceId, RunId, StepId, Timestamp, UnixMs } from './ids.js';
import { Json, JsonObject } from './json.js';
import { Outcome } from './outcome.js';
import { RunRepository, RunVerdict } from './run.js';
import { Branch, BranchEvent, WorkflowRef } from './workflow.js';

const Iteration = z.number().int().positive();
const Attempt = z.number().int().positive();

/** Why a step is done again; handed to the agent beside the input. */
export const ReworkNote = z.object({ from: StepId, output: JsonObject });
export type ReworkNote = z.infer<typeof ReworkNote>;

/** How the steps of a fork's source stood when it was forked: nothing of them is done again. */
export const InheritedStep = z.object({
  step: StepId,
  iteration: Iteration,
  attempt: Attempt,
  as: z.enum(['succeeded', 'failed', 'rejected', 'skipped', 'cancelled']),
  outcome: Outcome.nullable(),
  /** Why its outcome is the declared fallback, when it is. */
  fallback: z.string().max(1000).optional(),
  taken: z.array(z.object({ on: BranchEvent, target: StepId })),
  /** Of a fan-out: its items. */
  items: z.array(Json).nullable(),
  startedAt: UnixMs.nullable(),
  endedAt: UnixMs.nullable(),
});
export type InheritedStep = z.infer<typeof InheritedStep>;

/**
 * Where a run comes from that goes on from another one. `retry`: what had failed is done again; `rerun`: a step and all that follows;
 * `fork`: the same with another input. `at` is the source's last event that counts.
 */
export const ForkOrigin = z.object({
  runId: RunId,
  at: z.number().int().positive(),
  kind: z.enum(['retry', 'rerun', 'fork']),
  from: StepId.nullable(),
});
export type ForkOrigin = z.infer<typeof ForkOrigin>;

/** The run of another mesh that this one is a copy of: its id there, and how many of its events it has. */
export const ImportOrigin = z.object({ runId: RunId, exportedAt: Timestamp, events: z.number().int().positive() });

/** Facts about a run, decisions included. docs/engine.md tells for each what makes it and what it changes. */
export const RunEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('RunCreated'),
    at: UnixMs,
    workflow: WorkflowRef,
    task: z.string(),
    repository: RunRepository.nullable(),
    requestedBy: z.string().max(200),
    /** Why the planner chose these steps; null when the workflow was named. */
    plan: z.array(z.object({ step: StepId, because: z.string().max(500) })).nullable(),
    /** W3C trace context of the request, for links from later turns. */
    traceparent: z.string().max(100).nullable(),
    forkOf: ForkOrigin.optional(),
    imported: ImportOrigin.optional(),
    /** Members laid over the input of a step, by step. */
    overrides: z.record(StepId, JsonObject).optional(),
  }),
  z.object({
    type: z.literal('StepScheduled'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    attempt: Attempt,
    key: ExecutionKey,
    action: ActionId,
    /** Null while no instance of the agent is there. */
    instance: InstanceId.nullable(),
    input: JsonObject,
    rework: ReworkNote.nullable(),
    deadlineAt: UnixMs,
    /** The consent that it acts on. */
    approval: ApprovalRef.optional(),
  }),
  z.object({
    type: z.literal('StepReassigned'),
    at: UnixMs,
    step: StepId,
    key: ExecutionKey,
    instance: InstanceId.nullable(),
  }),
  z.object({ type: z.literal('StepCompleted'), at: UnixMs, step: StepId, key: ExecutionKey, outcome: Outcome }),
  /** Its outcome is known without an execution: a condition that cannot be told, a fan-out that is complete, a group's end. */
  z.object({
    type: z.literal('StepResolved'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    outcome: Outcome,
  }),
  z.object({
    type: z.literal('FanOutStarted'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    items: z.array(Json).min(1),
  }),
  z.object({
    type: z.literal('ApprovalRequested'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    approval: ApprovalRequest,
  }),
  z.object({
    type: z.literal('ApprovalDecided'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    approvalId: z.uuid(),
    by: z.string().max(200),
    outcome: Outcome,
  }),
  z.object({
    type: z.literal('ApprovalExpired'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    approvalId: z.uuid(),
    outcome: Outcome,
  }),
  /** People were reminded, or others were asked too (`escalated`). */
  z.object({
    type: z.literal('ApprovalReminded'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    approvalId: z.uuid(),
    escalated: z.boolean(),
  }),
  z.object({
    type: z.literal('RetryScheduled'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    attempt: Attempt,
    notBefore: UnixMs,
  }),
  /** Every attempt has failed, and the step's declared output stands for the one that it did not give. */
  z.object({
    type: z.literal('FallbackUsed'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    output: JsonObject,
    /** The failure that it stands for, in a line. */
    because: z.string().max(1000),
  }),
  z.object({
    type: z.literal('BranchTaken'),
    at: UnixMs,
    from: StepId,
    iteration: Iteration,
    on: BranchEvent,
    branch: Branch,
  }),
  z.object({
    type: z.literal('StepSettled'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    as: z.enum(['succeeded', 'failed', 'rejected']),
    verdict: Verdict.nullable(),
  }),
  z.object({
    type: z.literal('StepSkipped'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    because: z.string().max(500),
  }),
  z.object({
    type: z.literal('ReworkStarted'),
    at: UnixMs,
    by: StepId,
    on: BranchEvent,
    /** 1 for the first time that this handler sends work back (since its loop was entered). */
    round: z.number().int().positive(),
    target: StepId,
    /** The target and everything downstream of it, with their new iterations. */
    reset: z.array(z.object({ step: StepId, iteration: Iteration })).min(1),
    /** Executions in flight that no longer count, to be cancelled at their agents. */
    superseded: z.array(z.object({ key: ExecutionKey, instance: InstanceId.nullable() })),
    note: ReworkNote,
  }),
  z.object({ type: z.literal('NotificationRecorded'), at: UnixMs, step: StepId, message: z.string().max(1000) }),
  z.object({ type: z.literal('RunPaused'), at: UnixMs, by: z.string().max(200), reason: z.string().max(1000) }),
  z.object({ type: z.literal('RunResumed'), at: UnixMs, by: z.string().max(200) }),
  z.object({ type: z.literal('RunTimedOut'), at: UnixMs }),
  z.object({ type: z.literal('StepsInherited'), at: UnixMs, steps: z.array(InheritedStep).min(1) }),
  /** What an iteration of a step did is taken back, by the step `undo`. */
  z.object({
    type: z.literal('UndoStarted'),
    at: UnixMs,
    step: StepId,
    iteration: Iteration,
    undo: StepId,
    input: JsonObject,
  }),
  z.object({ type: z.literal('CancelRequested'), at: UnixMs, by: z.string().max(200), reason: z.string().max(1000) }),
  z.object({ type: z.literal('StepCancelled'), at: UnixMs, step: StepId, iteration: Iteration }),
  /** A superseded or cancelled execution is known to be over at its agent, or its deadline has passed. */
  z.object({ type: z.literal('ExecutionStopped'), at: UnixMs, key: ExecutionKey }),
  z.object({ type: z.literal('RunEnded'), at: UnixMs, verdict: RunVerdict, reason: z.string().max(1000) }),
]);
export type RunEvent = z.infer<typeof RunEvent>;
export type RunEventType = RunEvent['type'];
export type EventOf<T extends RunEventType> = Extract<RunEvent, { type: T }>;

/** An event with its number in its run, which the database gives: 1, 2, 3, … without gaps. */
export const StoredEvent = z.object({ seq: z.number().int().positive(), event: RunEvent });
export type StoredEvent = z.infer<typeof StoredEvent>;

/** What others than the owner tell a run. */
export const InboxMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('result'), key: ExecutionKey, outcome: Outcome }),
  z.object({ kind: z.literal('cancel'), by: z.string().max(200), reason: z.string().max(1000) }),
  z.object({
    kind: z.literal('verdict'),
    approvalId: z.uuid(),
    verdict: Verdict,
    by: z.string().max(200),
    comment: z.string().max(2000),
  }),
  /** Nothing new is started until the run is resumed; what is under way ends. */
  z.object({ kind: z.literal('pause'), by: z.string().max(200), reason: z.string().max(1000) }),
  z.object({ kind: z.literal('resume'), by: z.string().max(200) }),
  /** Only makes the run look again. */
  z.object({ kind: z.literal('wake') }),
]);
export type InboxMessage = z.infer<typeof InboxMessage>;

/** A row of a run's inbox. `dedupeKey` is unique in its run; a second row with it is dropped. */
export const InboxRow = z.object({ id: z.string(), dedupeKey: z.string().max(300), message: InboxMessage });
export type InboxRow = z.infer<typeof InboxRow>;
