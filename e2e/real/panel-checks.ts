import { statfsSync } from 'node:fs';
import { SERVICE_NAMES } from '@devmesh/contracts/services';
import type { Sample } from '@devmesh/testing/prometheus';
import { expect } from 'vitest';
import type { LoadedRun } from './scripted-load.ts';
import { by, near, only, sum, type Seen } from './metric-checks.ts';

/** One list of series for each query of the panel. */
type PanelCheck = (found: readonly (readonly Sample[])[], seen: Seen) => void;

/** What `increase` may add, since it goes on with the trend to the end of its window. */
const EXTRAPOLATED = 0.1;

const first = (found: readonly (readonly Sample[])[]): readonly Sample[] => found[0] ?? [];
const nine = (samples: readonly Sample[]): void =>
  expect(Object.keys(by(samples, 'job')).toSorted()).toEqual(SERVICE_NAMES.toSorted());
const share = ({ load }: Seen, verdict: string): number =>
  load.verdicts(verdict) / (load.ended.length - load.verdicts('cancelled'));

/** That these are the counts, zeros left out. */
function counts(samples: readonly Sample[], labels: readonly string[], wanted: ReadonlyMap<string, number>): void {
  const found = by(
    samples.filter(({ value }) => value > 0),
    ...labels,
  );
  const positive = [...wanted].filter(([, count]) => count > 0);
  expect(Object.keys(found).toSorted()).toEqual(positive.map(([name]) => name).toSorted());
  for (const [name, count] of positive) near(found[name] ?? Number.NaN, count, EXTRAPOLATED);
}

/** That a quantile of a histogram is in the bucket where that of the values is. */
function quantile(value: number, q: number, values: readonly number[], buckets: readonly number[]): void {
  const exact = values.toSorted((a, b) => a - b)[Math.ceil(q * values.length) - 1] ?? Number.NaN;
  const upper = buckets.findIndex((bound) => exact <= bound);
  expect(value).toBeGreaterThan(buckets[upper - 1] ?? 0);
  expect(value).toBeLessThanOrEqual(buckets[upper] ?? Infinity);
}

const secondsOf = ({ startedAt, endedAt }: LoadedRun['view']['steps'][number]): number =>
  startedAt === null || endedAt === null ? 0 : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;

const RUN_BUCKETS = [0, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** By `dashboard: panel`: what its queries must give after the load. */
export const PANEL_CHECKS: Readonly<Record<string, PanelCheck>> = {
  'System Overview: Services that answer': (found) => expect(only(first(found))).toBe(9),
  'System Overview: Runs in 24 h': (found, { load }) => expect(only(first(found))).toBe(load.ended.length),
  'System Overview: Success rate in 24 h': (found, seen) => near(only(first(found)), share(seen, 'passed'), 0.05),
  'System Overview: Active runs': (found, { activeRuns }) => expect(only(first(found))).toBe(activeRuns),
  'System Overview: Approvals that wait': (found) => expect(found.map(only)).toEqual([1, 0]),
  'System Overview: Uptime': (found, { startedAt }) => {
    nine(first(found));
    const now = Date.now() / 1000;
    for (const { value } of first(found)) {
      expect(value).toBeLessThan(now - startedAt + 1);
      expect(value).toBeGreaterThan(now - startedAt - 60);
    }
  },
  'System Overview: Waiting for a turn': (found) => expect(found.map(only)).toEqual([0, 0]),
  'System Overview: Requests': (found, { load }) => {
    nine(first(found));
    // Each step is one request to its agent, beside those that ask the agent who it is.
    const rates = by(first(found), 'job');
    for (const [agent, count] of load.executions(({ agent }) => agent))
      expect(rates[agent], agent).toBeGreaterThan((0.9 * count) / 300);
    expect(rates['gateway']).toBeGreaterThan((0.9 * load.submitted) / 300);
  },
  'System Overview: Errors of services': (found) => {
    nine(first(found));
    expect(sum(first(found))).toBe(0);
  },
  'System Overview: CPU': (found) => {
    nine(first(found));
    for (const { value } of first(found)) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(2);
    }
  },
  'System Overview: Memory': (found) => {
    nine(first(found));
    for (const { value } of first(found)) expect(value).toBeGreaterThan(50e6);
  },
  'System Overview: Event loop': (found) => {
    nine(first(found));
    for (const { value } of first(found)) expect(value).toBeLessThanOrEqual(1);
  },
  'System Overview: Free disk': (found, { home }) => {
    const { bavail, blocks } = statfsSync(home);
    nine(first(found));
    for (const { value } of first(found)) near(value, bavail / blocks, 0.05);
  },
  'Workflow Performance: Time of runs': (found, { load }) =>
    [0.5, 0.95, 0.99].forEach((q, at) => quantile(only(found[at] ?? []), q, load.durations, RUN_BUCKETS)),
  'Workflow Performance: Throughput per hour': (found, { load }) =>
    counts(
      first(found),
      ['status'],
      new Map(['passed', 'partial', 'rejected', 'failed', 'cancelled'].map((one) => [one, load.verdicts(one)])),
    ),
  'Workflow Performance: Failure rate': (found, seen) => near(only(first(found)), share(seen, 'failed'), 0.05),
  'Workflow Performance: Parallel against sequence': (found, { load }) => {
    const [sequence, runs] = found.map(only);
    near(
      runs ?? Number.NaN,
      load.durations.reduce((total, one) => total + one, 0),
      EXTRAPOLATED,
    );
    // An execution is shorter than its step, which has the way there and back too.
    const steps = load.ended.flatMap(({ view }) => view.steps.map(secondsOf));
    expect(sequence).toBeGreaterThan(0);
    expect(sequence).toBeLessThan(steps.reduce((total, one) => total + one, 0) * (1 + EXTRAPOLATED));
  },
  'Workflow Performance: Failures by agent': (found, { load }) => {
    const failed = load.executions(({ agent, outcome }) => (outcome === 'succeeded' ? '' : `${agent} ${outcome}`));
    failed.delete('');
    expect(failed.size).toBeGreaterThan(0);
    counts(first(found), ['agent', 'status'], failed);
  },
  'Agent Activity: Requests': (found, { load }) =>
    counts(
      first(found),
      ['agent'],
      load.executions(({ agent }) => agent),
    ),
  'Agent Activity: Response time': (found, { load }) => {
    // Of an agent that did nothing there is no quantile.
    const times = first(found).filter(({ value }) => !Number.isNaN(value));
    const agents = [...load.executions(({ agent }) => agent).keys()];
    expect(Object.keys(by(times, 'agent')).toSorted()).toEqual(agents.toSorted());
    // No action takes longer than the longest run, but for the width of its bucket.
    for (const { value } of times) expect(value).toBeLessThan(2.5 * Math.max(...load.durations));
  },
  'Agent Activity: Breaker states': (found) => {
    expect(sum(first(found))).toBe(0);
    expect(by(first(found), 'job', 'service')).toHaveProperty('orchestrator code-review');
  },
  'Agent Activity: Retrieval': (found) => {
    const [searches, p95] = found.map(only);
    near(searches ?? Number.NaN, 1, EXTRAPOLATED);
    expect(p95).toBeGreaterThan(0);
    expect(p95).toBeLessThan(1);
  },
  'Agent Activity: Findings': (found, { load }) => counts(first(found), ['severity'], load.findings),
};
