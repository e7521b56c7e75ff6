import type { InboxRow, RunEvent } from '@devmesh/contracts/event';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import type { Verdict } from '@devmesh/contracts/action';
import type { ExecutionKey, InstanceId, RunId, UnixMs } from '@devmesh/contracts/ids';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import { DUE_LEASE_MS, type AppendOp } from '@devmesh/contracts/state-api';
import { commandsOf, nextTimer } from '@devmesh/workflow/advance';
import { apply } from '@devmesh/workflow/evolve';
import { definitionOf, type Graph } from '@devmesh/workflow/graph';
import { awaitsUndo, hasRoom, readiness, stepIds } from '@devmesh/workflow/readiness';
import { isAborting, type RunState } from '@devmesh/workflow/state';
import { isDeepStrictEqual } from 'node:util';
import { eventProblems } from './event-rules.js';
import type { Act } from './sim-remote.js';
import type { StateStore } from './state-store.js';

/** One start of an action's body. `at` counts commits and bodies on one scale: their order. */
export interface BodyRun {
  readonly key: ExecutionKey;
  readonly instance: InstanceId;
  readonly at: number;
}

/** Hears of an event that is put on record, with the state before it and after. */
export type Folded = (before: RunState | null, event: RunEvent, after: RunState) => void;

/** What the witness asks the simulated mesh. */
interface World {
  now(): UnixMs;
  /** Whether a body with this key is at work now, at an agent that lives. */
  isAtWork(key: ExecutionKey): boolean;
  readonly folded: Folded;
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
  /** What bodies gave, and what was made of it by whoever claimed for them. */
  private readonly outcomes = new Map<ExecutionKey, Outcome[]>();
  /** Verdicts that somebody was told count. */
  private readonly verdicts = new Map<string, Verdict>();
  private readonly acts = new Map<string, number>();

  constructor(
    private readonly graph: Graph,
    private readonly world: World,
  ) {}

