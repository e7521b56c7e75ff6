import type { ApprovalRef, ApprovalRequest } from '@devmesh/contracts/approval';
import type { ForkOrigin, RunEvent } from '@devmesh/contracts/event';
import type { ReworkNote } from '@devmesh/contracts/event';
import type { Digest, ExecutionKey, InstanceId, RunId, StepId, UnixMs } from '@devmesh/contracts/ids';
import type { Json, JsonObject } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { RunRepository, RunVerdict } from '@devmesh/contracts/run';
import type { BranchEvent } from '@devmesh/contracts/workflow';

/**
 * `fanned`: its items are under way as steps of their own. `awaiting`: a person is to decide. `deciding` lives only inside one
 * `advance`: its outcome is known, what follows is not yet.
 */
export type StepPhase =
  | 'pending'
  | 'running'
  | 'fanned'
  | 'awaiting'
  | 'deciding'
  | 'retrying'
  | 'succeeded'
  | 'rejected'
  | 'failed'
  | 'skipped'
  | 'cancelled';

export interface StepState {
  readonly phase: StepPhase;
  readonly iteration: number;
  readonly attempt: number;
  /** The current execution; null unless running or deciding. */
  readonly key: ExecutionKey | null;
  readonly instance: InstanceId | null;
  /** Kept while running, so that the same request can be sent again. */
  readonly input: JsonObject | null;
  readonly deadlineAt: UnixMs | null;
  readonly notBefore: UnixMs | null;
  /** Of this iteration. */
  readonly startedAt: UnixMs | null;
  readonly endedAt: UnixMs | null;
  /** Of the last attempt of this iteration. */
  readonly outcome: Outcome | null;
  /** Why the outcome is the declared fallback; only when it is. */
  readonly fallback?: string | undefined;
  /** Goto targets of the branches that this iteration took. */
  readonly taken: readonly { readonly on: BranchEvent; readonly target: StepId }[];
  /** Why this iteration is done again. */
  readonly rework: ReworkNote | null;
  /** While awaiting: what was asked. */
  readonly approval: ApprovalRequest | null;
  /** While running: the consent that it acts on. */
  readonly consent: ApprovalRef | null;
  /** Of a fan-out that has begun: its items. */
  readonly items: readonly Json[] | null;
}

/** An execution that no longer counts, to be stopped at its agent. */
export interface StoppingExecution {
  readonly key: ExecutionKey;
  readonly instance: InstanceId | null;
  /** After this it is over by itself. */
  readonly deadlineAt: UnixMs;
}

/** An iteration that took effect, or may have, and what its undo gets. */
export interface UndoEntry {
  readonly step: StepId;
  readonly iteration: number;
  readonly input: JsonObject;
}

/** The fold of a run's events. JSON, so that a checkpoint is its text. */
export interface RunState {
  readonly v: 2;
  readonly runId: RunId;
  readonly createdAt: UnixMs;
  readonly task: string;
  readonly repository: RunRepository | null;
  readonly traceparent: string | null;
  readonly workflowDigest: Digest;
  /** When the run's time is up, Unix ms. */
  readonly deadlineAt: UnixMs | null;
  readonly forkOf: ForkOrigin | null;
  readonly overrides: Readonly<Record<StepId, JsonObject>>;
  /** Static steps, and those that came about: items of fan-outs, undos. */
  readonly steps: Readonly<Record<StepId, StepState>>;
  /** How often each loop has sent work back since it was entered, by loop id. */
  readonly rounds: Readonly<Record<string, number>>;
  readonly stopping: readonly StoppingExecution[];
  readonly cancel: { readonly by: string; readonly reason: string } | null;
  readonly paused: { readonly by: string; readonly reason: string } | null;
  readonly timedOut: boolean;
  /** What an abort takes back, and what a rework does, each in the order of completion: the last first. */
  readonly undoable: readonly UndoEntry[];
  readonly undoDue: readonly UndoEntry[];
  /** The undo that was started last. */
  readonly undoing: UndoEntry | null;
  /** The step whose branch said `fail`. */
  readonly failedBy: StepId | null;
  readonly notifications: readonly { readonly step: StepId; readonly message: string }[];
  readonly ended: { readonly verdict: RunVerdict; readonly reason: string; readonly at: UnixMs } | null;
}

export const FRESH_STEP: StepState = {
  phase: 'pending',
  iteration: 1,
  attempt: 1,
  key: null,
  instance: null,
  input: null,
  deadlineAt: null,
  notBefore: null,
  startedAt: null,
  endedAt: null,
  outcome: null,
  taken: [],
  rework: null,
  approval: null,
  consent: null,
  items: null,
};

/** Allowed transitions of a step, by event: docs/engine.md section 3 as data. */
export const STEP_TRANSITIONS = {
  StepScheduled: { from: ['pending', 'retrying'], to: ['running'] },
  StepReassigned: { from: ['running'], to: ['running'] },
  StepCompleted: { from: ['running'], to: ['deciding'] },
  StepResolved: { from: ['pending', 'fanned'], to: ['deciding'] },
  FanOutStarted: { from: ['pending'], to: ['fanned'] },
  ApprovalRequested: { from: ['pending', 'deciding'], to: ['awaiting'] },
  ApprovalReminded: { from: ['awaiting'], to: ['awaiting'] },
  ApprovalDecided: { from: ['awaiting'], to: ['deciding'] },
  ApprovalExpired: { from: ['awaiting'], to: ['deciding'] },
  RetryScheduled: { from: ['deciding'], to: ['retrying'] },
  FallbackUsed: { from: ['deciding'], to: ['deciding'] },
  BranchTaken: { from: ['deciding'], to: ['deciding'] },
  StepSettled: { from: ['deciding'], to: ['succeeded', 'failed', 'rejected'] },
  StepSkipped: { from: ['pending'], to: ['skipped'] },
  StepCancelled: { from: ['pending', 'running', 'fanned', 'awaiting', 'retrying', 'deciding'], to: ['cancelled'] },
} as const satisfies Partial<Record<RunEvent['type'], { from: readonly StepPhase[]; to: readonly StepPhase[] }>>;

const SETTLED: ReadonlySet<StepPhase> = new Set(['succeeded', 'rejected', 'failed', 'skipped', 'cancelled']);

/** Whether nothing more happens to this iteration of the step. */
export function isSettled(step: StepState): boolean {
  return SETTLED.has(step.phase);
}

/** Whether the run is coming to its end before its work is done: nothing but undos is started any more. */
export function isAborting(state: RunState): boolean {
  return state.cancel !== null || state.failedBy !== null || state.timedOut;
}

/** A checkpoint as it was stored, however long ago: members that came later get what they would have been. */
export function readCheckpoint(stored: JsonObject): RunState {
  const state = stored as unknown as RunState;
  if (state.v === 2) return state;
  const steps = Object.entries(state.steps).map(([id, step]) => [id, { ...FRESH_STEP, ...step }] as const);
  return {
    ...EMPTY_RUN,
    ...(state as RunState),
    v: 2,
    steps: Object.fromEntries(steps),
  };
}

/** What a run has at its beginning, whatever it is about. */
export const EMPTY_RUN = {
  workflowDigest: '',
  deadlineAt: null,
  forkOf: null,
  overrides: {},
  rounds: {},
  stopping: [],
  cancel: null,
  paused: null,
  timedOut: false,
  undoable: [],
  undoDue: [],
  undoing: null,
  failedBy: null,
  notifications: [],
  ended: null,
} as const satisfies Partial<RunState>;
