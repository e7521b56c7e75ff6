import type { ApprovalVerdict } from '@devmesh/contracts/approval';
import type { EffectClaim, EffectClaimReply, EffectResult } from '@devmesh/contracts/effect';
import type { InboxRow, StoredEvent } from '@devmesh/contracts/event';
import type { Digest, ExecutionKey, RunId, UnixMs } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { RunStatus } from '@devmesh/contracts/run';
import {
  MAX_TURN_FAILURES,
  TURN_LEASE_MS,
  type AcquireOp,
  type AppendOp,
  type BatchOp,
  type BatchResult,
  type Checkpoint,
  type ClaimReply,
  type ClaimRequest,
  type ClaimResult,
  type CreateOp,
  type DueRun,
  type Heartbeats,
  type InboxPost,
  type InboxPosted,
  type Lease,
} from '@devmesh/contracts/state-api';
import { Ledger, type LockedRun, type VerdictAnswer } from './ledger.js';

interface RunRow {
  readonly id: RunId;
  readonly workflowDigest: Digest;
  /** Bounded runs with the same scope share their places: project and workflow. */
  readonly scope: string;
  readonly priority: number;
  cancelRequested: boolean;
  /** It holds one of the places that bounded runs of its workflow share. */
  hasPlace: boolean;
  readonly events: StoredEvent[];
  readonly inbox: (InboxRow & { read: boolean })[];
  readonly appends: Map<string, Extract<BatchResult, { result: 'appended' }>>;
  status: RunStatus;
  epoch: number;
  owner: string | null;
  inTurn: boolean;
  wakeAt: UnixMs | null;
  lease: number;
  turnFailures: number;
  checkpoint: Checkpoint | null;
}

interface ExecutionRow {
  instance: string;
  leaseUntil: UnixMs;
  /** `lapsed`: taken over from a dead holder. Told again when asked again: the answer may have been lost. */
  claim: 'none' | 'granted' | 'lapsed';
  outcome: Outcome | null;
}

type Refusal = Extract<BatchResult, { result: 'refused' }>;

function refused(code: Refusal['code'], message: string): Refusal {
  return { result: 'refused', code, message };
}

/** How long a failed turn of a run keeps it back, ms. */
function turnBackoffMs(failures: number): number {
  return failures >= MAX_TURN_FAILURES ? 300_000 : 1000 * 2 ** (failures - 1);
}

/**
 * The promises of state-persistence without its database: what `docs/engine.md` says of create, acquire, append, park, inbox, due,
 * claims and leases, in memory. The simulator runs on it, and one conformance suite holds it and the real service to the
 * same answers. Time comes from the caller.
 */
export class StateStore {
  protected readonly runs = new Map<RunId, RunRow>();
  private readonly idempotency = new Map<string, { runId: RunId; requestHash: Digest }>();
  private readonly executions = new Map<ExecutionKey, ExecutionRow>();
  /** How many places bounded runs of a scope have, as the last create said. */
  private readonly bounds = new Map<string, number>();
  /** Approvals and effects. */
  readonly ledger = new Ledger();
  private nextRow = 1;

  batch(ops: readonly BatchOp[], now: UnixMs): BatchResult[] {
    return ops.map((op) => this.apply(op, now));
  }

  apply(op: BatchOp, now: UnixMs): BatchResult {
    switch (op.op) {
      case 'create':
        return this.create(op, now);
      case 'acquire':
        return this.acquire(op, now);
      case 'append':
        return this.append(op, now);
    }
  }

