import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { ExecutionRequest } from '@devmesh/contracts/execution';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import type { AgentName, ExecutionKey, InstanceId, RunId, UnixMs } from '@devmesh/contracts/ids';
import type { DispatchAnswer } from '../ports.js';
import type { Pending } from './network.js';
import type { Script, SimExecution } from './sim-execution.js';
import { actOnce, type ActorHabits, type ActorWorld, GOOD_ACTOR } from './sim-actor.js';

/** What agents promise. Off only to show that the checks see it. */
export interface AgentHabits extends ActorHabits {
  /** A key that is known is joined, not run again. */
  readonly joins: boolean;
  /** A key that was acknowledged is never run again. */
  readonly remembers: boolean;
  /** Nothing is started after its not-after time, and what runs ends then. */
  readonly keepsTime: boolean;
  /** Owners that have been succeeded are refused. */
  readonly fences: boolean;
}

export const GOOD_HABITS: AgentHabits = { joins: true, remembers: true, keepsTime: true, fences: true, ...GOOD_ACTOR };

/** What agents of the simulated mesh have around them. */
export interface AgentWorld extends ActorWorld {
  readonly script: Script;
  readonly catalogue: ActionCatalogue;
}

/** One incarnation of an agent: section 4 of the architecture in memory. */
export class SimAgent {
  readonly executions = new Map<ExecutionKey, SimExecution>();
  private readonly tombstones = new Set<ExecutionKey>();
  private readonly epochs = new Map<RunId, number>();

  constructor(
    readonly name: AgentName,
    readonly instance: InstanceId,
    private readonly world: AgentWorld,
    private readonly habits: AgentHabits,
  ) {}

  /** Takes a request. Whoever goes away while it waits is told through the inbox. */
  execute(request: ExecutionRequest, waitUntil: UnixMs): Required<Pending<DispatchAnswer>> {
    const { now } = this.world;
    const refusal = this.refuse(request, now());
    if (refusal) return { poll: () => ({ value: refusal }), gone: () => undefined };
    for (const key of request.acknowledge) {
      if (key === request.key) continue;
      this.executions.delete(key);
      if (this.habits.remembers) this.tombstones.add(key);
    }
    const joined = (this.habits.joins ? this.executions.get(request.key) : undefined) ?? this.start(request);
    const poll = (): { value: DispatchAnswer } | undefined => {
      if (joined.refusal) return { value: joined.refusal };
      if (this.tombstones.has(request.key)) return { value: { kind: 'outcome', outcome: { kind: 'cancelled' } } };
      if (joined.outcome && joined.doneAt !== null && joined.doneAt <= now())
        return { value: { kind: 'outcome', outcome: joined.outcome } };
      if (now() < waitUntil) return undefined;
      joined.accepted = true;
      return { value: { kind: 'accepted', leaseUntil: now() + EXECUTION_LEASE_MS } };
    };
    const gone = (): void => {
      joined.accepted = true;
    };
    return { poll, gone };
  }

  /** True when it is over or will never start; false while it acts on. */
  cancel(key: ExecutionKey): boolean {
    this.tombstones.add(key);
    const execution = this.executions.get(key);
    if (execution?.doneAt === null) {
      execution.stopped = true;
      return false;
    }
    this.executions.delete(key);
    return true;
  }

  /** Outcomes that have to go to an inbox. */
  unreported(now: UnixMs): SimExecution[] {
    const found: SimExecution[] = [];
    for (const execution of this.executions.values()) {
      if (execution.accepted && !execution.posted && execution.doneAt !== null && execution.doneAt <= now)
        if (execution.outcome?.kind !== 'cancelled') found.push(execution);
    }
    return found;
  }

  isAtWork(key: ExecutionKey, now: UnixMs): boolean {
    const execution = this.executions.get(key);
    return execution !== undefined && (execution.doneAt ?? Infinity) > now;
  }

  /** Executions under way, for heartbeats. */
  running(now: UnixMs): ExecutionKey[] {
    const keys: ExecutionKey[] = [];
    for (const { request, accepted, doneAt } of this.executions.values())
      if (accepted && (doneAt ?? Infinity) > now) keys.push(request.key);
    return keys;
  }

  nextDone(now: UnixMs): UnixMs | null {
    let next: UnixMs | null = null;
    for (const { doneAt } of this.executions.values())
      if (doneAt !== null && doneAt > now && (next === null || doneAt < next)) next = doneAt;
    return next;
  }

  private start(request: ExecutionRequest): SimExecution {
    const { script, catalogue, now } = this.world;
    const { outcome, takesMs } = script(request);
    const execution: SimExecution = {
      request,
      doneAt: null,
      outcome: null,
      refusal: null,
      accepted: false,
      posted: false,
      stopped: false,
    };
    this.executions.set(request.key, execution);
    const contract = catalogue.get(request.action);
    if (contract && contract.effects !== 'none') {
      void actOnce(this.world, this.habits, this.instance, contract, execution, { outcome, takesMs }).then(
        (refusal) => {
          execution.refusal = refusal;
          // Nothing of it is known under this key.
          if (refusal) this.executions.delete(request.key);
          else execution.doneAt = now();
        },
      );
      return execution;
    }
    const doneAt = now() + takesMs;
    const inTime = doneAt < request.notAfter || !this.habits.keepsTime;
    execution.doneAt = inTime ? doneAt : request.notAfter;
    execution.outcome = inTime ? outcome : { kind: 'timed_out' };
    this.world.witness.body(request.key, this.instance, false);
    this.world.witness.said(request.key, outcome);
    return execution;
  }

  private refuse(request: ExecutionRequest, now: UnixMs): DispatchAnswer | undefined {
    const runId = request.key.slice(0, 36);
    const seen = this.epochs.get(runId) ?? 0;
    if (request.instance !== this.instance) return { kind: 'gone' };
    if (this.habits.fences && request.epoch < seen) return { kind: 'stale' };
    this.epochs.set(runId, Math.max(seen, request.epoch));
    if (this.tombstones.has(request.key)) return { kind: 'outcome', outcome: { kind: 'cancelled' } };
    if (this.habits.keepsTime && request.notAfter <= now && !this.executions.has(request.key))
      return { kind: 'outcome', outcome: { kind: 'timed_out' } };
    return undefined;
  }
}
