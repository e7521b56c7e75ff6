import type { ExecutionRequest } from '@devmesh/contracts/execution';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import type { ExecutionKey, InstanceId, RunId, UnixMs } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { DispatchAnswer } from '../ports.js';

/** What an execution comes to, and how long its body takes, ms. Deterministic by key. */
export type Script = (request: ExecutionRequest) => { readonly outcome: Outcome; readonly takesMs: number };

interface Execution {
  readonly request: ExecutionRequest;
  readonly doneAt: UnixMs;
  readonly outcome: Outcome;
  /** Someone was told "accepted", so the outcome goes to the inbox. */
  accepted: boolean;
  posted: boolean;
}

/** What agents promise. Off only to show that the checks see it. */
export interface AgentHabits {
  /** A key that is known is joined, not run again. */
  readonly joins: boolean;
  /** A key that was acknowledged is never run again. */
  readonly remembers: boolean;
  /** Nothing is started after its not-after time, and what runs ends then. */
  readonly keepsTime: boolean;
}

export const GOOD_HABITS: AgentHabits = { joins: true, remembers: true, keepsTime: true };

/** One incarnation of an agent: section 4 of the architecture in memory. */
export class SimAgent {
  readonly executions = new Map<ExecutionKey, Execution>();
  private readonly tombstones = new Set<ExecutionKey>();
  private readonly epochs = new Map<RunId, number>();

  constructor(
    readonly instance: InstanceId,
    private readonly script: Script,
    private readonly onBody: (key: ExecutionKey, instance: InstanceId, outcome: Outcome) => void,
    private readonly habits: AgentHabits,
  ) {}

  /** Takes a request; gives a poll for the answer. */
  execute(
    request: ExecutionRequest,
    waitUntil: UnixMs,
    clock: () => UnixMs,
  ): () => { readonly value: DispatchAnswer } | undefined {
    const refusal = this.refuse(request, clock());
    if (refusal) return () => ({ value: refusal });
    for (const key of request.acknowledge) {
      if (key === request.key) continue;
      this.executions.delete(key);
      if (this.habits.remembers) this.tombstones.add(key);
    }
    let execution = this.habits.joins ? this.executions.get(request.key) : undefined;
    if (!execution) {
      const { outcome, takesMs } = this.script(request);
      this.onBody(request.key, this.instance, outcome);
      const doneAt = clock() + takesMs;
      const inTime = doneAt < request.notAfter || !this.habits.keepsTime;
      execution = {
        request,
        doneAt: inTime ? doneAt : request.notAfter,
        outcome: inTime ? outcome : { kind: 'timed_out' },
        accepted: false,
        posted: false,
      };
      this.executions.set(request.key, execution);
    }
    const joined = execution;
    return () => {
      const now = clock();
      if (this.tombstones.has(request.key)) return { value: { kind: 'outcome', outcome: { kind: 'cancelled' } } };
      if (joined.doneAt <= now) return { value: { kind: 'outcome', outcome: joined.outcome } };
      if (now < waitUntil) return undefined;
      joined.accepted = true;
      return { value: { kind: 'accepted', leaseUntil: now + EXECUTION_LEASE_MS } };
    };
  }

  cancel(key: ExecutionKey): void {
    this.tombstones.add(key);
    this.executions.delete(key);
  }

  /** Outcomes that have to go to an inbox. */
  unreported(now: UnixMs): Execution[] {
    return [...this.executions.values()].filter(
      (execution) => execution.accepted && !execution.posted && execution.doneAt <= now,
    );
  }

  isAtWork(key: ExecutionKey, now: UnixMs): boolean {
    return (this.executions.get(key)?.doneAt ?? 0) > now;
  }

  /** Executions under way, for heartbeats. */
  running(now: UnixMs): ExecutionKey[] {
    return [...this.executions.values()]
      .filter((execution) => execution.accepted && execution.doneAt > now)
      .map(({ request }) => request.key);
  }

  nextDone(now: UnixMs): UnixMs | null {
    const times = [...this.executions.values()].map(({ doneAt }) => doneAt).filter((time) => time > now);
    return times.length === 0 ? null : Math.min(...times);
  }

  private refuse(request: ExecutionRequest, now: UnixMs): DispatchAnswer | undefined {
    const runId = request.key.slice(0, 36);
    const seen = this.epochs.get(runId) ?? 0;
    if (request.epoch < seen) return { kind: 'stale' };
    this.epochs.set(runId, request.epoch);
    if (request.instance !== this.instance) return { kind: 'gone' };
    if (this.tombstones.has(request.key)) return { kind: 'outcome', outcome: { kind: 'cancelled' } };
    if (this.habits.keepsTime && request.notAfter <= now && !this.executions.has(request.key))
      return { kind: 'outcome', outcome: { kind: 'timed_out' } };
    return undefined;
  }
}
