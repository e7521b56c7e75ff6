import { readFileSync, statfsSync } from 'node:fs';
import { SERVICE_NAMES } from '@devmesh/contracts/services';
import type { MetricName } from '@devmesh/service-kit/metrics/catalogue';
import type { Sample } from '@devmesh/testing/prometheus';
import { expect } from 'vitest';
import type { Load } from './scripted-load.ts';

/** What the mesh says of itself by other ways than its metrics. */
export interface Seen {
  readonly load: Load;
  readonly home: string;
  /** Unix s at which the mesh was told to start. */
  readonly startedAt: number;
  /** Service by service, from `devmesh status`. */
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
  readonly activeRuns: number;
  readonly prunedRuns: number;
  /** Of the backup that was made, Unix s. */
  readonly backupAt: number;
}

type Check = (samples: readonly Sample[], seen: Seen) => void;

export const by = (samples: readonly Sample[], ...labels: string[]): Record<string, number> =>
  Object.fromEntries(samples.map((one) => [labels.map((label) => one.labels[label] ?? '').join(' '), one.value]));

/** The one series that there is. */
export const only = (samples: readonly Sample[]): number => {
  expect(samples).toHaveLength(1);
  return samples[0]?.value ?? Number.NaN;
};

const counted = (samples: readonly Sample[]): Sample[] => samples.filter(({ value }) => value > 0);
export const sum = (samples: readonly Sample[]): number => samples.reduce((total, { value }) => total + value, 0);
const named = (samples: readonly Sample[], name: string): Sample[] =>
  samples.filter(({ labels }) => labels['__name__'] === name);
const ofEach = (samples: readonly Sample[], ok: (value: number, pid: number) => void, { processes }: Seen): void => {
  const values = by(samples, 'job');
  expect(Object.keys(values).toSorted()).toEqual(SERVICE_NAMES.toSorted());
  for (const { name, pid } of processes) ok(values[name] ?? Number.NaN, pid);
};
/** A line of /proc/PID/status in bytes. */
const procBytes = (pid: number, field: string): number =>
  1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
/** User and system time of a process, s; the kernel counts in hundredths. */
const procCpu = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
export const near = (value: number, wanted: number, share: number): void => {
  expect(value).toBeGreaterThan(wanted * (1 - share));
  expect(value).toBeLessThan(wanted * (1 + share));
};

/** What has no source in this mesh: no model is called, no artifact old enough, no public address, nothing waits for a limit. */
export const NOT_EXPORTED: readonly MetricName[] = [
  'decision_logs_total',
  'total_cost_dollars',
  'llm_tokens_total',
  'rate_limit_wait_seconds',
  'artifacts_collected_total',
  'artifacts_collected_bytes_total',
  'certificate_expiry_timestamp_seconds',
];

