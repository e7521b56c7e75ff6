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

/** One start of an action's body. */
export interface BodyRun {
  readonly key: ExecutionKey;
  readonly instance: InstanceId;
  readonly at: UnixMs;
}

/** One incarnation of an agent: section 4 of the architecture in memory. */
export class SimAgent {
  readonly executions = new Map<ExecutionKey, Execution>();
  private readonly tombstones = new Set<ExecutionKey>();
  private readonly epochs = new Map<RunId, number>();

  constructor(
    readonly instance: InstanceId,
    private readonly script: Script,
    private readonly onBody: (run: BodyRun) => void,
    /** Off only to show that the checks see it. */
    private readonly joins: boolean,
  ) {}

  /** Takes a request; gives a poll for the answer. */
  execute(
    request: ExecutionRequest,
    waitUntil: UnixMs,
    clock: () => UnixMs,
  ): () => { readonly value: DispatchAnswer } | undefined {
    const refusal = this.refuse(request);
    if (refusal) return () => ({ value: refusal });
    for (const key of request.acknowledge) {
      if (key !== request.key && this.executions.delete(key)) this.tombstones.add(key);
    }
    let execution = this.joins ? this.executions.get(request.key) : undefined;
    if (!execution) {
      const { outcome, takesMs } = this.script(request);
      this.onBody({ key: request.key, instance: this.instance, at: clock() });
      execution = { request, doneAt: clock() + takesMs, outcome, accepted: false, posted: false };
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

  private refuse(request: ExecutionRequest): DispatchAnswer | undefined {
    const runId = request.key.slice(0, 36);
    const seen = this.epochs.get(runId) ?? 0;
    if (request.epoch < seen) return { kind: 'stale' };
    this.epochs.set(runId, request.epoch);
    if (request.instance !== this.instance) return { kind: 'gone' };
    if (this.tombstones.has(request.key)) return { kind: 'outcome', outcome: { kind: 'cancelled' } };
    return undefined;
  }
}
