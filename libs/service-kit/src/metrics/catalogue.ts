/** Buckets in seconds. */
const SECONDS_OF_A_CALL = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SECONDS_OF_AN_EXECUTION = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const SECONDS_OF_A_RUN = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400];

/**
 * Every metric of the mesh: dashboards and alerts rely on these names. A metric is exported only by a service that asks
 * for it, so one without a source never shows up as a misleading zero.
 */
export const METRICS = {
  workflows_total: { type: 'counter', help: 'Runs that ended, by verdict', labels: ['status'] },
  workflow_duration_seconds: {
    type: 'histogram',
    help: 'Time from submit to end of a run',
    labels: [],
    buckets: SECONDS_OF_A_RUN,
  },
  active_workflows: {
    type: 'gauge',
    help: 'Runs that are running or stuck; not those that are queued or paused',
    labels: [],
  },
  agent_calls_total: { type: 'counter', help: 'Calls of agents by how they ended', labels: ['agent', 'status'] },
  agent_execution_seconds: {
    type: 'histogram',
    help: 'Time that an action ran',
    labels: ['agent', 'action'],
    buckets: SECONDS_OF_AN_EXECUTION,
  },
  circuit_breaker_state: {
    type: 'gauge',
    help: 'Breaker in front of a service: 0 closed, 1 half open, 2 open',
    labels: ['service'],
  },
  rag_query_duration_seconds: {
    type: 'histogram',
    help: 'Time of a search',
    labels: [],
    buckets: SECONDS_OF_A_CALL,
  },
  code_review_findings: { type: 'counter', help: 'Findings by severity', labels: ['severity'] },
  decision_logs_total: {
    type: 'counter',
    help: 'Verdicts of policies and guardrails',
    labels: ['decision_type', 'result'],
  },
  total_cost_dollars: { type: 'counter', help: 'Money spent on models', labels: ['agent', 'model'] },
  llm_tokens_total: { type: 'counter', help: 'Tokens used', labels: ['agent', 'model', 'direction'] },
  rate_limit_wait_seconds: {
    type: 'histogram',
    help: 'Time that calls waited for a rate limit',
    labels: [],
    buckets: SECONDS_OF_A_CALL,
  },
  approvals_pending: { type: 'gauge', help: 'Approvals that wait for a person', labels: [] },
  approvals_overdue: {
    type: 'gauge',
    help: 'Approvals that wait and were passed on to others, or whose time is three quarters gone',
    labels: [],
  },
  backup_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the last backup was whole, Unix time',
    labels: [],
  },
  certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    help: 'When the certificate that the public door shows ends, Unix time',
    labels: ['host'],
  },
  data_disk_free_bytes: { type: 'gauge', help: 'Free on the disk of the data folder, for us', labels: [] },
  data_disk_size_bytes: { type: 'gauge', help: 'Size of the disk of the data folder', labels: [] },
  queue_depth: { type: 'gauge', help: 'Jobs that wait for a worker', labels: [] },
  oldest_runnable_seconds: { type: 'gauge', help: 'Age of the run that has waited longest for a turn', labels: [] },
  runs_pruned_total: { type: 'counter', help: 'Ended runs whose detail was removed', labels: [] },
  artifacts_collected_total: { type: 'counter', help: 'Artifacts removed because nothing refers to them', labels: [] },
  artifacts_collected_bytes_total: { type: 'counter', help: 'Bytes of artifacts that were removed', labels: [] },
  state_transactions_total: { type: 'gauge', help: 'Writing transactions of state-persistence', labels: [] },
  state_statements_total: { type: 'gauge', help: 'Statements that state-persistence sent', labels: [] },
  http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time to answer a request',
    labels: ['method', 'route', 'status'],
    buckets: SECONDS_OF_A_CALL,
  },
  process_cpu_seconds_total: { type: 'gauge', help: 'CPU time of the process', labels: [] },
  process_resident_memory_bytes: { type: 'gauge', help: 'Resident memory', labels: [] },
  process_memory_limit_bytes: {
    type: 'gauge',
    help: 'Memory that the process may use: that of its container, or of the machine',
    labels: [],
  },
  process_start_time_seconds: { type: 'gauge', help: 'Start of the process, Unix time', labels: [] },
  nodejs_heap_size_used_bytes: { type: 'gauge', help: 'Heap in use', labels: [] },
  nodejs_heap_size_limit_bytes: { type: 'gauge', help: 'Heap at which the process ends', labels: [] },
  nodejs_eventloop_utilization_ratio: { type: 'gauge', help: 'Share of time the event loop was busy', labels: [] },
} as const satisfies Record<string, MetricDefinition>;

interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

type Metrics = typeof METRICS;
export type MetricName = keyof Metrics;
export type MetricOf<T extends MetricDefinition['type']> = {
  [N in MetricName]: Metrics[N]['type'] extends T ? N : never;
}[MetricName];
export type LabelOf<N extends MetricName> = Metrics[N]['labels'][number];
