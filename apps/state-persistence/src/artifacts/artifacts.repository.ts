import type { RunArtifact } from '@devmesh/contracts/run';
import { instant, type Database } from '../database/database.js';

/** Which artifacts there are, and which runs name them. */
export class ArtifactsRepository {
  constructor(private readonly db: Database) {}

  async add(digest: string, size: number, now: number): Promise<void> {
    await this.db.write({
      name: 'add-artifact',
      text: `insert into artifacts (digest, size, created_at) values ($1::text, $2::bigint, $3::timestamptz)
        on conflict (digest) do nothing`,
      values: [digest, size, instant(now)],
    });
  }

  /** The artifacts that a run's outputs name, by step and name; null when there is no such run. */
  async ofRun(runId: string): Promise<RunArtifact[] | null> {
    const rows = await this.db.read<{
      step: string | null;
      iteration: number;
      name: string;
      digest: string;
      media_type: string;
      size: string;
    }>({
      name: 'run-artifacts',
      text: `select a.step, a.iteration, a.name, a.digest, a.media_type, a.size
        from runs r left join run_artifacts a on a.run_id = r.id where r.id = $1::uuid
        order by a.step, a.iteration, a.name, a.digest`,
      values: [runId],
    });
    if (rows.length === 0) return null;
    return rows.flatMap((row) =>
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
  }
}
