import type { AppendOp } from '@devmesh/contracts/state-api';
import { type Args, instant, printable, unnest } from '../database/database.js';

/*
 * What the statement of a wave holds for appends that say more than events: approvals, barred executions, the end of a run. It hangs
 * on `next` (what each append comes to) and `fresh` (those that are written now), and is given the ids of the wave's runs; see
 * batch.sql.ts.
 */

/** Parts of a statement, and a name that tells their text from any other that they may have. */
interface Ctes {
  readonly name: string;
  readonly ctes: string;
}

/** What appends say of approvals and executions, where they do: see AppendOp. */
export function factCtes(args: Args, ops: readonly AppendOp[], ids: string, at: string): Ctes {
  const asked = ops.flatMap((op) =>
    (op.approvals ?? []).map((approval) => {
      const over = op.closedApprovals?.find(({ id }) => id === approval.request.id)?.status;
      const left = op.ended === null ? 'open' : 'closed';
      return { id: op.appendId, approval, status: over === undefined || over === 'escalated' ? left : over };
    }),
  );
  const over = ops.flatMap((op) =>
    (op.closedApprovals ?? []).flatMap(({ id, status }) =>
      // The end of the run closes those that are only escalated.
      status === 'escalated' && op.ended !== null ? [] : [{ id: op.appendId, approval: id, status }],
    ),
  );
  const barred = ops.flatMap((op) => (op.barred ?? []).map((key) => ({ id: op.appendId, key })));
  const parts: string[] = [];
  if (asked.length > 0) {
    const q = unnest(args, asked, [
      ['uuid', (row) => row.id],
      ['uuid', (row) => row.approval.request.id],
      ['text', (row) => row.approval.step],
      ['int', (row) => row.approval.iteration],
      ['text', (row) => row.approval.request.kind],
      ['text', (row) => printable(row.approval.request.title)],
      ['json', (row) => JSON.stringify(row.approval.request.subject)],
      ['text', (row) => row.approval.request.hash],
      ['timestamptz', (row) => instant(row.approval.request.expiresAt)],
      ['json', (row) => JSON.stringify(row.approval.request.escalateTo)],
      ['text', (row) => row.status],
    ]);
    parts.push(`asked as (
      insert into approvals (id, run_id, project_id, step, iteration, kind, title, subject, hash, expires_at, escalate_to, status, requested_at)
      select q.id, n.run_id, r.project_id, q.step, q.iteration, q.kind, q.title, q.subject, q.hash, q.expires_at, q.escalate_to, q.status, ${at}
      from ${q} as q(append_id, id, step, iteration, kind, title, subject, hash, expires_at, escalate_to, status)
      join next n on n.append_id = q.append_id join fresh f on f.append_id = n.append_id
      join runs r on r.id = n.run_id and r.id = any(${ids})
      on conflict do nothing),`);
  }
  if (over.length > 0) {
    const q = unnest(args, over, [
      ['uuid', (row) => row.id],
      ['uuid', (row) => row.approval],
      ['text', (row) => row.status],
    ]);
    const approvals = args.add(
      over.map((row) => row.approval),
      'uuid[]',
    );
    parts.push(`over as (
      update approvals p set status = case when q.status = 'escalated' then p.status else q.status end,
        escalated_at = case when q.status = 'escalated' then ${at} else p.escalated_at end
      from ${q} as q(append_id, id, status) join next n on n.append_id = q.append_id join fresh f on f.append_id = n.append_id
      where p.id = q.id and p.id = any(${approvals}) and p.run_id = n.run_id and p.status = 'open'),`);
  }
  if (barred.length > 0) {
    const q = unnest(args, barred, [
      ['uuid', (row) => row.id],
      ['text', (row) => row.key],
    ]);
    parts.push(`barred as (
      insert into barred_executions (key, run_id) select q.key, n.run_id from ${q} as q(append_id, key)
      join next n on n.append_id = q.append_id join fresh f on f.append_id = n.append_id on conflict do nothing),`);
  }
  const name = `${asked.length > 0 ? 'q' : ''}${over.length > 0 ? 'o' : ''}${barred.length > 0 ? 'b' : ''}`;
  return { name, ctes: parts.join('\n    ') };
}

/**
 * What the end of a run brings with it: approvals of it that are open, and that the append does not name, are closed; its place
 * goes to the next run that waits for it. Places are freed in one order, as creates take them: nobody waits in a circle.
 */
export function endingCtes(args: Args, ops: readonly AppendOp[], ids: string, at: string): Ctes {
  const named = ops.flatMap((op) =>
    (op.closedApprovals ?? []).filter(({ status }) => status !== 'escalated').map(({ id }) => id),
  );
  const others = named.length > 0 ? ` and p.id <> all(${args.add(named, 'uuid[]')})` : '';
  const ctes = `closed as (
      update approvals p set status = 'closed' from next n join fresh f on f.append_id = n.append_id
      where n.verdict is not null and p.run_id = n.run_id and p.run_id = any(${ids}) and p.status = 'open'${others}),
    freed as materialized (
      select m.run_id, free_slot(m.slot, ${at}) as next from moved m join next n on n.run_id = m.run_id
      join head h on h.run_id = m.run_id where n.verdict is not null and h.slot_held order by m.slot)`;
  return { name: named.length > 0 ? 'en' : 'e', ctes };
}

/** Of appends that want nothing unread: every unread row is among those that they consume. */
export function readCondition(args: Args, ops: readonly AppendOp[]): string {
  const ids = args.add(
    ops.map((op) => op.appendId),
    'uuid[]',
  );
  const rows = ops.flatMap((op) => op.consume.map((id) => ({ runId: op.runId, id })));
  const c = unnest(args, rows, [
    ['uuid', (row) => row.runId],
    ['bigint', (row) => row.id],
  ]);
  return `
        and (a.append_id <> all(${ids}) or h.unread <= (
          select count(distinct x.id) from inbox x join ${c} as c(run_id, id) on x.id = c.id and x.run_id = c.run_id
          where x.run_id = a.run_id and not x.consumed))`;
}
