import type { RunEvent } from '@devmesh/contracts/event';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { RunState } from '@devmesh/workflow/state';
import type { Specification } from './specification.js';

function outcomeBefore(before: RunState, event: RunEvent): Outcome | null {
  const id = event.type === 'ReworkStarted' ? event.by : 'step' in event ? event.step : undefined;
  const step = id === undefined ? undefined : before.steps[id];
  return step?.phase === 'deciding' ? step.outcome : null;
}

function isRetryable(outcome: Outcome): boolean {
  return outcome.kind === 'timed_out' || (outcome.kind === 'failed' && outcome.error.retryable);
}

/** When a row of "Outcomes and what follows" was gone through, by the row's first four cells. */
export const OUTCOME_ROWS: Readonly<Record<string, (outcome: Outcome, event: RunEvent) => boolean>> = {
  'succeeded | - | no, or approved | -': (_, event) => event.type === 'StepSettled' && event.as === 'succeeded',
  'succeeded, rejected | - | yes | rework, rounds left': (outcome, event) =>
    event.type === 'ReworkStarted' && event.on === 'rejection' && outcome.kind === 'succeeded',
  'succeeded, rejected | - | yes | other, or rounds used up': (_, event) =>
    event.type === 'StepSettled' && event.as === 'rejected',
  'failed, retryable | yes | - | -': ({ kind }, event) => event.type === 'RetryScheduled' && kind === 'failed',
  'timed out | yes | - | -': ({ kind }, event) => event.type === 'RetryScheduled' && kind === 'timed_out',
  'failed, retryable / timed out | no | - | rework on failure, rounds left': (outcome, event) =>
    event.type === 'ReworkStarted' && event.on === 'failure' && isRetryable(outcome),
  'lost, `on_lost: ask` | - | - | -': ({ kind }, event) => event.type === 'ApprovalRequested' && kind === 'lost',
  'failed, not retryable; lost; cancelled by the agent | - | - | rework on failure, rounds left': (outcome, event) =>
    event.type === 'ReworkStarted' && event.on === 'failure' && !isRetryable(outcome),
  'any failure | no | - | other or none, with a fallback': (_, event) => event.type === 'FallbackUsed',
  'any failure | no | - | other or none': (_, event) => event.type === 'StepSettled' && event.as === 'failed',
};

/** Which transitions of docs/engine.md were gone through, and how often. */
export class Coverage {
  private readonly hits = new Map<string, number>();

  constructor(private readonly specification: Specification) {}

  /** An event was put on record. */
  readonly folded = (before: RunState | null, event: RunEvent, after: RunState): void => {
    this.hit(`event ${event.type}`);
    if (before === null) this.hit(`step [*] -> pending by ${event.type}`);
    else if (before.steps !== after.steps) this.steps(before, event, after);
    const outcome = before === null ? null : outcomeBefore(before, event);
    if (outcome === null) return;
    for (const [row, isRow] of Object.entries(OUTCOME_ROWS)) if (isRow(outcome, event)) this.hit(`outcome ${row}`);
  };

  private steps(before: RunState, event: RunEvent, after: RunState): void {
    const reset = event.type === 'ReworkStarted' ? new Set(event.reset.map(({ step }) => step)) : undefined;
    for (const [id, step] of Object.entries(after.steps)) {
      const from = before.steps[id];
      if (!from || (from === step && !reset?.has(id))) continue;
      this.hit(`step ${from.phase} -> ${step.phase} by ${event.type}`);
    }
  }

  private hit(name: string): void {
    this.hits.set(name, (this.hits.get(name) ?? 0) + 1);
  }

  /** Takes in what another part of the exploration went through. */
  add(other: Readonly<Record<string, number>>): void {
    for (const [name, times] of Object.entries(other)) this.hits.set(name, (this.hits.get(name) ?? 0) + times);
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.hits);
  }

  report(): { readonly all: number; readonly hit: number; readonly missed: readonly string[] } {
    const { transitions } = this.specification;
    const missed = transitions.filter((name) => !this.hits.has(name));
    return { all: transitions.length, hit: transitions.length - missed.length, missed };
  }
}
