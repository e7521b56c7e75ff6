import { instant, type Database } from '../database/database.js';

/** Runs up to this one, by the time of their end and then by id. */
export interface Cutoff {
  /** Unix ms. */
  readonly endedAt: number;
  readonly runId: string;
}

export interface PruneBatch {
  readonly cutoff: Cutoff;
  /** Null: of all projects. */
  readonly projectId: string | null;
  /** As many runs as have no more events than this together, and one at least. */
  readonly maxRuns: number;
  readonly maxEvents: number;
  /** When artifacts that a run lets go of are looked at, Unix ms. */
  readonly collectAt: number;
  readonly now: number;
}

export interface Pruned {
  readonly runs: number;
  readonly events: number;
}

/** What can be pruned: of no use to an owner any more, so its wake time is gone too. */
const PRUNABLE = `h.ended_at is not null and h.pruned_at is null and h.status = 'ended' and h.wake_at is null
  and (h.ended_at, h.run_id) <= ($1::timestamptz, $2::uuid)
  and ($3::text is null or (select r.project_id from runs r where r.id = h.run_id) = $3::text)`;

/** The detail of runs that have ended. */
export class RetentionRepository {
  constructor(private readonly db: Database) {}

  /**
   * Removes the detail of the runs that ended first, in one transaction. Runs that somebody has locked, another instance that prunes
   * too, are left to it. The epoch is raised, so that an owner from before can add nothing to a run that is pruned.
   */
  async prune(batch: PruneBatch): Promise<Pruned> {
    return this.db.transaction(async (run) => {
      const candidates = await run<{ run_id: string; last_seq: number }>({
        name: 'prunable-runs',
        text: `select h.run_id, h.last_seq from run_heads h where ${PRUNABLE}
          order by h.ended_at, h.run_id limit $4::int for update skip locked`,
        values: [instant(batch.cutoff.endedAt), batch.cutoff.runId, batch.projectId, batch.maxRuns],
      });
      const ids = within(batch.maxEvents, candidates).map((one) => one.run_id);
      if (ids.length === 0) return { runs: 0, events: 0 };
      // A statement of its own: it sees all that was written before the runs were locked.
      const [row] = await run<{ events: number }>({
        name: 'prune-runs',
        text: PRUNE,
        values: [ids, instant(batch.collectAt), instant(batch.now)],
      });
      return { runs: ids.length, events: row?.events ?? 0 };
    });
  }

  /** How many runs, with how many events, could be pruned. */
  async count(cutoff: Cutoff, projectId: string | null): Promise<Pruned> {
    const [row] = await this.db.read<{ runs: number; events: string }>({
      name: 'count-prunable',
      text: `select count(*)::int as runs, coalesce(sum(h.last_seq), 0)::bigint as events from run_heads h where ${PRUNABLE}`,
      values: [instant(cutoff.endedAt), cutoff.runId, projectId],
    });
    return { runs: row?.runs ?? 0, events: Number(row?.events ?? 0) };
  }

  /** The newest run that is one too many when the detail of so many ended runs is kept; null when there are no more than that. */
  async beyond(kept: number): Promise<Cutoff | null> {
    const [row] = await this.db.read<{ ended_at: Date; run_id: string }>({
      name: 'beyond-kept',
      text: `select ended_at, run_id from run_heads where ended_at is not null and pruned_at is null
        order by ended_at desc, run_id desc offset $1::int limit 1`,
      values: [kept],
    });
    return row === undefined ? null : { endedAt: row.ended_at.getTime(), runId: row.run_id };
  }
}

/** As many runs from the first on as have no more events together; one at least. */
function within<R extends { readonly last_seq: number }>(maxEvents: number, runs: readonly R[]): readonly R[] {
  let events = 0;
  const tooMany = runs.findIndex((run, i) => (events += run.last_seq) > maxEvents && i > 0);
  return tooMany === -1 ? runs : runs.slice(0, tooMany);
}

/** Approvals, effects and idempotency keys stay, and so does the run with its verdict. */
const PRUNE = `with event as (delete from run_events where run_id = any($1::uuid[]) returning 1),
    message as (delete from inbox where run_id = any($1::uuid[])),
    append as (delete from appends where run_id = any($1::uuid[])),
    execution as (delete from executions where run_id = any($1::uuid[])),
    bar as (delete from barred_executions where run_id = any($1::uuid[])),
    named as (delete from run_artifacts where run_id = any($1::uuid[]) returning digest),
    built as (
      select b.digest from runs r, jsonb_array_elements_text(r.bundles) b(digest) where r.id = any($1::uuid[])),
    -- In order, so that two who prune at once don't wait for each other in a circle.
    released as materialized (
      select a.digest from artifacts a where a.digest in (select digest from named union select digest from built)
      order by a.digest for update),
    looked_at as (
      update artifacts a set collect_at = greatest(a.collect_at, $2::timestamptz)
      from released where a.digest = released.digest),
    run as (update runs set bundles = null where id = any($1::uuid[]) and bundles is not null),
    head as (
      update run_heads set pruned_at = $3::timestamptz, epoch = epoch + 1, owner = null, in_turn = false, unread = 0,
        checkpoint = null, checkpoint_seq = null
      where run_id = any($1::uuid[]))
  select count(*)::int as events from event`;
