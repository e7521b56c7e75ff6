import type { Metrics } from '@devmesh/service-kit/metrics/metrics';
import type { DatabaseCounts } from '../database/database.js';
import type { RunsRepository } from '../runs/runs.repository.js';

/** How old an answer of the database may be at a scrape, ms: several scrapers cost no more than one. */
const FRESH_MS = 1_000;

export interface StateMetricsOptions {
  readonly metrics: Metrics;
  readonly runs: RunsRepository;
  readonly counts: DatabaseCounts;
  /** Unix ms. */
  readonly now: () => number;
}

/** Gauges that come from rows, and the counts of what the database was asked. */
export class StateMetrics {
  private last: { readonly at: number; readonly rows: ReturnType<RunsRepository['gauges']> } | undefined;

  constructor(private readonly options: StateMetricsOptions) {
    const { metrics, counts, now } = options;
    metrics.gauge('active_workflows', async (gauge) => gauge.set((await this.rows()).active));
    metrics.gauge('oldest_runnable_seconds', async (gauge) => {
      const { oldestDueAt } = await this.rows();
      gauge.set(oldestDueAt === null ? 0 : Math.max(0, (now() - oldestDueAt) / 1000));
    });
    metrics.gauge('state_transactions_total', (gauge) => gauge.set(counts.transactions));
    metrics.gauge('state_statements_total', (gauge) => gauge.set(counts.statements));
  }

  /** A run has ended. */
  ended(verdict: string, durationMs: number): void {
    const { metrics } = this.options;
    metrics.counter('workflows_total').inc({ status: verdict });
    metrics.histogram('workflow_duration_seconds').observe(durationMs / 1000);
  }

  private rows(): ReturnType<RunsRepository['gauges']> {
    const { runs, now } = this.options;
    if (this.last === undefined || now() - this.last.at >= FRESH_MS) {
      const rows = runs.gauges();
      rows.catch(() => (this.last = undefined));
      this.last = { at: now(), rows };
    }
    return this.last.rows;
  }
}
