import { RunVerdict } from '@devmesh/contracts/run';
import type { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { remembered } from '@devmesh/service-kit/metrics/remembered';
import type { ApprovalsRepository } from '../approvals/approvals.repository.js';
import { readLastBackup } from '../backup/last-backup.js';
import type { DatabaseCounts } from '../database/database.js';
import type { RunsRepository } from '../runs/runs.repository.js';

/** How old an answer of the database may be at a scrape, ms: several scrapers cost no more than one. */
const FRESH_MS = 1_000;

export interface StateMetricsOptions {
  readonly metrics: Metrics;
  readonly runs: RunsRepository;
  readonly approvals: ApprovalsRepository;
  readonly counts: DatabaseCounts;
  /** The data folder, where a backup leaves word. */
  readonly home: string;
  /** Unix ms. */
  readonly now: () => number;
}

/** Gauges that come from rows, and the counts of what the database was asked. */
export class StateMetrics {
  constructor(private readonly options: StateMetricsOptions) {
    const { metrics, counts, now } = options;
    const load = remembered(() => options.runs.load(now()), FRESH_MS, now);
    // The gauges of one scrape are read together: one statement answers both, and the next scrape sees the next approval.
    let counting: ReturnType<ApprovalsRepository['countOpen']> | undefined;
    const approvals = () =>
      (counting ??= options.approvals.countOpen(now()).finally(() => {
        counting = undefined;
      }));
    metrics.gauge('active_workflows', async (gauge) => gauge.set((await load()).activeRuns));
    metrics.gauge('oldest_runnable_seconds', async (gauge) => gauge.set((await load()).oldestWaitMs / 1000));
    metrics.gauge('approvals_pending', async (gauge) => gauge.set((await approvals()).open));
    metrics.gauge('approvals_overdue', async (gauge) => gauge.set((await approvals()).overdue));
    metrics.gauge('backup_last_success_timestamp_seconds', async (gauge) => {
      const last = await readLastBackup(options.home);
      if (last === null) gauge.remove();
      else gauge.set(Date.parse(last.at) / 1000);
    });
    // A series that begins at its first event has no increase then: an alert would miss it.
    metrics.histogram('workflow_duration_seconds');
    for (const status of RunVerdict.options) metrics.counter('workflows_total').inc({ status }, 0);
    metrics.gauge('state_transactions_total', (gauge) => gauge.set(counts.transactions));
    metrics.gauge('state_statements_total', (gauge) => gauge.set(counts.statements));
  }

  /** A run has ended. */
  ended(verdict: string, durationMs: number): void {
    const { metrics } = this.options;
    metrics.counter('workflows_total').inc({ status: verdict });
    metrics.histogram('workflow_duration_seconds').observe(durationMs / 1000);
  }
}
