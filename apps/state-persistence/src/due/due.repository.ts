import { MAX_TURN_FAILURES, type DueRun } from '@devmesh/contracts/state-api';
import { instant, printable, type Database } from '../database/database.js';

/** How long a run whose turns fail is left alone, ms: 1 s, 2 s, 4 s, 8 s; then, being stuck, five minutes. */
const FIRST_BACKOFF_MS = 1_000;
const STUCK_BACKOFF_MS = 300_000;

/** When runs want to be looked at. */
export class DueRepository {
  constructor(private readonly db: Database) {}

  /**
   * Hands out runs whose wake time has come, by priority, then oldest first, and moves it by the lease. Runs that another poller or writer
   * has locked are left to it.
   */
  async take(limit: number, leaseMs: number, now: number): Promise<DueRun[]> {
    const rows = await this.db.write<{ run_id: string; lease_no: number; wake_at: Date; priority: number }>({
      name: 'take-due',
      text: `with due as materialized (
          select run_id, wake_at, priority from run_heads where wake_at <= $1::timestamptz
          order by priority desc, wake_at, run_id limit $2::int for update skip locked)
        update run_heads h set wake_at = $3::timestamptz, lease_no = h.lease_no + 1, in_turn = true
        from due where h.run_id = due.run_id and h.run_id = any(array(select run_id from due))
        returning h.run_id, h.lease_no, due.wake_at, due.priority`,
      values: [instant(now), limit, instant(now + leaseMs)],
    });
    return rows
      .sort(
        (a, b) =>
          b.priority - a.priority || a.wake_at.getTime() - b.wake_at.getTime() || (a.run_id < b.run_id ? -1 : 1),
      )
      .map((row) => ({ runId: row.run_id, lease: row.lease_no, priority: row.priority }));
  }

  /** The nearest wake time of all runs, Unix ms. */
  async nextWake(): Promise<number | null> {
    const [row] = await this.db.read<{ wake_at: Date }>({
      name: 'next-wake',
      text: 'select wake_at from run_heads where wake_at is not null order by wake_at, run_id limit 1',
      values: [],
    });
    return row === undefined ? null : row.wake_at.getTime();
  }

  /** Makes all unended runs of an owner due, and answers how many. */
  async recover(owner: string, now: number): Promise<number> {
    const [row] = await this.db.write<{ n: number }>({
      name: 'recover',
      text: `with owned as materialized (
          select run_id from run_heads where status <> 'ended' and owner = $1::text order by run_id for update),
        woken as (
          update run_heads h set wake_at = $2::timestamptz from owned
          where h.run_id = owned.run_id and h.run_id = any(array(select run_id from owned)) returning 1)
        select count(*)::int as n from woken`,
      values: [owner, instant(now)],
    });
    return row?.n ?? 0;
  }

  /**
   * Counts a turn that threw, and keeps the run back; after `MAX_TURN_FAILURES` in a row it is stuck. Null when there is
   * no such run. A failure of an owner that has been succeeded is not counted.
   */
  async countTurnFailure(
    runId: string,
    epoch: number | null,
    error: string,
    now: number,
  ): Promise<{ failures: number; stuck: boolean } | null> {
    const [row] = await this.db.write<{ counted: number | null; failures: number; status: string }>({
      name: 'count-turn-failure',
      text: `with head as materialized (select run_id, status, turn_failures, epoch from run_heads where run_id = $1::uuid for update),
        counted as (
          update run_heads h set turn_failures = h.turn_failures + 1, last_turn_error = $3::text, in_turn = false,
            updated_at = $4::timestamptz,
            status = case when h.status = 'running' and h.turn_failures + 1 >= $5::int then 'stuck' else h.status end,
            wake_at = case when h.status = 'ended' and h.wake_at is null then null else $4::timestamptz + interval '1 millisecond' *
              case when h.turn_failures + 1 >= $5::int then $6::int else $7::int * 2 ^ h.turn_failures end end
          from head where h.run_id = head.run_id and h.run_id = $1::uuid and (head.epoch = $2::int or $2::int is null)
          returning h.turn_failures, h.status)
        select c.turn_failures as counted, greatest(1, head.turn_failures) as failures, coalesce(c.status, head.status) as status
        from head left join counted c on true`,
      values: [runId, epoch, printable(error), instant(now), MAX_TURN_FAILURES, STUCK_BACKOFF_MS, FIRST_BACKOFF_MS],
    });
    if (row === undefined) return null;
    return { failures: row.counted ?? row.failures, stuck: row.status === 'stuck' };
  }

  /** Makes an unended run due at once with a clean record; false when it has ended, null when there is none. */
  async resume(runId: string, now: number): Promise<boolean | null> {
    const [row] = await this.db.write<{ status: string }>({
      name: 'resume',
      text: `with head as materialized (select run_id, status from run_heads where run_id = $1::uuid for update),
        woken as (
          update run_heads h set status = case when h.status = 'stuck' then 'running' else h.status end, turn_failures = 0, last_turn_error = null, wake_at = $2::timestamptz,
            in_turn = false, updated_at = $2::timestamptz
          from head where h.run_id = head.run_id and h.run_id = $1::uuid and head.status not in ('ended', 'queued'))
        select status from head`,
      values: [runId, instant(now)],
    });
    return row === undefined ? null : row.status !== 'ended';
  }
}
