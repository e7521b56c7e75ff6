import { contentOf } from '@devmesh/contracts/run';
import type { ImportRun } from '@devmesh/contracts/run-export';
import { printable, type Database } from '../database/database.js';

/** Runs that come whole from elsewhere. */
export class ImportsRepository {
  constructor(private readonly db: Database) {}

  /** All of the run or nothing; false when there is no such project or workflow. */
  async insert(run: ImportRun): Promise<boolean> {
    const { runId, ended } = run;
    return this.db.transaction(async (send) => {
      const made = await send({
        name: 'import-run',
        text: `insert into runs (id, project_id, workflow_digest, workflow_name, task, repository, bundles, created_at)
          select $1::uuid, p.id, w.digest, $4::text, $5::text, $6::json, $8::jsonb, $7::timestamptz
          from projects p, workflows w where p.id = $2::text and w.digest = $3::text returning id`,
        values: [
          runId,
          run.projectId,
          run.workflow.digest,
          run.workflow.name,
          printable(run.task),
          run.repository === null ? null : JSON.stringify(run.repository),
          run.createdAt,
          run.repository === null ? null : JSON.stringify(contentOf(run.repository)),
        ],
      });
      if (made.length === 0) return false;
      await send({
        name: 'import-head',
        text: `insert into run_heads (run_id, status, verdict, reason, last_seq, updated_at, ended_at)
          values ($1::uuid, 'ended', $2::text, $3::text, $4::int, $5::timestamptz, $5::timestamptz)`,
        values: [runId, ended.verdict, printable(ended.reason), run.events.length, ended.at],
      });
      await send({
        name: 'import-events',
        text: `insert into run_events (run_id, seq, event)
          select $1::uuid, e.seq, e.event from unnest($2::json[]) with ordinality as e(event, seq)`,
        values: [runId, run.events.map((event) => JSON.stringify(event))],
      });
      await send({
        name: 'import-artifacts',
        text: `insert into run_artifacts (run_id, step, iteration, name, digest, media_type, size)
          select $1::uuid, a.* from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::bigint[]) as a
          on conflict do nothing`,
        values: [
          runId,
          run.artifacts.map(({ step }) => step),
          run.artifacts.map(({ iteration }) => iteration),
          run.artifacts.map(({ name }) => printable(name)),
          run.artifacts.map(({ digest }) => digest),
          run.artifacts.map(({ mediaType }) => printable(mediaType)),
          run.artifacts.map(({ size }) => size),
        ],
      });
      return true;
    });
  }
}
