/** Routes that Consul and Prometheus ask all the time; no user waits for them. */
const PROBES = '/health.*|/metrics';
/** Routes that answer when there is something to say: their time says nothing about the service. */
const WAITING_ROUTES = ['/v1/runs/due', '/v1/triggers/due', '/v1/runs/:runId/events', '/v1/artifacts/:digest'];

const asked = `route!~"${PROBES}"`;
const answeredAtOnce = `route!~"${[PROBES, ...WAITING_ROUTES].join('|')}"`;

const quantile = (q: number, selector: string, by: readonly string[], window: string): string =>
  `histogram_quantile(${q}, sum by (${[...by, 'le'].join(', ')}) (rate(${selector}[${window}])))`;

const runs = (q: number): string => quantile(q, 'workflow_duration_seconds_bucket', [], '5m');

/** Name and expression: what dashboards and alerts share. `level:metric:operation`, as is the custom. */
export const RECORDING_RULES = {
  'job:http_requests:rate5m': `sum by (job) (rate(http_request_duration_seconds_count{${asked}}[5m]))`,
  // Without an error there is no series of errors; that is a share of 0, and not no answer.
  'job:http_errors:ratio_rate5m': `(sum by (job) (rate(http_request_duration_seconds_count{${asked}, status=~"5.."}[5m])) or job:http_requests:rate5m * 0) / job:http_requests:rate5m`,
  'job:http_request_duration_seconds:p95_5m': quantile(
    0.95,
    `http_request_duration_seconds_bucket{${answeredAtOnce}}`,
    ['job'],
    '5m',
  ),
  'mesh:workflows:rate5m': 'sum by (status) (rate(workflows_total[5m]))',
  // Runs that a person cancelled are none of either kind.
  'mesh:workflow_failures:ratio_rate5m':
    'sum(rate(workflows_total{status="failed"}[5m])) / sum(rate(workflows_total{status!="cancelled"}[5m]))',
  'mesh:workflow_duration_seconds:p50_5m': runs(0.5),
  'mesh:workflow_duration_seconds:p95_5m': runs(0.95),
  'mesh:workflow_duration_seconds:p99_5m': runs(0.99),
  'agent:agent_calls:rate5m': 'sum by (agent, status) (rate(agent_calls_total[5m]))',
  'agent:agent_execution_seconds:p95_5m': quantile(0.95, 'agent_execution_seconds_bucket', ['agent'], '5m'),
  'instance:process_cpu:rate2m': 'rate(process_cpu_seconds_total[2m])',
  'instance:process_memory:ratio': 'process_resident_memory_bytes / process_memory_limit_bytes',
  'instance:nodejs_heap:ratio': 'nodejs_heap_size_used_bytes / nodejs_heap_size_limit_bytes',
  'instance:data_disk_free:ratio': 'data_disk_free_bytes / data_disk_size_bytes',
} as const satisfies Record<string, string>;