  private create(op: CreateOp, now: UnixMs): BatchResult {
    if (op.idempotency) {
      const name = `${op.projectId} ${op.idempotency.key}`;
      const known = this.idempotency.get(name);
      if (known && known.requestHash !== op.idempotency.requestHash) {
        return refused('idempotency_key_reused', `the idempotency key was used for another request`);
      }
      if (known) return { result: 'created', runId: known.runId, fresh: false };
      if (!this.runs.has(op.runId))
        this.idempotency.set(name, { runId: op.runId, requestHash: op.idempotency.requestHash });
    }
    if (this.runs.has(op.runId)) return { result: 'created', runId: op.runId, fresh: false };
    const scope = `${op.projectId} ${op.workflow.name}`;
    if (op.maxConcurrent !== undefined) this.bounds.set(scope, op.maxConcurrent);
    const queued = op.maxConcurrent !== undefined && this.held(scope) >= op.maxConcurrent;
    // What was decided for a run that has to wait is decided again when it has a place.
    const events = queued
      ? op.events.filter(({ type }) => type === 'RunCreated' || type === 'StepsInherited')
      : op.events;
    // An owner has the run as by an acquire; a held or queued run has none.
    const owner = queued || op.wakeAt === null ? null : (op.owner ?? null);
    this.runs.set(op.runId, {
      id: op.runId,
      scope,
      priority: op.priority ?? 0,
      cancelRequested: false,
      hasPlace: op.maxConcurrent !== undefined && !queued,
      workflowDigest: op.workflow.digest,
      events: events.map((event, index) => ({ seq: index + 1, event })),
      inbox: [],
      appends: new Map(),
      status: queued ? 'queued' : 'running',
      epoch: owner === null ? 0 : 1,
      owner,
      inTurn: owner !== null,
      wakeAt: queued ? null : owner === null ? op.wakeAt : now + TURN_LEASE_MS,
      lease: 0,
      turnFailures: 0,
      checkpoint: null,
    });
    return {
      result: 'created',
      runId: op.runId,
      fresh: true,
      ...(queued ? { queued } : {}),
      ...(owner === null ? {} : { epoch: 1 }),
    };
  }

  private acquire(op: AcquireOp, now: UnixMs): BatchResult {
    const run = this.runs.get(op.runId);
    if (!run) return refused('not_found', `there is no run ${op.runId}`);
    run.epoch++;
    run.owner = op.owner;
    // From here on an inbox row leaves the wake time alone, so it must be near. An ended run that nobody need look at stays so.
    run.inTurn = run.wakeAt !== null || run.status !== 'ended';
    if (run.inTurn) run.wakeAt = now + TURN_LEASE_MS;
    const after = run.checkpoint?.seq ?? 0;
    return {
      result: 'acquired',
      epoch: run.epoch,
      status: run.status,
      workflowDigest: run.workflowDigest,
      checkpoint: run.checkpoint,
      events: run.events.filter((event) => event.seq > after),
      inbox: this.unread(run),
      leases: this.leasesOf(run.id),
    };
  }

  private append(op: AppendOp, now: UnixMs): BatchResult {
    const run = this.runs.get(op.runId);
    if (!run) return refused('not_found', `there is no run ${op.runId}`);
    const before = run.appends.get(op.appendId);
    if (before) return { ...before, inbox: this.unread(run) };
    if (op.epoch !== run.epoch)
      return refused('stale_epoch', `epoch ${op.epoch} of run ${op.runId} is over; it is at ${run.epoch}`);
    if (op.ended && run.status === 'ended') return refused('run_ended', `run ${op.runId} has ended already`);
    if (op.ifRead && run.inbox.some((row) => !row.read && !op.consume.includes(row.id)))
      return refused('unread', `run ${op.runId} has unread rows; read them first`);
    const ends = op.ended !== null || run.status === 'ended';
    if (op.wakeAt === null && !ends)
      return refused('invalid_request', `run ${op.runId} has not ended, so it needs a wakeAt`);
    for (const event of op.events) run.events.push({ seq: run.events.length + 1, event });
    if (op.checkpoint) run.checkpoint = { seq: run.events.length, state: op.checkpoint };
    for (const row of run.inbox) if (op.consume.includes(row.id)) row.read = true;
    this.ledger.append(op);
    if (op.ended) this.end(run, now);
    else if (op.paused !== undefined && run.status !== 'ended') run.status = op.paused ? 'paused' : 'running';
    else if (run.status === 'stuck' || run.status === 'queued') run.status = 'running';
    run.turnFailures = 0;
    const inbox = this.unread(run);
    const parked = op.park && inbox.length === 0;
    run.inTurn = !parked;
    const latest = now + TURN_LEASE_MS;
    if (parked || (ends && !op.park)) run.wakeAt = op.wakeAt;
    else run.wakeAt = Math.min(op.wakeAt ?? latest, latest);
    const reply = { result: 'appended', seq: run.events.length, inbox, parked } as const;
    run.appends.set(op.appendId, reply);
    return reply;
  }

