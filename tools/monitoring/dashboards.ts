/** Grafana's names of units. */
type Unit = 'short' | 's' | 'percentunit' | 'reqps' | 'bytes';

export interface Query {
  readonly expr: string;
  /** Grafana's template of a series' name; may use `{{label}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly says: string;
  readonly kind: 'stat' | 'timeseries';
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** From this value on it is shown in red. */
  readonly bad?: number;
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

const one = (expr: string, legend: string): readonly Query[] => [{ expr, legend }];
const failed = 'status!~"succeeded|cancelled"';

const SYSTEM_OVERVIEW: Dashboard = {
  uid: 'devmesh-system',
  title: 'System Overview',
  panels: [
    {
      title: 'Services that answer',
      says: 'Of nine, by their last scrape.',
      kind: 'stat',
      unit: 'short',
      queries: one('count(count by (job) (up == 1))', 'up'),
    },
    {
      title: 'Runs in 24 h',
      says: 'Runs that ended, whatever their verdict.',
      kind: 'stat',
      unit: 'short',
      queries: one('round(sum(increase(workflows_total[24h])))', 'runs'),
    },
    {
      title: 'Success rate in 24 h',
      says: 'Runs that passed, of all that ended and that nobody cancelled.',
      kind: 'stat',
      unit: 'percentunit',
      queries: one(
        'sum(increase(workflows_total{status="passed"}[24h])) / sum(increase(workflows_total{status!="cancelled"}[24h]))',
        'passed',
      ),
    },
    {
      title: 'Active runs',
      says: 'Running or stuck; those that are queued or paused are not.',
      kind: 'stat',
      unit: 'short',
      queries: one('max(active_workflows)', 'active'),
    },
    {
      title: 'Approvals that wait',
      says: 'And those that are overdue.',
      kind: 'stat',
      unit: 'short',
      queries: [
        { expr: 'max(approvals_pending)', legend: 'wait' },
        { expr: 'max(approvals_overdue)', legend: 'overdue' },
      ],
    },
    {
      title: 'Uptime',
      says: 'Since the process began.',
      kind: 'timeseries',
      unit: 's',
      queries: one('time() - process_start_time_seconds', '{{job}} {{instance}}'),
    },
    {
      title: 'Waiting for a turn',
      says: 'Jobs on the queue, and how long the run has waited that waits longest.',
      kind: 'timeseries',
      unit: 'short',
      queries: [
        { expr: 'max(queue_depth)', legend: 'jobs' },
        { expr: 'max(oldest_runnable_seconds)', legend: 'oldest, s' },
      ],
    },
    {
      title: 'Requests',
      says: 'A second, by service; probes are left out.',
      kind: 'timeseries',
      unit: 'reqps',
      queries: one('job:http_requests:rate5m', '{{job}}'),
    },
    {
      title: 'Errors of services',
      says: 'Share of 5xx among the answers.',
      kind: 'timeseries',
      unit: 'percentunit',
      queries: one('job:http_errors:ratio_rate5m', '{{job}}'),
      bad: 0.05,
    },
    {
      title: 'CPU',
      says: 'Share of one core.',
      kind: 'timeseries',
      unit: 'percentunit',
      queries: one('instance:process_cpu:rate2m', '{{job}} {{instance}}'),
      bad: 0.8,
    },
    {
      title: 'Memory',
      says: 'Resident.',
      kind: 'timeseries',
      unit: 'bytes',
      queries: one('process_resident_memory_bytes', '{{job}} {{instance}}'),
    },
    {
      title: 'Event loop',
      says: 'Share of time that a process was busy between two scrapes.',
      kind: 'timeseries',
      unit: 'percentunit',
      queries: one('nodejs_eventloop_utilization_ratio', '{{job}} {{instance}}'),
    },
    {
      title: 'Free disk',
      says: 'Of the disk with the data folder.',
      kind: 'timeseries',
      unit: 'percentunit',
      queries: one('instance:data_disk_free:ratio', '{{job}} {{instance}}'),
    },
  ],
};

const WORKFLOW_PERFORMANCE: Dashboard = {
  uid: 'devmesh-workflows',
  title: 'Workflow Performance',
  panels: [
    {
      title: 'Time of runs',
      says: 'From submit to end, over five minutes.',
      kind: 'timeseries',
      unit: 's',
      queries: [
        { expr: 'mesh:workflow_duration_seconds:p50_5m', legend: 'p50' },
        { expr: 'mesh:workflow_duration_seconds:p95_5m', legend: 'p95' },
        { expr: 'mesh:workflow_duration_seconds:p99_5m', legend: 'p99' },
      ],
    },
    {
      title: 'Throughput per hour',
      says: 'Runs that ended in the last hour, by verdict.',
      kind: 'timeseries',
      unit: 'short',
      queries: one('sum by (status) (increase(workflows_total[1h]))', '{{status}}'),
    },
    {
      title: 'Failure rate',
      says: 'Over five minutes; cancelled runs are not counted.',
      kind: 'timeseries',
      unit: 'percentunit',
      queries: one('mesh:workflow_failures:ratio_rate5m', 'failed'),
      bad: 0.2,
    },
    {
      title: 'Parallel against sequence',
      says: 'What the steps took, one after the other, and what the runs took: the quotient is what running side by side won.',
      kind: 'timeseries',
      unit: 's',
      queries: [
        { expr: 'sum(increase(agent_execution_seconds_sum[1h]))', legend: 'steps in sequence' },
        { expr: 'sum(increase(workflow_duration_seconds_sum[1h]))', legend: 'runs as they were' },
      ],
    },
    {
      title: 'Failures by agent',
      says: 'Steps that failed, timed out or were lost, in the last hour.',
      kind: 'timeseries',
      unit: 'short',
      queries: one(`sum by (agent, status) (increase(agent_calls_total{${failed}}[1h]))`, '{{agent}} {{status}}'),
    },
  ],
};

const AGENT_ACTIVITY: Dashboard = {
  uid: 'devmesh-agents',
  title: 'Agent Activity',
  panels: [
    {
      title: 'Requests',
      says: 'Steps that ended in the last hour, by agent.',
      kind: 'timeseries',
      unit: 'short',
      queries: one('sum by (agent) (increase(agent_calls_total[1h]))', '{{agent}}'),
    },
    {
      title: 'Response time',
      says: 'Of actions, p95 over five minutes.',
      kind: 'timeseries',
      unit: 's',
      queries: one('agent:agent_execution_seconds:p95_5m', '{{agent}}'),
    },
    {
      title: 'Breaker states',
      says: '0 closed, 1 half open, 2 open; by caller and callee.',
      kind: 'timeseries',
      unit: 'short',
      queries: one('max by (job, service) (circuit_breaker_state)', '{{job}} → {{service}}'),
      bad: 2,
    },
    {
      title: 'Retrieval',
      says: 'Searches in the last hour, and how long one took, p95.',
      kind: 'timeseries',
      unit: 'short',
      queries: [
        { expr: 'sum(increase(rag_query_duration_seconds_count[1h]))', legend: 'searches' },
        {
          expr: 'histogram_quantile(0.95, sum by (le) (rate(rag_query_duration_seconds_bucket[1h])))',
          legend: 'p95, s',
        },
      ],
    },
    {
      title: 'Findings',
      says: 'Of reviews in the last hour, by severity.',
      kind: 'timeseries',
      unit: 'short',
      queries: one('sum by (severity) (increase(code_review_findings[1h]))', '{{severity}}'),
    },
  ],
};

export const DASHBOARDS: readonly Dashboard[] = [SYSTEM_OVERVIEW, WORKFLOW_PERFORMANCE, AGENT_ACTIVITY];
