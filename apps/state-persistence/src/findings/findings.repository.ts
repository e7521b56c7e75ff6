import { createHash } from 'node:crypto';
import type { FindingClass, Severity } from '@devmesh/contracts/finding';
import type {
  FindingFate,
  FindingRecord,
  FindingVerdict,
  SeenFinding,
  SeenFindings,
} from '@devmesh/contracts/finding-fate';
import type { RunId } from '@devmesh/contracts/ids';
import { Args, instant, printable, unnest, type Database } from '../database/database.js';

interface FindingRow {
  readonly fingerprint: string;
  readonly rule: string;
  readonly class: FindingClass;
  readonly severity: Severity;
  readonly path: string;
  readonly fate: FindingFate;
  readonly since: Date;
  readonly first_run_id: string;
  readonly last_run_id: string;
  readonly judged_by: string | null;
  readonly reason: string | null;
}

/** Whose findings those of a run are. */
export interface FindingOwner {
  readonly projectId: string;
  /** SHA-256 of the origin. */
  readonly repository: string;
  readonly commit: string;
}

export interface FateCount {
  readonly rule: string;
  readonly fate: FindingFate;
  readonly count: number;
}

const COLUMNS: Parameters<typeof unnest<SeenFinding>>[2] = [
  ['text', ({ fingerprint }) => fingerprint],
  ['text', ({ rule }) => printable(rule)],
  ['text', (one) => one.class],
  ['text', ({ severity }) => severity],
  ['text', ({ path }) => printable(path)],
];

/** Findings on record, and what became of them. */
export class FindingsRepository {
  constructor(private readonly db: Database) {}

  /** Undefined for a run that is not there, null for one without a repository. */
  async ownerOf(runId: RunId): Promise<FindingOwner | null | undefined> {
    const [row] = await this.db.read<{ project_id: string; origin: string | null; commit: string | null }>({
      name: 'finding-owner',
      text: `select project_id, repository->>'origin' as origin, repository->'ref'->>'base' as commit from runs where id = $1::uuid`,
      values: [runId],
    });
    if (row === undefined) return undefined;
    if (row.origin === null || row.commit === null) return null;
    const repository = createHash('sha256').update(row.origin).digest('hex');
    return { projectId: row.project_id, repository, commit: row.commit };
  }

  /** Writes what a run has seen; does nothing when a later run of the repository has been here. */
  async record(runId: RunId, owner: FindingOwner, { findings, unsure }: SeenFindings, now: number): Promise<void> {
    const { projectId, repository, commit } = owner;
    await this.db.transaction(async (run) => {
      // One review of a repository after the other.
      await run({
        name: 'lock-findings',
        text: `select pg_advisory_xact_lock(hashtextextended($1::text, 7))`,
        values: [`${projectId}/${repository}`],
      });
      const [later] = await run<{ last_run_id: string }>({
        name: 'latest-findings',
        text: `select last_run_id from findings where project_id = $1::text and repository = $2::text and last_run_id > $3::uuid limit 1`,
        values: [projectId, repository, runId],
      });
      if (later !== undefined) return;
      for (const state of ['told', 'suppressed', 'untold'] as const) {
        const rows = findings.filter((one) => one.state === state);
        if (rows.length === 0) continue;
        const args = new Args();
        const [project, repo, id, at, base] = [
          args.add(projectId, 'text'),
          args.add(repository, 'text'),
          args.add(runId, 'uuid'),
          args.add(instant(now), 'timestamptz'),
          args.add(commit, 'text'),
        ];
        await run({
          name: `see-findings-${state}`,
          text: `insert into findings as f (project_id, repository, fingerprint, rule, class, severity, path, fate, since, first_run_id, last_run_id, last_commit)
            select ${project}, ${repo}, s.fingerprint, s.rule, s.class, s.severity, s.path, ${state === 'suppressed' ? `'suppressed'` : `'open'`}, ${at}, ${id}, ${id}, ${base}
            from ${unnest(args, rows, COLUMNS)} as s(fingerprint, rule, class, severity, path)
            on conflict (project_id, repository, fingerprint) do update set
              rule = excluded.rule, class = excluded.class, severity = excluded.severity, path = excluded.path,
              fate = ${NEXT[state]}, since = case when ${NEXT[state]} = f.fate then f.since else excluded.since end,
              last_run_id = excluded.last_run_id, last_commit = excluded.last_commit`,
          values: args.values,
        });
      }
      await run({
        name: 'fix-findings',
        text: `update findings set fate = 'fixed', since = $4::timestamptz where project_id = $1::text and repository = $2::text
          and last_run_id < $3::uuid and fate in ('open', 'accepted') and not (path = any($5::text[]))`,
        values: [projectId, repository, runId, instant(now), unsure.map(printable)],
      });
    });
  }