  /** The run has ended: the next one that waits for its place, and is to go on, gets it. */
  private end(run: RunRow, now: UnixMs): void {
    run.status = 'ended';
    if (!run.hasPlace) return;
    run.hasPlace = false;
    const [next] = [...this.runs.values()]
      .filter((other) => other.scope === run.scope && other.status === 'queued' && !other.cancelRequested)
      .sort((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
    if (!next || this.held(run.scope) >= (this.bounds.get(run.scope) ?? 0)) return;
    next.status = 'running';
    next.hasPlace = true;
    next.wakeAt = now;
  }

  private held(scope: string): number {
    return [...this.runs.values()].filter((run) => run.scope === scope && run.hasPlace).length;
  }

  private locked(runId: RunId): LockedRun | undefined {
    const run = this.runs.get(runId);
    return run && { ended: run.status === 'ended', cancelRequested: run.cancelRequested };
  }

  /** Puts a verdict on record and tells the run, if it counts. */
  verdict(approvalId: string, given: ApprovalVerdict, now: UnixMs): VerdictAnswer {
    const runId = this.ledger.runOf(approvalId) ?? '';
    const run = this.locked(runId);
    if (!run) return 'not_found';
    const answer = this.ledger.decide(approvalId, given, run, now);
    if (answer === 'accepted') {
      const { verdict, by, comment } = given;
      this.post(
        runId,
        { dedupeKey: `approval/${approvalId}`, message: { kind: 'verdict', approvalId, verdict, by, comment } },
        now,
      );
    }
    return answer;
  }

  claimEffect(claim: EffectClaim, now: UnixMs): EffectClaimReply {
    return this.ledger.claim(claim, this.locked(claim.key.slice(0, 36)), now);
  }

  recordEffect(result: EffectResult): 'recorded' | 'conflict' {
    return this.ledger.record(result);
  }

  post(runId: RunId, { dedupeKey, message }: InboxPost, now: UnixMs): InboxPosted | Refusal {
    const run = this.runs.get(runId);
    if (!run) return refused('not_found', `there is no run ${runId}`);
    if (run.status === 'ended') return { accepted: false, ended: true };
    if (run.inbox.some((row) => row.dedupeKey === dedupeKey)) return { accepted: false, ended: false };
    run.inbox.push({ id: String(this.nextRow++), dedupeKey, message, read: false });
    if (message.kind === 'cancel') run.cancelRequested = true;
    if (message.kind === 'result' && this.executions.get(message.key)?.claim === 'none')
      this.executions.delete(message.key);
    // A run that waits for its place is woken by nothing but that, and by its cancel.
    if (!run.inTurn && (run.status !== 'queued' || message.kind === 'cancel')) run.wakeAt = now;
    return { accepted: true, ended: false };
  }

  due(limit: number, leaseMs: number, now: UnixMs): DueRun[] {
    const due = [...this.runs.values()]
      .filter((run) => run.wakeAt !== null && run.wakeAt <= now)
      .sort((a, b) => b.priority - a.priority || (a.wakeAt ?? 0) - (b.wakeAt ?? 0) || (a.id < b.id ? -1 : 1))
      .slice(0, limit);
    return due.map((run) => {
      run.wakeAt = now + leaseMs;
      run.lease++;
      run.inTurn = true;
      return { runId: run.id, lease: run.lease, priority: run.priority };
    });
  }

  recover(owner: string, now: UnixMs): number {
    const owned = [...this.runs.values()].filter((run) => run.owner === owner && run.status !== 'ended');
    for (const run of owned) run.wakeAt = now;
    return owned.length;
  }

  /** A turn threw. One of an owner that has been succeeded is not counted; `epoch` is null for a turn that did not acquire. */
  turnFailed(runId: RunId, now: UnixMs, epoch: number | null = null): { failures: number; stuck: boolean } {
    const run = this.runs.get(runId);
    if (!run) return { failures: 1, stuck: false };
    if (epoch !== null && epoch !== run.epoch) {
      return { failures: Math.max(1, run.turnFailures), stuck: run.status === 'stuck' };
    }
    run.turnFailures++;
    run.inTurn = false;
    if (run.wakeAt !== null || run.status !== 'ended') run.wakeAt = now + turnBackoffMs(run.turnFailures);
    if (run.turnFailures >= MAX_TURN_FAILURES && run.status === 'running') run.status = 'stuck';
    return { failures: run.turnFailures, stuck: run.status === 'stuck' };
  }

  /** `barred`: the run counts the execution no longer, so nothing may be done under its key. */
  claim({ key, instance, leaseMs }: ClaimRequest, now: UnixMs): ClaimReply | 'barred' {
    const row = this.executions.get(key);
    if (row?.outcome) return { claim: 'done', outcome: row.outcome };
    if (this.ledger.isBarred(key)) return 'barred';
    const free = row === undefined || row.claim === 'none';
    const mine = !free && row.instance === instance;
    if (!free && !mine && row.leaseUntil > now) return { claim: 'held', retryAfterMs: row.leaseUntil - now };
    const claim = free || (mine && row.claim === 'granted') ? 'granted' : 'lapsed';
    this.executions.set(key, { instance, leaseUntil: now + leaseMs, claim, outcome: null });
    return { claim };
  }

  record({ key, instance, outcome }: ClaimResult): 'recorded' | 'conflict' {
    const row = this.executions.get(key);
    if (!row || row.claim === 'none' || row.instance !== instance) return 'conflict';
    row.outcome ??= outcome;
    return 'recorded';
  }

  heartbeat({ instance, leaseMs, executions }: Heartbeats, now: UnixMs): ExecutionKey[] {
    const ended: ExecutionKey[] = [];
    for (const { key } of executions) {
      const run = this.runs.get(key.slice(0, 36));
      if (!run || run.status === 'ended') ended.push(key);
      if (!run) continue;
      const row = this.executions.get(key);
      if (row && row.claim !== 'none' && row.instance !== instance) continue;
      this.executions.set(key, {
        instance,
        leaseUntil: now + leaseMs,
        claim: row?.claim ?? 'none',
        outcome: row?.outcome ?? null,
      });
    }
    return ended;
  }

  /** What tests ask about a run; undefined when it is not there. */
  look(runId: RunId):
    | {
        status: RunStatus;
        wakeAt: UnixMs | null;
        events: readonly StoredEvent[];
        inbox: readonly InboxRow[];
        unread: number;
        epoch: number;
        turnFailures: number;
        inTurn: boolean;
        appended(appendId: string): boolean;
      }
    | undefined {
    const run = this.runs.get(runId);
    return (
      run && {
        status: run.status,
        wakeAt: run.wakeAt,
        events: run.events,
        inbox: run.inbox,
        unread: this.unread(run).length,
        epoch: run.epoch,
        turnFailures: run.turnFailures,
        inTurn: run.inTurn,
        appended: (appendId) => run.appends.has(appendId),
      }
    );
  }

  /** The next time at which a run is due, Unix ms. */
  nextWake(): UnixMs | null {
    const times = [...this.runs.values()].flatMap((run) => (run.wakeAt === null ? [] : [run.wakeAt]));
    return times.length === 0 ? null : Math.min(...times);
  }

  private unread(run: RunRow): InboxRow[] {
    return run.inbox.filter((row) => !row.read).map(({ id, dedupeKey, message }) => ({ id, dedupeKey, message }));
  }

  private leasesOf(runId: RunId): Lease[] {
    return [...this.executions]
      .filter(([key, row]) => key.startsWith(`${runId}/`) && row.outcome === null)
      .map(([key, { instance, leaseUntil }]) => ({ key, instance, leaseUntil }));
  }
}
