import type { ApprovalKind, ApprovalRecord, ApprovalStatus, ApprovalVerdict } from '@devmesh/contracts/approval';
import type { JsonObject } from '@devmesh/contracts/json';
import { Args, instant, printable, type Database } from '../database/database.js';

interface ApprovalRow {
  readonly id: string;
  readonly run_id: string;
  readonly project_id: string;
  readonly step: string;
  readonly iteration: number;
  readonly kind: ApprovalKind;
  readonly title: string;
  readonly subject: JsonObject;
  readonly hash: string;
  readonly status: ApprovalStatus;
  readonly requested_at: Date;
  readonly expires_at: Date;
  readonly escalate_to: string[];
  readonly escalated_at: Date | null;
  readonly decided_at: Date | null;
  readonly decided_by: string | null;
  readonly comment: string | null;
}

export interface ApprovalFilter {
  readonly projectId: string | null;
  readonly runId: string | null;
  readonly status: ApprovalStatus | null;
  /** Only those that were asked after this one. */
  readonly after: { readonly at: number; readonly id: string } | null;
  readonly limit: number;
}

export interface VerdictWritten {
  readonly answer: 'accepted' | 'again' | 'approval_closed' | 'approval_changed';
  readonly approval: ApprovalRecord;
  /** When its run is looked at, Unix ms; null when nothing was written. */
  readonly wakeAt: number | null;
}

/** Approvals on record. */
export class ApprovalsRepository {
  constructor(private readonly db: Database) {}

  async find(id: string): Promise<ApprovalRecord | null> {
    const [row] = await this.db.read<ApprovalRow>({
      name: 'find-approval',
      text: 'select * from approvals where id = $1::uuid',
      values: [id],
    });
    return row === undefined ? null : record(row);
  }

  /** Oldest first. */
  async list({ projectId, runId, status, after, limit }: ApprovalFilter): Promise<ApprovalRecord[]> {
    const args = new Args();
    const where: [name: string, condition: string][] = [];
    if (projectId !== null) where.push(['project', `project_id = ${args.add(projectId, 'text')}`]);
    if (runId !== null) where.push(['run', `run_id = ${args.add(runId, 'uuid')}`]);
    if (status === 'open') where.push(['open', `status = 'open'`]);
    else if (status !== null) where.push(['status', `status = ${args.add(status, 'text')}`]);
    if (after !== null)
      where.push([
        'after',
        `(requested_at, id) > (${args.add(instant(after.at), 'timestamptz')}, ${args.add(after.id, 'uuid')})`,
      ]);
    const rows = await this.db.read<ApprovalRow>({
      name: ['list-approvals', ...where.map(([name]) => name)].join('-'),
      text: `select * from approvals where ${['true', ...where.map(([, condition]) => condition)].join(' and ')}
        order by requested_at, id limit ${args.add(limit, 'int')}`,
      values: args.values,
    });
    return rows.map(record);
  }

  /** How many wait for a verdict. `overdue`: passed on to others, or most of the time for a verdict is gone. */
  async countOpen(now: number): Promise<{ readonly open: number; readonly overdue: number }> {
    const [row] = await this.db.read<{ open: number; overdue: number }>({
      name: 'open-approvals',
      text: `select count(*)::int as open, count(*) filter (where escalated_at is not null
          or $1::timestamptz > requested_at + (expires_at - requested_at) * 0.75)::int as overdue
        from approvals where status = 'open'`,
      values: [instant(now)],
    });
    return row ?? { open: 0, overdue: 0 };
  }

  /** Writes a verdict and the row that tells the run of it, under the lock of the run; null when there is no such approval. */
  async decide(id: string, verdict: ApprovalVerdict, now: number): Promise<VerdictWritten | null> {
    const found = await this.find(id);
    if (found === null) return null;
    return this.db.transaction(async (run) => {
      // The run first, as everybody who writes of it does: a cancel comes before this, or after.
      const [head] = await run<{ status: string; cancel_requested: boolean }>({
        name: 'lock-run',
        text: 'select status, cancel_requested from run_heads where run_id = $1::uuid for update',
        values: [found.runId],
      });
      const [row] = await run<ApprovalRow>({
        name: 'lock-approval',
        text: 'select * from approvals where id = $1::uuid for update',
        values: [id],
      });
      if (row === undefined) throw new Error(`approval ${id} is gone`);
      const refuse = (answer: VerdictWritten['answer']): VerdictWritten => ({
        answer,
        approval: record(row),
        wakeAt: null,
      });
      const by = printable(verdict.by);
      if (row.status === verdict.verdict && row.decided_by === by && row.hash === verdict.hash) return refuse('again');
      const isOver = head === undefined || head.status === 'ended' || head.cancel_requested;
      if (isOver || row.status !== 'open' || row.expires_at.getTime() <= now) return refuse('approval_closed');
      if (row.hash !== verdict.hash) return refuse('approval_changed');
      const comment = printable(verdict.comment);
      const [decided] = await run<ApprovalRow>({
        name: 'decide-approval',
        text: `update approvals set status = $2::text, decided_at = $3::timestamptz, decided_by = $4::text, comment = $5::text
          where id = $1::uuid returning *`,
        values: [id, verdict.verdict, instant(now), by, comment],
      });
      const message = { kind: 'verdict', approvalId: id, verdict: verdict.verdict, by, comment };
      const [woken] = await run<{ wake_at: Date | null }>({
        name: 'tell-verdict',
        text: `with added as (
            insert into inbox (run_id, dedupe_key, message, created_at) values ($1::uuid, $2::text, $3::json, $4::timestamptz)
            on conflict (run_id, dedupe_key) do nothing returning run_id)
          update run_heads h set unread = h.unread + 1, wake_at = case when h.in_turn then h.wake_at else $4::timestamptz end
          from added where h.run_id = added.run_id and h.run_id = $1::uuid returning h.wake_at`,
        values: [found.runId, `approval/${id}`, JSON.stringify(message), instant(now)],
      });
      return { answer: 'accepted', approval: record(decided ?? row), wakeAt: woken?.wake_at?.getTime() ?? null };
    });
  }
}

function record(row: ApprovalRow): ApprovalRecord {
  return {
    id: row.id,
    runId: row.run_id,
    projectId: row.project_id,
    step: row.step,
    iteration: row.iteration,
    kind: row.kind,
    title: row.title,
    subject: row.subject,
    hash: row.hash,
    status: row.status,
    requestedAt: row.requested_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    escalateTo: row.escalate_to,
    escalatedAt: row.escalated_at?.toISOString() ?? null,
    decidedAt: row.decided_at?.toISOString() ?? null,
    decidedBy: row.decided_by,
    comment: row.comment,
  };
}