  /** Those that were there when the run looked, by path. */
  async ofRun(runId: RunId, { projectId, repository }: FindingOwner, limit: number): Promise<FindingRecord[]> {
    const rows = await this.db.read<FindingRow>({
      name: 'findings-of-run',
      text: `select * from findings where project_id = $1::text and repository = $2::text
        and first_run_id <= $3::uuid and last_run_id >= $3::uuid order by path, rule, fingerprint limit $4::int`,
      values: [projectId, repository, runId, limit],
    });
    return rows.map(record);
  }

  /** Null when the repository has no such finding on record. */
  async judge(
    { projectId, repository }: FindingOwner,
    fingerprint: string,
    { verdict, reason, by }: FindingVerdict,
    now: number,
  ): Promise<FindingRecord | null> {
    const [row] = await this.db.write<FindingRow>({
      name: 'judge-finding',
      text: `update findings set since = case when fate = $4::text then since else $5::timestamptz end,
          fate = $4::text, judged_by = $6::text, reason = $7::text
        where project_id = $1::text and repository = $2::text and fingerprint = $3::text returning *`,
      values: [projectId, repository, fingerprint, verdict, instant(now), printable(by), printable(reason)],
    });
    return row === undefined ? null : record(row);
  }

  counts(projectId: string): Promise<FateCount[]> {
    return this.db.read<FateCount>({
      name: 'finding-counts',
      text: `select rule, fate, count(*)::int as count from findings where project_id = $1::text group by rule, fate order by rule`,
      values: [projectId],
    });
  }

  rejected({ projectId, repository }: FindingOwner): Promise<{ fingerprint: string; reason: string }[]> {
    return this.db.read({
      name: 'rejected-findings',
      text: `select fingerprint, reason from findings where project_id = $1::text and repository = $2::text and fate = 'rejected'
        order by fingerprint limit 100000`,
      values: [projectId, repository],
    });
  }
}

const JUDGED = `f.fate in ('confirmed', 'rejected')`;

/** What a finding becomes when it is seen again: `f` is what is on record, `excluded` what is seen. The same run twice changes nothing. */
const NEXT: Readonly<Record<SeenFinding['state'], string>> = {
  told: `(case when ${JUDGED} or f.last_run_id = excluded.last_run_id then f.fate
    when f.fate = 'accepted' or (f.fate = 'open' and f.last_commit <> excluded.last_commit) then 'accepted' else 'open' end)`,
  suppressed: `(case when ${JUDGED} then f.fate else 'suppressed' end)`,
  untold: `f.fate`,
};

function record(row: FindingRow): FindingRecord {
  return {
    fingerprint: row.fingerprint,
    rule: row.rule,
    class: row.class,
    severity: row.severity,
    path: row.path,
    fate: row.fate,
    since: row.since.toISOString(),
    firstRunId: row.first_run_id,
    lastRunId: row.last_run_id,
    judgedBy: row.judged_by,
    reason: row.reason,
  };
}
