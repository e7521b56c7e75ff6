import { readdirSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import type { BackupReport } from '@devmesh/contracts/backup';
import { METRICS, type MetricName } from '@devmesh/service-kit/metrics/catalogue';
import { describeWith } from '@devmesh/testing/peers';
import type { PrometheusServer, Sample } from '@devmesh/testing/prometheus';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { Devmesh } from '../support/devmesh.js';
import { METRIC_CHECKS, NOT_EXPORTED, type Seen } from './metric-checks.ts';
import { PANEL_CHECKS } from './panel-checks.ts';
import { monitoring, scrapingMesh } from './prometheus-mesh.ts';
import { Load } from './scripted-load.ts';

/** Seconds until what happened is scraped, and what is recorded of it is evaluated; both happen every second. */
const SOON = { timeout: 20_000, interval: 500 };

interface CommittedDashboard {
  readonly title: string;
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}
const dashboards = readdirSync(`${monitoring}grafana/dashboards`).map(
  (name) => JSON.parse(readFileSync(`${monitoring}grafana/dashboards/${name}`, 'utf8')) as CommittedDashboard,
);

describeWith(['promtool', 'amtool'], 'what operators load', () => {
  const tool = (name: string, ...args: string[]): string =>
    execFileSync(name, args, { cwd: monitoring, encoding: 'utf8', stdio: 'pipe' });

  it.each(['static', 'consul'])('is configuration that Prometheus takes: %s', (discovery) => {
    expect(tool('promtool', 'check', 'config', `prometheus/prometheus.${discovery}.yml`)).toContain(
      'SUCCESS: 2 rule files',
    );
  });

  it('is rules that Prometheus takes, with alerts that pass their tests', () => {
    expect(
      tool('promtool', 'check', 'rules', 'prometheus/rules/alerts.yml', 'prometheus/rules/recording.yml'),
    ).not.toContain('FAILED');
    expect(tool('promtool', 'test', 'rules', 'prometheus/tests/alerts.test.yml')).toContain('SUCCESS');
  });

  it('is routes that Alertmanager takes, and that lead where they should', () => {
    const config = '--config.file=alertmanager/alertmanager.yml';
    expect(tool('amtool', 'check-config', 'alertmanager/alertmanager.yml')).toContain('SUCCESS');
    const route = (severity: string): string =>
      tool('amtool', 'config', 'routes', 'test', config, `severity=${severity}`).trim();
    expect([route('critical'), route('warning')]).toEqual(['critical', 'warning']);
  });
});

describeWith(['prometheus'], 'a Prometheus that scrapes a mesh', () => {
  let devmesh: Devmesh;
  let prometheus: PrometheusServer;
  let seen: Seen;

  beforeAll(async () => {
    devmesh = await Devmesh.make(inject('clone'));
    const startedAt = Date.now() / 1000;
    expect(await devmesh.run(['up', '--quiet'])).toMatchObject({ code: 0, stderr: '' });
    prometheus = await scrapingMesh(devmesh);
    await vi.waitFor(async () => expect(await prometheus.query('up == 1')).toHaveLength(9), SOON);
    const load = await Load.on(devmesh);
    const status = (await (await devmesh.request('/v1/status')).json()) as { load: { activeRuns: number } };
    const { data } = await devmesh.json<{ services: { name: string; pid: number }[] }>(['status']);
    const backup = await devmesh.json<BackupReport>(['backup']);
    const pruned = await devmesh.request('/v1/runs/prune', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ olderThanMs: 0 }),
    });
    seen = {
      load,
      home: devmesh.home,
      startedAt,
      processes: data.services.map(({ name, pid }) => ({ name, pid })),
      activeRuns: status.load.activeRuns,
      backupAt: Date.parse(backup.data.at) / 1000,
      prunedRuns: ((await pruned.json()) as { runs: number }).runs,
    };
    expect(seen.prunedRuns).toBe(load.ended.length);
  });
  afterAll(async () => {
    await prometheus.stop();
    await devmesh.remove();
  });

  const families = Object.keys(METRICS) as MetricName[];

  it.each(families)('%s has the value that the load implies', async (name) => {
    const suffix = METRICS[name].type === 'histogram' ? '_(sum|count)' : '';
    const check = METRIC_CHECKS[name];
    const find = (): Promise<Sample[]> => prometheus.query(`{__name__=~"${name}${suffix}"}`);
    if (check === undefined) {
      expect(NOT_EXPORTED).toContain(name);
      expect(await find()).toEqual([]);
    } else await vi.waitFor(async () => check(await find(), seen), SOON);
  });

  describe.each(dashboards)('the dashboard $title', ({ title, panels }) => {
    it.each(panels)('shows in $title what the load did', async ({ title: panel, targets }) => {
      const check = PANEL_CHECKS[`${title}: ${panel}`];
      expect(check, 'a panel that nobody checks').toBeDefined();
      await vi.waitFor(async () => {
        const found = await Promise.all(targets.map(({ expr }) => prometheus.query(expr)));
        check?.(found, seen);
      }, SOON);
    });
  });

  it('finds no alert to fire', async () => {
    // The load has a run that fails on purpose: an alert may begin to wait for more of them.
    expect(await prometheus.query('ALERTS{alertstate="firing"}')).toEqual([]);
  });
});
