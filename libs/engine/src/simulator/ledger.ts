import type { ApprovalStatus, ApprovalVerdict } from '@devmesh/contracts/approval';
import type { EffectClaim, EffectClaimReply, EffectResult } from '@devmesh/contracts/effect';
import type { Digest, ExecutionKey, InstanceId, RunId, UnixMs } from '@devmesh/contracts/ids';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { AppendOp } from '@devmesh/contracts/state-api';

interface ApprovalRow {
  readonly id: string;
  readonly runId: RunId;
  readonly hash: Digest;
  readonly expiresAt: UnixMs;
  status: ApprovalStatus;
  decidedBy: string | null;
}

interface EffectRow {
  intentHash: Digest;
  intent: JsonObject;
  status: 'claimed' | EffectResult['outcome'];
  result: JsonObject | null;
  execution: ExecutionKey;
  instance: InstanceId;
  leaseUntil: UnixMs;
  /** The claim was taken over from a holder that said nothing. */
  lapsed: boolean;
}

/** What the ledger asks about a run, whose row is locked while it answers. */
export interface LockedRun {
  readonly ended: boolean;
  readonly cancelRequested: boolean;
}

export type VerdictAnswer = 'accepted' | 'again' | 'not_found' | 'approval_closed' | 'approval_changed';

type EffectRefusal = Extract<EffectClaimReply, { claim: 'refused' }>['reason'];

function refuse(reason: EffectRefusal): EffectClaimReply {
  return { claim: 'refused', reason, message: `refused: ${reason}` };
}

/** Approvals, barred executions and effects in memory: section 6 of docs/engine.md without a database. */
export class Ledger {
  private readonly approvals = new Map<string, ApprovalRow>();
  private readonly barred = new Set<ExecutionKey>();
  private readonly effects = new Map<string, EffectRow>();

  /** What an append that is written says beside its events. */
  append(op: AppendOp): void {
    for (const { request } of op.approvals ?? []) {
      const { id, hash, expiresAt } = request;
      if (!this.approvals.has(id))
        this.approvals.set(id, { id, runId: op.runId, hash, expiresAt, status: 'open', decidedBy: null });
    }
    for (const { id, status } of op.closedApprovals ?? []) {
      const row = this.approvals.get(id);
      if (row?.status === 'open' && status !== 'escalated') row.status = status;
    }
    // The end of a run closes whatever of it is open.
    if (op.ended)
      for (const row of this.approvals.values())
        if (row.runId === op.runId && row.status === 'open') row.status = 'closed';
    for (const key of op.barred ?? []) this.barred.add(key);
  }

  isBarred(key: ExecutionKey): boolean {
    return this.barred.has(key);
  }

  runOf(approvalId: string): RunId | undefined {
    return this.approvals.get(approvalId)?.runId;
  }

  approvalStatus(approvalId: string): ApprovalStatus | undefined {
    return this.approvals.get(approvalId)?.status;
  }

  /** How everything stands, for those who compare. */
  text(): string {
    const approvals = [...this.approvals.values()].map(({ id, status }) => `${id.slice(0, 8)}${status}`);
    const effects = [...this.effects].map(
      ([key, { status, lapsed }]) => `${key.slice(35)}${status}${lapsed ? 'l' : ''}`,
    );
    return [...approvals, ...effects].join();
  }

  effectOf(key: string): { readonly execution: ExecutionKey; readonly status: string } | undefined {
    return this.effects.get(key);
  }

  /** Approvals that wait for a verdict, oldest first. */
  open(): { readonly id: string; readonly runId: RunId; readonly hash: Digest; readonly expiresAt: UnixMs }[] {
    return [...this.approvals.values()].filter(({ status }) => status === 'open');
  }

  decide(approvalId: string, { verdict, hash, by }: ApprovalVerdict, run: LockedRun, now: UnixMs): VerdictAnswer {
    const row = this.approvals.get(approvalId);
    if (!row) return 'not_found';
    if (row.status === verdict && row.decidedBy === by && row.hash === hash) return 'again';
    if (row.status !== 'open' || now >= row.expiresAt || run.ended || run.cancelRequested) return 'approval_closed';
    if (row.hash !== hash) return 'approval_changed';
    row.status = verdict;
    row.decidedBy = by;
    return 'accepted';
  }

  claim(claim: EffectClaim, run: LockedRun | undefined, now: UnixMs): EffectClaimReply {
    const { key, execution, instance, intent, intentHash, leaseMs } = claim;
    const { step, iteration } = parseExecutionKey(execution);
    const row = this.effects.get(key);
    if (!run) return refuse('unknown_run');
    if (run.ended) return refuse('run_ended');
    // What a run that is being cancelled did is still taken back.
    if (run.cancelRequested && !step.endsWith('.undo')) return refuse('run_cancelled');
    if (this.barred.has(execution) || (row && iteration < parseExecutionKey(row.execution).iteration))
      return refuse('superseded');
    if (claim.approval) {
      const approval = this.approvals.get(claim.approval.id);
      if (approval?.status !== 'approved' || approval.runId !== key.slice(0, 36)) return refuse('approval_missing');
      if (approval.hash !== claim.approval.hash) return refuse('approval_changed');
      if (now >= approval.expiresAt) return refuse('approval_expired');
    }
    const take = (lapsed: boolean, previous: JsonObject | null) => {
      this.effects.set(key, {
        intentHash,
        intent,
        status: 'claimed',
        result: previous,
        execution,
        instance,
        leaseUntil: now + leaseMs,
        lapsed,
      });
    };
    if (!row) {
      take(false, null);
      return { claim: 'granted', previous: null };
    }
    const { result: previous } = row;
    if (row.status === 'done' && row.intentHash === intentHash) return { claim: 'done', result: previous ?? {} };
    if (row.status === 'done' || row.status === 'not_done') {
      take(false, previous);
      return { claim: 'granted', previous };
    }
    const mine = row.status === 'claimed' && row.execution === execution && row.instance === instance;
    if (mine && !row.lapsed) {
      row.leaseUntil = now + leaseMs;
      return { claim: 'granted', previous };
    }
    if (row.status === 'claimed' && !mine && row.leaseUntil > now)
      return { claim: 'held', retryAfterMs: row.leaseUntil - now };
    const lapsed = { claim: 'lapsed', intent: row.intent, previous } as const;
    take(true, previous);
    // The intent that may have been acted on, until somebody tells what came of it.
    const taken = this.effects.get(key);
    if (taken) Object.assign(taken, { intent: row.intent, intentHash: row.intentHash });
    return lapsed;
  }

  record({ key, execution, instance, outcome, result }: EffectResult): 'recorded' | 'conflict' {
    const row = this.effects.get(key);
    if (!row || row.execution !== execution || row.instance !== instance) return 'conflict';
    if (row.status === 'claimed') {
      row.status = outcome;
      if (outcome === 'done') row.result = result;
    }
    return 'recorded';
  }
}