  /** The fold of what is on record. */
  stateOf(runId: RunId): RunState | undefined {
    return this.states.get(runId);
  }

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
    if (op.checkpoint && !isDeepStrictEqual(op.checkpoint, after))
      this.note(`a checkpoint of run ${op.runId} came out as another state than what is on record`);
    const made = new Set(op.events.map(({ type }) => type));
    for (const row of rows) this.consumed(op.runId, before, after, row, made);
    if (parked) this.parked(op, after);
  }

  /** A body starts: its key is on record at this instance, and its outcome is not. */
  body(key: ExecutionKey, instance: InstanceId, once: boolean): void {
    if (once && this.bodies.some((body) => body.key === key))
      this.note(`${key} ran again, and nobody can tell what it did`);
    const on = this.scheduled.get(key);
    if (!on) this.note(`${key} ran before it was scheduled on record`);
    else if (!on.has(instance)) this.note(`${key} ran at ${instance}, which was never on record for it`);
    this.bodies.push({ key, instance, at: this.at });
  }

  /** What the execution gave, as far as anybody may be told. */
  said(key: ExecutionKey, outcome: Outcome): void {
    this.outcomes.set(key, [...(this.outcomes.get(key) ?? []), outcome]);
  }

  /** The world outside was changed: once for an intent, after its row, and with the consent that guards it. */
  acted({ key, intent, execution }: Act, store: StateStore): void {
    const name = `${key} ${intent}`;
    const times = (this.acts.get(name) ?? 0) + 1;
    this.acts.set(name, times);
    if (times > 1) this.note(`the effect ${name} happened ${times} times`);
    if (store.ledger.effectOf(key)?.execution !== execution) this.note(`the effect ${name} happened before its row`);
  }

  /** The ledger lets an execution act: it is the one that counts, its run goes on, and who guards it has consented. */
  claimed(key: ExecutionKey, store: StateStore): void {
    const { runId, step } = parseExecutionKey(key);
    const state = this.states.get(runId);
    const current = state?.steps[step];
    if (current?.phase !== 'running' || current.key !== key)
      this.note(`the effect of ${key} was claimed, and that counts no longer`);
    const guard = this.graph.steps.get(step)?.guardedBy ?? null;
    if (guard === null) return;
    const given = state?.steps[guard]?.outcome;
    const { approvalId, expiresAt } = given?.kind === 'succeeded' ? given.output : {};
    const isOpen = typeof expiresAt === 'number' && this.world.now() < expiresAt;
    if (!isOpen || typeof approvalId !== 'string' || store.ledger.approvalStatus(approvalId) !== 'approved')
      this.note(`the effect of ${key} was claimed without the consent of ${guard}`);
  }

  /** A verdict that its giver was told counts. */
  accepted(approvalId: string, verdict: Verdict): void {
    this.verdicts.set(approvalId, verdict);
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
        const after = apply(this.graph, runId, before, event);
        this.states.set(runId, after);
        this.world.folded(before, event, after);
      } catch (error) {
        this.note(error instanceof Error ? error.message : String(error));
        return;
      }
      if (before) this.holds(before, event);
    }
  }

  private holds(before: RunState, event: RunEvent): void {
    for (const problem of eventProblems(this.graph, before, event)) this.note(problem);
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
      case 'ApprovalDecided': {
        const given = this.verdicts.get(event.approvalId);
        const said =
          event.outcome.kind === 'succeeded' && event.outcome.verdict !== 'rejected' ? 'approved' : 'rejected';
        if (given !== said)
          this.note(`approval ${event.approvalId} is on record as ${said}, and ${given ?? 'nothing'} was said`);
        return;
      }
      case 'ApprovalExpired':
        if (this.verdicts.has(event.approvalId))
          this.note(`approval ${event.approvalId} expired after its verdict counted`);
        return;
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
    const given = this.outcomes.get(key) ?? [];
    if (given.length === 0) this.note(`${key} has an outcome on record, and its body never ran`);
    else if (!given.some((said) => isDeepStrictEqual(said, outcome)))
      this.note(`${key} is on record as ${outcome.kind}, which its body did not say`);
  }

  /** An append leaves no decision open that needs neither time, nor an instance, nor room, nor a person. */
  private nothingUndone(runId: RunId, state: RunState): void {
    if (state.ended) return;
    for (const id of stepIds(this.graph, state)) {
      const definition = definitionOf(this.graph, id);
      const phase = state.steps[id]?.phase;
      if (phase === 'deciding') this.note(`an append of run ${runId} leaves step ${id} deciding`);
      if (!definition || phase !== 'pending') continue;
      const ready = readiness(this.graph, state, definition);
      const isAct = definition.kind === 'action' && definition.forEach === null;
      const mayStart = state.paused === null && !awaitsUndo(this.graph, state, id);
      const waits = isAborting(state) ? false : ready === 'wait' || (ready === 'ready' && !mayStart);
      if (!waits && (isAborting(state) || !isAct || hasRoom(this.graph, state, id)))
        this.note(`an append of run ${runId} leaves step ${id} pending that need not wait`);
    }
  }

  private consumed(
    runId: RunId,
    before: RunState,
    after: RunState,
    { message }: InboxRow,
    made: ReadonlySet<RunEvent['type']>,
  ): void {
    if (message.kind === 'cancel' && !after.cancel && !after.ended) this.note(`run ${runId} read a cancel and goes on`);
    if (message.kind === 'verdict') {
      const waits = Object.values(after.steps).some(({ approval }) => approval?.id === message.approvalId);
      if (waits && !after.ended) this.note(`run ${runId} read the verdict on ${message.approvalId}, and waits for it`);
    }
    const goesOn = !after.ended && !isAborting(after);
    if (message.kind === 'pause' && goesOn && !before.paused && !made.has('RunPaused'))
      this.note(`run ${runId} read a pause and goes on`);
    if (message.kind === 'resume' && goesOn && before.paused && !made.has('RunResumed'))
      this.note(`run ${runId} read a resume and stays paused`);
    if (message.kind !== 'result') return;
    const { step } = parseExecutionKey(message.key);
    const isCurrent = (state: RunState) =>
      state.steps[step]?.phase === 'running' && state.steps[step].key === message.key;
    if (isCurrent(before) && isCurrent(after))
      this.note(`run ${runId} read the result of ${message.key}, and waits for it`);
  }

  private parked({ runId, wakeAt }: AppendOp, state: RunState): void {
    const commands = commandsOf(this.graph, state);
    const timer = nextTimer(this.graph, state);
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
