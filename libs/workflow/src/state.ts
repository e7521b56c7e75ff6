import type { RunEvent } from '@devmesh/contracts/event';
import type { ReworkNote } from '@devmesh/contracts/event';
import type { ExecutionKey, InstanceId, RunId, StepId, UnixMs } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { RunRepository, RunVerdict } from '@devmesh/contracts/run';
import type { BranchEvent } from '@devmesh/contracts/workflow';

/** `deciding` lives only inside one `advance`: its outcome is known, what follows is not yet. */
export type StepPhase =
  'pending' | 'running' | 'deciding' | 'retrying' | 'succeeded' | 'rejected' | 'failed' | 'skipped' | 'cancelled';

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
  /** Goto targets of the branches that this iteration took. */
  readonly taken: readonly { readonly on: BranchEvent; readonly target: StepId }[];
  /** Why this iteration is done again. */
  readonly rework: ReworkNote | null;
}

/** An execution that no longer counts, to be stopped at its agent. */
export interface StoppingExecution {
  readonly key: ExecutionKey;
  readonly instance: InstanceId | null;
  /** After this it is over by itself. */
  readonly deadlineAt: UnixMs;
}

/** The fold of a run's events. JSON, so that a checkpoint is its text. */
export interface RunState {
  readonly v: 1;
  readonly runId: RunId;
  readonly createdAt: UnixMs;
  readonly task: string;
  readonly repository: RunRepository | null;
  readonly traceparent: string | null;
  readonly steps: Readonly<Record<StepId, StepState>>;
  /** How often each loop has sent work back since it was entered, by loop id. */
  readonly rounds: Readonly<Record<string, number>>;
  readonly stopping: readonly StoppingExecution[];
  readonly cancel: { readonly by: string; readonly reason: string } | null;
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
};

/** Allowed transitions of a step, by event: docs/engine.md section 3 as data. */
export const STEP_TRANSITIONS = {
  StepScheduled: { from: ['pending', 'retrying'], to: ['running'] },
  StepReassigned: { from: ['running'], to: ['running'] },
  StepCompleted: { from: ['running'], to: ['deciding'] },
  RetryScheduled: { from: ['deciding'], to: ['retrying'] },
  BranchTaken: { from: ['deciding'], to: ['deciding'] },
  StepSettled: { from: ['deciding'], to: ['succeeded', 'failed', 'rejected'] },
  StepSkipped: { from: ['pending'], to: ['skipped'] },
  StepCancelled: { from: ['pending', 'running', 'retrying', 'deciding'], to: ['cancelled'] },
} as const satisfies Partial<Record<RunEvent['type'], { from: readonly StepPhase[]; to: readonly StepPhase[] }>>;

const SETTLED: ReadonlySet<StepPhase> = new Set(['succeeded', 'rejected', 'failed', 'skipped', 'cancelled']);

/** Whether nothing more happens to this iteration of the step. */
export function isSettled(step: StepState): boolean {
  return SETTLED.has(step.phase);
}
