import type { RunArtifact } from '@devmesh/contracts/run';
import { instant, type Database } from '../database/database.js';

/** Which artifacts there are, and which runs name them. */
export class ArtifactsRepository {
  constructor(private readonly db: Database) {}

  /** Puts an artifact on record, or says that it is wanted, and until when it is kept though nothing refers to it. */
  async add(digest: string, size: number, now: number, keepUntil: number): Promise<void> {
    await this.db.write({
      name: 'add-artifact',
      text: `insert into artifacts as a (digest, size, created_at, collect_at)
        values ($1::text, $2::bigint, $3::timestamptz, $4::timestamptz)
        on conflict (digest) do update set collect_at = greatest(a.collect_at, excluded.collect_at)`,
      values: [digest, size, instant(now), instant(keepUntil)],
    });
  }

  /**
   * Says that an artifact to which nothing may refer is wanted. One that is just being removed is waited for; afterwards it is
   * not there.
   */
  async keep(digest: string, keepUntil: number): Promise<void> {
    await this.db.write({
      name: 'keep-artifact',
      text: `update artifacts set collect_at = $2::timestamptz
        where digest = $1::text and collect_at < $2::timestamptz - interval '1 hour'`,
      values: [digest, instant(keepUntil)],
    });
  }

  /** The artifacts that a run's outputs name, by step and name, and when they were forgotten; null when there is no such run. */
  async ofRun(runId: string): Promise<{ items: RunArtifact[]; prunedAt: Date | null } | null> {
    const rows = await this.db.read<{
      pruned_at: Date | null;
      step: string | null;
      iteration: number;
      name: string;
      digest: string;
      media_type: string;
      size: string;
    }>({
      name: 'run-artifacts',
      text: `select h.pruned_at, a.step, a.iteration, a.name, a.digest, a.media_type, a.size
        from run_heads h left join run_artifacts a on a.run_id = h.run_id where h.run_id = $1::uuid
        order by a.step, a.iteration, a.name, a.digest`,
      values: [runId],
    });
    const [first] = rows;
    if (first === undefined) return null;
    const items = rows.flatMap((row) =>
      row.step === null
        ? []
        : [
            {
              step: row.step,
              iteration: row.iteration,
              name: row.name,
              digest: row.digest,
              mediaType: row.media_type,
              size: Number(row.size),
            },
          ],
    );
    return { items, prunedAt: first.pruned_at };
  }
}
