import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { ClaimReply, ClaimRequest, ClaimResult, Heartbeats, Progress } from '@devmesh/contracts/state-api';
import { instant, printable, type Database } from '../database/database.js';

/** Claims, outcomes and heartbeats of executions. */
export class ExecutionsRepository {
  constructor(private readonly db: Database) {}

  /**
   * Claims a key for an instance. A claim that was taken over from a dead holder is told as `lapsed` however often its new
   * holder asks, because the answer may have been lost and what the old one did is still unknown.
   */
  async claim({ key, instance, leaseMs }: ClaimRequest, now: number): Promise<ClaimReply> {
    const [row] = await this.db.write<{
      instance: string;
      claim: 'granted' | 'lapsed';
      outcome: Outcome | null;
      lease_until: Date;
    }>({
      name: 'claim',
      // The no-op update of a claim that is held locks the row and answers it as it is now.
      text: `insert into executions as x (key, run_id, instance, lease_until, claim)
        values ($1::text, $2::uuid, $3::text, $5::timestamptz, 'granted')
        on conflict (key) do update set
          claim = case when x.claim = 'none' then 'granted'
            when x.outcome is null and x.instance <> excluded.instance and x.lease_until <= $4::timestamptz then 'lapsed'
            else x.claim end,
          instance = case when x.claim = 'none' or (x.outcome is null and x.lease_until <= $4::timestamptz)
            then excluded.instance else x.instance end,
          lease_until = case when x.claim = 'none' or (x.outcome is null and (x.instance = excluded.instance or x.lease_until <= $4::timestamptz))
            then excluded.lease_until else x.lease_until end
        returning instance, claim, outcome, lease_until`,
      values: [key, parseExecutionKey(key).runId, instance, instant(now), instant(now + leaseMs)],
    });
    if (row === undefined) throw new Error(`the claim of ${key} answered nothing`);
    if (row.outcome !== null) return { claim: 'done', outcome: row.outcome };
    if (row.instance !== instance) return { claim: 'held', retryAfterMs: Math.max(0, row.lease_until.getTime() - now) };
    return { claim: row.claim };
  }

  /** Puts an outcome on record, the first one for good; false when the instance does not hold the claim. */
  async recordOutcome({ key, instance, outcome }: ClaimResult): Promise<boolean> {
    const rows = await this.db.write({
      name: 'record-outcome',
      text: `update executions set outcome = coalesce(outcome, $3::json), progress = null
        where key = $1::text and instance = $2::text and claim <> 'none' returning 1`,
      values: [key, instance, JSON.stringify(outcome)],
    });
    return rows.length > 0;
  }

  /**
   * Moves leases. Of a claim only its holder's heartbeat counts; of other executions the last one heard. `changed`: runs
   * whose progress reads differently now. `ended`: keys whose run has ended or is not there.
   */
  async heartbeat(
    { instance, leaseMs, executions }: Heartbeats,
    now: number,
  ): Promise<{ ended: string[]; changed: string[] }> {
    const latest = [...new Map(executions.map((one) => [one.key, one])).values()];
    const rows = await this.db.write<{ key: string; ended: boolean; run_id: string; changed: boolean }>({
      name: 'heartbeat',
      text: `with beat as materialized (
          select b.key, b.run_id, b.progress, h.run_id is not null as known, coalesce(h.status = 'ended', true) as ended,
            x.progress is distinct from b.progress as changed
          from unnest($1::text[], $2::uuid[], $3::text[]) as b(key, run_id, progress)
          left join run_heads h on h.run_id = b.run_id left join executions x on x.key = b.key),
        moved as (
          insert into executions as x (key, run_id, instance, lease_until, progress)
          select key, run_id, $4::text, $5::timestamptz, progress from beat where known order by key
          on conflict (key) do update set instance = excluded.instance, lease_until = excluded.lease_until,
            progress = excluded.progress
          where x.claim = 'none' or x.instance = excluded.instance)
        select key, ended, run_id, changed from beat`,
      values: [
        latest.map((one) => one.key),
        latest.map((one) => parseExecutionKey(one.key).runId),
        latest.map((one) => (one.progress === null ? null : printable(one.progress))),
        instance,
        instant(now + leaseMs),
      ],
    });
    return {
      ended: rows.filter((row) => row.ended).map((row) => row.key),
      changed: [...new Set(rows.filter((row) => row.changed).map((row) => row.run_id))],
    };
  }

  /** What the executions of a run are doing now, those whose agents vouch for them. */
  async progress(runId: string, now: number): Promise<Progress[]> {
    const rows = await this.db.read<{ key: string; progress: string }>({
      name: 'progress',
      text: `select key, progress from executions where run_id = $1::uuid and outcome is null
        and progress is not null and lease_until > $2::timestamptz order by key`,
      values: [runId, instant(now)],
    });
    return rows.map((row) => ({ step: parseExecutionKey(row.key).step, key: row.key, message: row.progress }));
  }
}
