import { SERVICE_NAMES } from '@devmesh/contracts/services';
import type { Alert } from './alert.ts';
import { HOST_ALERTS } from './host-alerts.ts';

const anyService = `job=~"${SERVICE_NAMES.join('|')}"`;
const others = SERVICE_NAMES.filter((name) => name !== 'cicd');
const up = (names: readonly string[], values: string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [`up{job="${name}", instance="a"}`, values]));
const http = (status: string, values: string, route = '/v1/runs'): Record<string, string> => ({
  [`http_request_duration_seconds_count{job="gateway", route="${route}", status="${status}"}`]: values,
});
const bucket = (le: string, values: string, route = '/v1/runs'): Record<string, string> => ({
  [`http_request_duration_seconds_bucket{job="gateway", route="${route}", status="200", le="${le}"}`]: values,
});

/** Every alert of the mesh, by name; each has a runbook of that name. */
export const ALERTS: Readonly<Record<string, Alert>> = {
  ServiceDown: {
    severity: 'critical',
    // An instance that died vanishes from Consul, so that its service is missed, and not only its `up`.
    expr: [
      ...SERVICE_NAMES.map((name) => `label_replace(absent(up{job="${name}"} == 1), "job", "${name}", "", "")`),
      `(up{${anyService}} == 0 and on (job) up == 1)`,
    ].join('\nor '),
    for: '2m',
    summary: '{{ $labels.job }} does not answer',
    cases: [
      {
        series: { ...up(others, '1x20'), ...up(['cicd'], '1x4 0x15') },
        at: '2m45s',
        fires: [],
      },
      {
        series: { ...up(others, '1x20'), ...up(['cicd'], '1x4 0x15') },
        at: '3m30s',
        fires: [{ labels: { job: 'cicd' } }],
      },
      {
        // It was removed from Consul, and with it its series.
        series: { ...up(others, '1x20'), ...up(['cicd'], '1x4 stale') },
        at: '3m30s',
        fires: [{ labels: { job: 'cicd' } }],
      },
      {
        series: { ...up(SERVICE_NAMES, '1x20'), 'up{job="cicd", instance="b"}': '0x20' },
        at: '3m',
        fires: [{ labels: { job: 'cicd', instance: 'b' } }],
      },
    ],
  },
  HighWorkflowFailureRate: {
    severity: 'critical',
    expr: 'mesh:workflow_failures:ratio_rate5m > 0.2',
    for: '5m',
    summary: '{{ $value | humanizePercentage }} of the runs fail',
    cases: [
      {
        series: {
          'workflows_total{job="state-persistence", status="failed"}': '0+1x80',
          'workflows_total{job="state-persistence", status="passed"}': '0+3x80',
          'workflows_total{job="state-persistence", status="cancelled"}': '0+9x80',
        },
        at: '12m',
        fires: [{ labels: {}, value: '25%' }],
      },
      {
        series: {
          'workflows_total{job="state-persistence", status="failed"}': '0+1x80',
          'workflows_total{job="state-persistence", status="passed"}': '0+4x80',
        },
        at: '12m',
        fires: [],
      },
    ],
  },
  HighErrorRate: {
    severity: 'critical',
    expr: 'job:http_errors:ratio_rate5m > 0.05',
    for: '5m',
    summary: '{{ $labels.job }} answers {{ $value | humanizePercentage }} of its requests with an error of its own',
    cases: [
      {
        series: { ...http('200', '0+9x80'), ...http('500', '0+1x80') },
        at: '12m',
        fires: [{ labels: { job: 'gateway' }, value: '10%' }],
      },
      { series: { ...http('200', '0+99x80'), ...http('503', '0+5x80') }, at: '12m', fires: [] },
      // Errors of callers, and probes of a service that is not ready, are none of its own.
      {
        series: { ...http('200', '0+9x80'), ...http('404', '0+9x80'), ...http('503', '0+9x80', '/health/ready') },
        at: '12m',
        fires: [],
      },
    ],
  },
  HighLatency: {
    severity: 'warning',
    expr: 'job:http_request_duration_seconds:p95_5m > 5',
    for: '10m',
    summary: '{{ $labels.job }} takes {{ $value | humanizeDuration }} for one request in twenty',
    cases: [
      {
        series: { ...bucket('5', '0+1x100'), ...bucket('10', '0+2x100'), ...bucket('+Inf', '0+2x100') },
        at: '20m',
        fires: [{ labels: { job: 'gateway' }, value: '9.5s' }],
      },
      { series: { ...bucket('5', '0+2x100'), ...bucket('+Inf', '0+2x100') }, at: '20m', fires: [] },
      {
        series: {
          ...bucket('5', '0+0x100', '/v1/runs/:runId/events'),
          ...bucket('10', '0+9x100', '/v1/runs/:runId/events'),
          ...bucket('+Inf', '0+9x100', '/v1/runs/:runId/events'),
        },
        at: '20m',
        fires: [],
      },
    ],
  },
  CircuitOpen: {
    severity: 'warning',
    // A breaker may open and close between two scrapes of a quiet minute.
    expr: 'max by (job, service) (max_over_time(circuit_breaker_state[1m])) == 2',
    for: '0s',
    summary: '{{ $labels.job }} holds back its calls to {{ $labels.service }}',
    cases: [
      {
        series: { 'circuit_breaker_state{job="orchestrator", service="code-review"}': '0 0 2 0x20' },
        at: '1m15s',
        fires: [{ labels: { job: 'orchestrator', service: 'code-review' } }],
      },
      {
        series: { 'circuit_breaker_state{job="orchestrator", service="code-review"}': '0 0 1 0x20' },
        at: '1m15s',
        fires: [],
      },
      {
        series: { 'circuit_breaker_state{job="orchestrator", service="code-review"}': '0 0 2 0x20' },
        at: '3m',
        fires: [],
      },
    ],
  },
  QueueStalled: {
    severity: 'critical',
    expr: 'max(oldest_runnable_seconds) > 60',
    for: '1m',
    summary: 'a run has waited {{ $value | humanizeDuration }} for a turn',
    cases: [
      {
        series: { 'oldest_runnable_seconds{job="state-persistence"}': '0x3 90x20' },
        at: '3m',
        fires: [{ labels: {}, value: '1m 30s' }],
      },
      { series: { 'oldest_runnable_seconds{job="state-persistence"}': '0x3 90x2 0x20' }, at: '3m', fires: [] },
    ],
  },
  QueueLong: {
    severity: 'warning',
    // Every orchestrator tells the same queue.
    expr: 'max(queue_depth) > 100',
    for: '5m',
    summary: '{{ $value | humanize }} jobs wait for a worker',
    cases: [
      {
        series: {
          'queue_depth{job="orchestrator", instance="a"}': '150x40',
          'queue_depth{job="orchestrator", instance="b"}': '150x40',
        },
        at: '6m',
        fires: [{ labels: {}, value: '150' }],
      },
      { series: { 'queue_depth{job="orchestrator", instance="a"}': '100x40' }, at: '6m', fires: [] },
    ],
  },
  ApprovalOverdue: {
    severity: 'warning',
    expr: 'max(approvals_overdue) > 0',
    for: '5m',
    summary: '{{ $value | humanize }} approvals wait, and were passed on or end soon',
    cases: [
      {
        series: { 'approvals_overdue{job="state-persistence"}': '2x40' },
        at: '6m',
        fires: [{ labels: {}, value: '2' }],
      },
      { series: { 'approvals_overdue{job="state-persistence"}': '0x40' }, at: '6m', fires: [] },
    ],
  },
  Unattended: {
    severity: 'critical',
    // Escalation: a warning that nobody ended in two hours goes where critical ones go.
    expr: 'max by (subject) (label_replace(ALERTS{alertstate="firing", severity="warning"}, "subject", "$1", "alertname", "(.+)"))',
    for: '2h',
    summary: '{{ $labels.subject }} has been firing for two hours',
    cases: [
      {
        series: { 'ALERTS{alertname="QueueLong", alertstate="firing", severity="warning"}': '1x600' },
        at: '2h1m',
        fires: [{ labels: { subject: 'QueueLong' } }],
      },
      {
        series: { 'ALERTS{alertname="QueueLong", alertstate="firing", severity="warning"}': '1x600' },
        at: '1h50m',
        fires: [],
      },
    ],
  },
  ...HOST_ALERTS,
};
