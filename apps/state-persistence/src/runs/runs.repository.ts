import type { StoredEvent } from '@devmesh/contracts/event';
import type { RunRepository, RunStatus, RunVerdict } from '@devmesh/contracts/run';
import type { RunRecord } from '@devmesh/contracts/state-api';
import type { SystemLoad } from '@devmesh/contracts/system-status';
import { Args, instant, type Database } from '../database/database.js';

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
  readonly pruned_at: Date | null;
}

const RUN = `r.id, r.project_id, r.workflow_digest, r.workflow_name, r.task, r.repository, r.created_at,
  h.status, h.verdict, h.reason, h.last_seq, h.turn_failures, h.last_turn_error, h.updated_at, h.ended_at, h.pruned_at`;

/** After every other id. */
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

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
    if (projectId !== null) {
      // Not an equality: only the index of both columns has this order, so a small project does not read its way through large ones.
      const project = args.add(projectId, 'text');
      const end = args.add(before ?? LAST_ID, 'uuid');
      where.push(['project', `(r.project_id, r.id) < (${project}, ${end}) and r.project_id >= ${project}`]);
    } else if (before !== null) where.push(['before', `r.id < ${args.add(before, 'uuid')}`]);
    if (status !== null) where.push(['status', `h.status = ${args.add(status, 'text')}`]);
    // The order of the join is fixed, for one that the planner believes in may read all heads down to the page. Unended runs are few among
    // many, and have an index of their own; others are looked up from the newest on.
    const unended = status !== null && status !== 'ended';
    if (unended) where.push(['unended', `h.status <> 'ended'`]);
    const from = unended
      ? 'run_heads h cross join lateral (select * from runs where id = h.run_id offset 0) r'
      : 'runs r cross join lateral (select * from run_heads where run_id = r.id offset 0) h';
    const rows = await this.db.read<RunRow>({
      name: ['list-runs', ...where.map(([name]) => name)].join('-'),
      text: `select ${RUN} from ${from}
        where ${['true', ...where.map(([, condition]) => condition)].join(' and ')}
        order by ${projectId === null ? '' : 'r.project_id desc, '}r.id desc limit ${args.add(limit, 'int')}`,
      values: args.values,
    });
    return rows.map(record);
  }

  /** Events after a number, in order, and whether the run has ended; null when there is no such run. */
  async events(
    runId: string,
    after: number,
    limit: number,
  ): Promise<{ events: StoredEvent[]; ended: boolean; lastSeq: number; prunedAt: Date | null } | null> {
    const rows = await this.db.read<{
      status: RunStatus;
      last_seq: number;
      pruned_at: Date | null;
      seq: number | null;
      event: StoredEvent['event'] | null;
    }>({
      name: 'run-events',
      text: `select h.status, h.last_seq, h.pruned_at, e.seq, e.event from run_heads h left join lateral (
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
      prunedAt: first.pruned_at,
    };
  }

  /** How much there is to do. */
  async load(now: number): Promise<SystemLoad> {
    const [row] = await this.db.read<SystemLoad>({
      name: 'load',
      text: `select open.*, waiting.* from
        (select count(*) filter (where status in ('running', 'stuck'))::int as "activeRuns",
          count(*) filter (where status = 'queued')::int as "queuedRuns",
          count(*) filter (where status = 'paused')::int as "pausedRuns" from run_heads where status <> 'ended') open,
        (select coalesce(avg(w), 0)::float8 as "meanWaitMs", coalesce(max(w), 0)::float8 as "oldestWaitMs" from
          (select extract(epoch from $1::timestamptz - wake_at) * 1000 as w from run_heads where wake_at <= $1::timestamptz) x) waiting`,
      values: [instant(now)],
    });
    if (row === undefined) throw new Error('an aggregate gave no row');
    return row;
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
    ...(row.pruned_at === null ? {} : { prunedAt: row.pruned_at.toISOString() }),
  };
}
