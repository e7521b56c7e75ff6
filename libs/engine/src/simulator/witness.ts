import type { InboxRow, RunEvent } from '@devmesh/contracts/event';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import type { ExecutionKey, InstanceId, RunId, UnixMs } from '@devmesh/contracts/ids';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import { DUE_LEASE_MS, type AppendOp } from '@devmesh/contracts/state-api';
import { commandsOf, nextTimer } from '@devmesh/workflow/advance';
import { readiness } from '@devmesh/workflow/decide';
import { apply } from '@devmesh/workflow/evolve';
import type { Graph } from '@devmesh/workflow/graph';
import type { RunState } from '@devmesh/workflow/state';
import { isDeepStrictEqual } from 'node:util';
import type { StateStore } from './state-store.js';

/** One start of an action's body. `at` counts commits and bodies on one scale: their order. */
export interface BodyRun {
  readonly key: ExecutionKey;
  readonly instance: InstanceId;
  readonly outcome: Outcome;
  readonly at: number;
}

/** What the witness asks the simulated mesh. */
interface World {
  now(): UnixMs;
  /** Whether a body with this key is at work now, at an agent that lives. */
  isAtWork(key: ExecutionKey): boolean;
}

/**
 * Sees every commit and every start of a body as it happens, holds each against docs/engine.md, and puts down what is broken.
 * Judges by the committed events alone: it knows nothing of what the shell had in mind.
 */
export class Witness {
  readonly violations: string[] = [];
  readonly bodies: BodyRun[] = [];
  readonly commits: { readonly key: ExecutionKey; readonly at: number }[] = [];
  private readonly states = new Map<RunId, RunState>();
  /** Instances on record for each key that was ever scheduled. */
  private readonly scheduled = new Map<ExecutionKey, Set<InstanceId>>();

  constructor(
    private readonly graph: Graph,
    private readonly world: World,
  ) {}

  /** The place of the next commit or body in their order. */
  get at(): number {
    return this.bodies.length + this.commits.length;
  }

  created(runId: RunId, events: readonly RunEvent[]): void {
    this.fold(runId, events);
  }

  /** An append that was written (not one that was known before), with the rows that it consumed. */
  appended(op: AppendOp, rows: readonly InboxRow[], parked: boolean): void {
    const before = this.states.get(op.runId);
    this.fold(op.runId, op.events);
    const after = this.states.get(op.runId);
    if (!before || !after) return;
    this.nothingUndone(op.runId, after);
    for (const row of rows) this.consumed(op.runId, before, after, row);
    if (parked) this.parked(op, after);
  }

  /** A body starts: its key is on record at this instance, and its outcome is not. */
  body(key: ExecutionKey, instance: InstanceId, outcome: Outcome): void {
    const on = this.scheduled.get(key);
    if (!on) this.note(`${key} ran before it was scheduled on record`);
    else if (!on.has(instance)) this.note(`${key} ran at ${instance}, which was never on record for it`);
    this.bodies.push({ key, instance, outcome, at: this.at });
  }

  /** I4, at any moment: every unended run has a wake time, and no unread row waits longer than a lease. */
  look(store: StateStore, runId: RunId): void {
    const row = store.look(runId);
    if (!row || row.status === 'ended') return;
    if (row.wakeAt === null) this.note(`run ${runId} has not ended and has no wake time`);
    else if (row.unread > 0 && row.turnFailures === 0 && row.wakeAt > this.world.now() + DUE_LEASE_MS)
      this.note(`run ${runId} has unread rows and sleeps`);
  }

  private note(what: string): void {
    if (!this.violations.includes(what)) this.violations.push(what);
  }

  private fold(runId: RunId, events: readonly RunEvent[]): void {
    for (const event of events) {
      const before = this.states.get(runId) ?? null;
      try {
        this.states.set(runId, apply(this.graph, runId, before, event));
      } catch (error) {
        this.note(error instanceof Error ? error.message : String(error));
        return;
      }
      if (before) this.holds(before, event);
    }
  }

  private holds(before: RunState, event: RunEvent): void {
    switch (event.type) {
      case 'StepScheduled':
        this.scheduled.set(event.key, new Set(event.instance === null ? [] : [event.instance]));
        return;
      case 'StepReassigned':
        if (event.instance !== null) this.scheduled.get(event.key)?.add(event.instance);
        return;
      case 'StepCompleted':
        this.isTrue(event.key, event.outcome, event.at >= (before.steps[event.step]?.deadlineAt ?? Infinity));
        this.commits.push({ key: event.key, at: this.at });
        return;
      case 'RetryScheduled': {
        const outcome = before.steps[event.step]?.outcome;
        const retryable = outcome?.kind === 'timed_out' || (outcome?.kind === 'failed' && outcome.error.retryable);
        if (!retryable) this.note(`step ${event.step} is tried again after ${outcome?.kind}, which is not retryable`);
        return;
      }
      case 'ExecutionStopped': {
        const entry = before.stopping.find(({ key }) => key === event.key);
        const over = entry !== undefined && entry.deadlineAt <= event.at;
        if (!over && this.world.isAtWork(event.key)) this.note(`${event.key} is on record as stopped, and is at work`);
        return;
      }
      default:
    }
  }

  /** What is on record as an outcome is what the body gave, or that its time was up. */
  private isTrue(key: ExecutionKey, outcome: Outcome, isLate: boolean): void {
    if (outcome.kind === 'timed_out') {
      if (!isLate) this.note(`${key} is on record as timed out before its deadline`);
      return;
    }
    const given = this.bodies.filter((body) => body.key === key);
    if (given.length === 0) this.note(`${key} has an outcome on record, and its body never ran`);
    else if (!given.some((body) => isDeepStrictEqual(body.outcome, outcome)))
      this.note(`${key} is on record as ${outcome.kind}, which its body did not say`);
  }

  /** An append leaves no decision open that needs neither time nor an instance. */
  private nothingUndone(runId: RunId, state: RunState): void {
    if (state.ended) return;
    for (const id of this.graph.order) {
      const definition = this.graph.steps.get(id);
      const phase = state.steps[id]?.phase;
      if (phase === 'deciding') this.note(`an append of run ${runId} leaves step ${id} deciding`);
      if (definition && phase === 'pending' && readiness(this.graph, state, definition) !== 'wait')
        this.note(`an append of run ${runId} leaves step ${id} pending that need not wait`);
    }
  }

  private consumed(runId: RunId, before: RunState, after: RunState, { message }: InboxRow): void {
    if (message.kind === 'cancel' && !after.cancel && !after.ended) this.note(`run ${runId} read a cancel and goes on`);
    if (message.kind !== 'result') return;
    const { step } = parseExecutionKey(message.key);
    const isCurrent = (state: RunState) =>
      state.steps[step]?.phase === 'running' && state.steps[step].key === message.key;
    if (isCurrent(before) && isCurrent(after))
      this.note(`run ${runId} read the result of ${message.key}, and waits for it`);
  }

  private parked({ runId, wakeAt }: AppendOp, state: RunState): void {
    const commands = commandsOf(this.graph, state);
    const timer = nextTimer(state);
    if (wakeAt === null) {
      if (!state.ended || commands.length > 0) this.note(`run ${runId} sleeps for ever with work left`);
      return;
    }
    if (timer !== null && wakeAt > Math.max(timer, this.world.now()))
      this.note(`run ${runId} sleeps past its next timer`);
    if (commands.length > 0 && wakeAt > this.world.now() + EXECUTION_LEASE_MS)
      this.note(`run ${runId} sleeps longer than an agent vouches for its executions`);
  }
}
