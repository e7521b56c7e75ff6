import type { StoredEvent } from '@devmesh/contracts/event';
import type { RunRepository, RunStatus, RunVerdict } from '@devmesh/contracts/run';
import type { RunRecord } from '@devmesh/contracts/state-api';
import { Args, type Database } from '../database/database.js';

interface RunRow {
  readonly id: string;
  readonly project_id: string;
  readonly workflow_digest: string;
  readonly workflow_name: string;
  readonly task: string;
  readonly repository: RunRepository | null;
  readonly created_at: Date;
  readonly status: RunStatus;
  readonly verdict: RunVerdict | null;
  readonly reason: string | null;
  readonly last_seq: number;
  readonly turn_failures: number;
  readonly last_turn_error: string | null;
  readonly updated_at: Date;
  readonly ended_at: Date | null;
}

const RUN = `r.id, r.project_id, r.workflow_digest, r.workflow_name, r.task, r.repository, r.created_at,
  h.status, h.verdict, h.reason, h.last_seq, h.turn_failures, h.last_turn_error, h.updated_at, h.ended_at`;

export interface RunFilter {
  readonly projectId: string | null;
  readonly status: RunStatus | null;
  /** Only runs that were created before this one. */
  readonly before: string | null;
  readonly limit: number;
}

/** Runs as people ask for them. */
export class RunsRepository {
  constructor(private readonly db: Database) {}

  async find(runId: string): Promise<RunRecord | null> {
    const [row] = await this.db.read<RunRow>({
      name: 'find-run',
      text: `select ${RUN} from runs r join run_heads h on h.run_id = r.id where r.id = $1::uuid`,
      values: [runId],
    });
    return row === undefined ? null : record(row);
  }

  /** Newest first. */
  async list({ projectId, status, before, limit }: RunFilter): Promise<RunRecord[]> {
    const args = new Args();
    const where: [name: string, condition: string][] = [];
    if (before !== null) where.push(['before', `r.id < ${args.add(before, 'uuid')}`]);
    if (projectId !== null) where.push(['project', `r.project_id = ${args.add(projectId, 'text')}`]);
    if (status !== null) where.push(['status', `h.status = ${args.add(status, 'text')}`]);
    // Unended runs are few among many, and have an index of their own; the planner takes it for this very condition.
    if (status !== null && status !== 'ended') where.push(['unended', `h.status <> 'ended'`]);
    const rows = await this.db.read<RunRow>({
      name: ['list-runs', ...where.map(([name]) => name)].join('-'),
      text: `select ${RUN} from runs r join run_heads h on h.run_id = r.id
        where ${['true', ...where.map(([, condition]) => condition)].join(' and ')}
        order by r.id desc limit ${args.add(limit, 'int')}`,
      values: args.values,
    });
    return rows.map(record);
  }

  /** Events after a number, in order, and whether the run has ended; null when there is no such run. */
  async events(
    runId: string,
    after: number,
    limit: number,
  ): Promise<{ events: StoredEvent[]; ended: boolean; lastSeq: number } | null> {
    const rows = await this.db.read<{
      status: RunStatus;
      last_seq: number;
      seq: number | null;
      event: StoredEvent['event'] | null;
    }>({
      name: 'run-events',
      text: `select h.status, h.last_seq, e.seq, e.event from run_heads h left join lateral (
          select seq, event from run_events where run_id = h.run_id and seq > $2::int order by seq limit $3::int) e on true
        where h.run_id = $1::uuid order by e.seq`,
      values: [runId, after, limit],
    });
    const [first] = rows;
    if (first === undefined) return null;
    return {
      events: rows.flatMap((row) =>
        row.seq === null || row.event === null ? [] : [{ seq: row.seq, event: row.event }],
      ),
      ended: first.status === 'ended',
      lastSeq: first.last_seq,
    };
  }

  /** How many runs have not ended, and since when the one that waits longest for a turn has been due, Unix ms. */
  async gauges(): Promise<{ active: number; oldestDueAt: number | null }> {
    const [row] = await this.db.read<{ active: number; due: Date | null }>({
      name: 'run-gauges',
      text: `select (select count(*)::int from run_heads where status <> 'ended') as active,
        (select wake_at from run_heads where wake_at is not null order by wake_at, run_id limit 1) as due`,
      values: [],
    });
    return { active: row?.active ?? 0, oldestDueAt: row?.due?.getTime() ?? null };
  }
}

function record(row: RunRow): RunRecord {
  return {
    id: row.id,
    projectId: row.project_id,
    workflow: row.workflow_name,
    workflowDigest: row.workflow_digest,
    task: row.task,
    repository: row.repository,
    status: row.status,
    verdict: row.verdict,
    reason: row.reason,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    lastSeq: row.last_seq,
    turnFailures: row.turn_failures,
    lastTurnError: row.last_turn_error,
  };
}
