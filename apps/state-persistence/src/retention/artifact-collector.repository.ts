import { instant, type Database } from '../database/database.js';

export interface Collected {
  readonly artifacts: number;
  readonly bytes: number;
}

/** As `Collected`, and how many were looked at. */
export interface Looked extends Collected {
  readonly looked: number;
}

/** Which artifacts nothing refers to. */
export class ArtifactCollectorRepository {
  constructor(private readonly db: Database) {}

  /**
   * Looks at artifacts whose time has come. What something refers to is kept until it is let go of; of the rest `remove` takes
   * the file, and then the row goes. `remove` answers the digests that it could not remove: those are looked at again at `retryAt`.
   *
   * All of this while the artifacts' rows are locked: an upload, or whoever asks whether one is there, waits, and then
   * finds neither file nor row, or has come first and moved the time.
   */
  async collect(
    batch: { readonly limit: number; readonly now: number; readonly retryAt: number },
    remove: (digests: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<Looked> {
    return this.db.transaction(async (run) => {
      const due = await run<{ digest: string; size: string }>({
        name: 'due-artifacts',
        text: `select digest, size from artifacts where collect_at <= $1::timestamptz
          order by collect_at, digest limit $2::int for update skip locked`,
        values: [instant(batch.now), batch.limit],
      });
      if (due.length === 0) return { looked: 0, artifacts: 0, bytes: 0 };
      // A statement of its own: it sees what was committed while the one before waited for its locks.
      const referenced = await run<{ digest: string }>({
        name: 'referenced-artifacts',
        text: REFERENCED,
        values: [due.map((one) => one.digest)],
      });
      const kept = new Set(referenced.map((one) => one.digest));
      const loose = due.filter((one) => !kept.has(one.digest));
      const stuck = await remove(loose.map((one) => one.digest));
      const gone = loose.filter((one) => !stuck.has(one.digest));
      await run({
        name: 'settle-artifacts',
        text: `with gone as (delete from artifacts where digest = any($1::text[]))
          update artifacts set collect_at = case when digest = any($2::text[]) then $3::timestamptz end
          where digest = any($2::text[] || $4::text[])`,
        values: [gone.map((one) => one.digest), [...stuck], instant(batch.retryAt), [...kept]],
      });
      return {
        looked: due.length,
        artifacts: gone.length,
        bytes: gone.reduce((sum, one) => sum + Number(one.size), 0),
      };
    });
  }
}

/**
 * Those of the digests that something refers to: the list of artifacts or the repository of a run that is not pruned, or what a run
 * that has not ended was told and has not taken in yet. The last is found by its text: an outcome may name digests anywhere. Scalar
 * subqueries are lookups by index, one a digest, whatever the planner believes of the tables.
 */
const REFERENCED = `with asked as materialized (select digest from unnest($1::text[]) a(digest)),
    told as (
      select message::text as said from inbox where not consumed
      union all
      select x.outcome::text from run_heads h join executions x on x.run_id = h.run_id
      where h.status <> 'ended' and x.outcome is not null)
  select digest from asked where (select true from run_artifacts a where a.digest = asked.digest limit 1)
  union
  select digest from asked where (select true from runs r where r.bundles @> jsonb_build_array(asked.digest) limit 1)
  union
  select m[1] from told, regexp_matches(told.said, '[0-9a-f]{64}', 'g') m where m[1] in (select digest from asked)`;
