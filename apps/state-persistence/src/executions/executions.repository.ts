import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { ClaimReply, ClaimRequest, ClaimResult, Heartbeats, Progress } from '@devmesh/contracts/state-api';
import { instant, printable, type Database } from '../database/database.js';

/** Claims, outcomes and heartbeats of executions. */
export class ExecutionsRepository {
  constructor(private readonly db: Database) {}

  /**
   * Claims a key for an instance. A claim that was taken over from a dead holder is told as `lapsed` however often its new
   * holder asks, because the answer may have been lost and what the old one did is still unknown. `pruned`: nobody knows any
   * more whether it was claimed before. `barred`: its run counts it no longer; what is on record under it is answered still.
   */
  async claim(request: ClaimRequest, now: number): Promise<ClaimReply | 'pruned' | 'barred'> {
    const { key, instance, leaseMs } = request;
    const [row] = await this.db.write<{
      instance: string;
      claim: 'granted' | 'lapsed';
      outcome: Outcome | null;
      lease_until: Date;
    }>({
      name: 'claim',
      // The no-op update of a claim that is held locks the row and answers it as it is now.
      text: `with head as materialized (select pruned_at from run_heads where run_id = $2::uuid for share)
        insert into executions as x (key, run_id, instance, lease_until, claim)
        select $1::text, $2::uuid, $3::text, $5::timestamptz, 'granted'
        where not exists (select from head where pruned_at is not null)
          and not exists (select from barred_executions b where b.key = $1::text)
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
    if (row === undefined) return this.unclaimed(key);
    if (row.outcome !== null) return { claim: 'done', outcome: row.outcome };
    if (row.instance !== instance) return { claim: 'held', retryAfterMs: Math.max(0, row.lease_until.getTime() - now) };
    return { claim: row.claim };
  }

  /** Why nothing was claimed. Bars go with the detail of their run, so without one it was pruned. */
  private async unclaimed(key: string): Promise<ClaimReply | 'pruned' | 'barred'> {
    const [row] = await this.db.read<{ outcome: Outcome | null }>({
      name: 'unclaimed',
      text: `select (select outcome from executions x where x.key = b.key) as outcome from barred_executions b where b.key = $1::text`,
      values: [key],
    });
    if (row === undefined) return 'pruned';
    return row.outcome === null ? 'barred' : { claim: 'done', outcome: row.outcome };
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
          select b.key, b.run_id, b.progress, h.run_id is not null and h.pruned_at is null as known, coalesce(h.status = 'ended', true) as ended,
            x.progress is distinct from b.progress as changed
          from unnest($1::text[], $2::uuid[], $3::text[]) as b(key, run_id, progress)
          left join run_heads h on h.run_id = b.run_id and h.run_id = any($2::uuid[])
          left join executions x on x.key = b.key and x.key = any($1::text[])),
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

  /**
   * Ends the leases of executions whose instance is none of these, and makes their parked runs due. Claims keep theirs: whoever is
   * out of reach may still be acting. Returns whether a run is due.
   */
  async orphan(present: readonly string[], now: number): Promise<boolean> {
    const freed = await this.db.write<{ run_id: string }>({
      name: 'orphan-leases',
      // Rows that somebody has in hand are passed over: they are being told of.
      text: `with orphans as materialized (
          select key from executions where lease_until > $2::timestamptz and outcome is null and claim = 'none'
            and instance <> all($1::text[]) order by key for update skip locked)
        update executions x set lease_until = $2::timestamptz from orphans o where x.key = o.key returning x.run_id`,
      values: [present, instant(now)],
    });
    if (freed.length === 0) return false;
    const woken = await this.db.write({
      name: 'orphan-wake',
      text: `with parked as materialized (
          select run_id from run_heads where run_id = any($1::uuid[]) and not in_turn and wake_at > $2::timestamptz
          order by run_id for update skip locked)
        update run_heads h set wake_at = $2::timestamptz from parked p where h.run_id = p.run_id returning 1`,
      values: [[...new Set(freed.map((row) => row.run_id))], instant(now)],
    });
    return woken.length > 0;
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