/** By metric: what its series (those of a histogram together) must be. */
export const METRIC_CHECKS: Readonly<Partial<Record<MetricName, Check>>> = {
  workflows_total: (samples, { load }) => {
    const verdicts = ['passed', 'partial', 'rejected', 'failed', 'cancelled'];
    expect(by(samples, 'status')).toEqual(Object.fromEntries(verdicts.map((one) => [one, load.verdicts(one)])));
  },
  workflow_duration_seconds: (samples, { load }) => {
    expect(only(named(samples, 'workflow_duration_seconds_count'))).toBe(load.ended.length);
    // The service takes its times a moment before and after what the run's view says.
    const shown = load.durations.reduce((total, one) => total + one, 0);
    expect(Math.abs(only(named(samples, 'workflow_duration_seconds_sum')) - shown)).toBeLessThan(
      0.1 * load.ended.length,
    );
  },
  active_workflows: (samples, { activeRuns }) => expect(only(samples)).toBe(activeRuns),
  agent_calls_total: (samples, { load }) =>
    expect(by(counted(samples), 'agent', 'status')).toEqual(
      Object.fromEntries(load.executions(({ agent, outcome }) => `${agent} ${outcome}`)),
    ),
  agent_execution_seconds: (samples, { load }) =>
    expect(by(counted(named(samples, 'agent_execution_seconds_count')), 'action')).toEqual(
      Object.fromEntries(load.executions(({ action }) => action)),
    ),
  circuit_breaker_state: (samples) => {
    expect(counted(samples)).toEqual([]);
    expect(by(samples, 'job', 'service')).toMatchObject({ 'orchestrator code-review': 0, 'gateway orchestrator': 0 });
  },
  // One search is of an index that is not there, and ends before it begins.
  rag_query_duration_seconds: (samples) => expect(only(named(samples, 'rag_query_duration_seconds_count'))).toBe(1),
  code_review_findings: (samples, { load }) => {
    expect(load.findings.size).toBeGreaterThan(0);
    expect(by(samples, 'severity')).toEqual(Object.fromEntries(load.findings));
  },
  backup_last_success_timestamp_seconds: (samples, { backupAt }) => expect(only(samples)).toBe(backupAt),
  approvals_pending: (samples) => expect(only(samples)).toBe(1),
  approvals_overdue: (samples) => expect(only(samples)).toBe(0),
  queue_depth: (samples) => expect(only(samples)).toBe(0),
  oldest_runnable_seconds: (samples) => expect(only(samples)).toBe(0),
  runs_pruned_total: (samples, { prunedRuns }) => expect(only(samples)).toBe(prunedRuns),
  state_transactions_total: (samples, { load }) => expect(only(samples)).toBeGreaterThan(3 * load.submitted),
  state_statements_total: (samples, { load }) => expect(only(samples)).toBeGreaterThan(3 * load.submitted),
  http_request_duration_seconds: (samples, { load }) => {
    const counts = named(samples, 'http_request_duration_seconds_count');
    const of = (job: string, method: string, route: string): Record<string, number> =>
      by(
        counts.filter(
          ({ labels }) => labels['job'] === job && labels['method'] === method && labels['route'] === route,
        ),
        'status',
      );
    expect(of('gateway', 'POST', '/v1/runs')).toEqual({ 202: load.submitted });
    expect(of('orchestrator', 'POST', '/v1/runs')).toEqual({ 202: load.submitted });
    expect(of('gateway', 'POST', '/v1/runs/:runId/cancel')).toEqual({ 202: 1 });
    const executions = load.executions(({ agent }) => agent);
    for (const [agent, count] of executions) {
      // 202 says that it takes longer than the caller waits.
      const { 200: done = 0, 202: taken = 0, ...other } = of(agent, 'POST', '/v1/executions');
      expect([done + taken, other], agent).toEqual([count, {}]);
    }
  },
  process_cpu_seconds_total: (samples, seen) =>
    ofEach(samples, (value, pid) => expect(Math.abs(value - procCpu(pid))).toBeLessThan(1), seen),
  process_resident_memory_bytes: (samples, seen) =>
    ofEach(samples, (value, pid) => near(value, procBytes(pid, 'VmRSS'), 0.2), seen),
  process_memory_limit_bytes: (samples, seen) =>
    ofEach(samples, (value, pid) => expect(value).toBeGreaterThan(procBytes(pid, 'VmRSS')), seen),
  process_start_time_seconds: (samples, seen) =>
    ofEach(
      samples,
      (value) => {
        expect(value).toBeGreaterThan(seen.startedAt);
        expect(value).toBeLessThan(seen.startedAt + 60);
      },
      seen,
    ),
  nodejs_heap_size_used_bytes: (samples, seen) =>
    ofEach(
      samples,
      (value, pid) => {
        expect(value).toBeGreaterThan(10e6);
        expect(value).toBeLessThan(procBytes(pid, 'VmRSS'));
      },
      seen,
    ),
  nodejs_heap_size_limit_bytes: (samples, seen) =>
    ofEach(samples, (value) => expect(value).toBeGreaterThan(100e6), seen),
  nodejs_eventloop_utilization_ratio: (samples, seen) =>
    ofEach(
      samples,
      (value) => {
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThanOrEqual(1);
      },
      seen,
    ),
  data_disk_free_bytes: (samples, seen) => {
    const { bavail, bsize } = statfsSync(seen.home);
    ofEach(samples, (value) => near(value, bavail * bsize, 0.05), seen);
  },
  data_disk_size_bytes: (samples, seen) => {
    const { blocks, bsize } = statfsSync(seen.home);
    ofEach(samples, (value) => expect(value).toBe(blocks * bsize), seen);
  },
};
