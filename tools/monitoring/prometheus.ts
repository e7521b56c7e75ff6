import { SERVICE_NAMES, SERVICES } from '@devmesh/contracts/services';
import { rendered, type Alert } from './alert.ts';
import { ALERTS } from './alerts.ts';
import { RECORDING_RULES } from './recording-rules.ts';
import type { Site } from './site.ts';

const INTERVAL = '15s';
const GROUPS = { recorded: 'devmesh-recorded', alerts: 'devmesh-alerts' };
/** Where the services are: a port of each on one host, or wherever Consul says. */
export type Discovery =
  | { readonly from: 'static'; readonly host: string; readonly portOf?: (service: string) => number }
  | { readonly from: 'consul'; readonly address: string };

/** `prometheus.yml`. How long it keeps what it scrapes is no part of it, but an argument (`prometheusScript`). */
export function prometheusConfig(
  discovery: Discovery,
  alertmanager: string,
  { rules = 'rules/*.yml', interval = INTERVAL } = {},
): object {
  return {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: [rules],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
    scrape_configs: discovery.from === 'consul' ? [consulJob(discovery.address)] : staticJobs(discovery),
  };
}

const RETENTION = '30d';

/** Starts Prometheus where its configuration is; more arguments may follow. */
export function prometheusScript(): string {
  return [
    '#!/bin/sh',
    '# Generated: node tools/monitoring/main.ts',
    '# CONFIG is prometheus.static.yml or prometheus.consul.yml of this folder, or a path.',
    'cd "$(dirname "$0")" || exit 1',
    `exec prometheus --config.file="\${CONFIG:-prometheus.static.yml}" --storage.tsdb.retention.time=${RETENTION} "$@"`,
    '',
  ].join('\n');
}

function staticJobs({ host, portOf }: Extract<Discovery, { from: 'static' }>): object[] {
  return SERVICE_NAMES.map((name) => ({
    job_name: name,
    static_configs: [{ targets: [`${host}:${portOf?.(name) ?? SERVICES[name].port}`] }],
  }));
}

function consulJob(server: string): object {
  return {
    job_name: 'devmesh',
    consul_sd_configs: [{ server, services: [...SERVICE_NAMES] }],
    relabel_configs: [
      { source_labels: ['__meta_consul_service'], target_label: 'job' },
      // By its own id, so that a service that came back at the same address is another series.
      { source_labels: ['__meta_consul_service_id'], target_label: 'instance' },
    ],
  };
}

export function recordingRules(): object {
  const rules = Object.entries(RECORDING_RULES).map(([record, expr]) => ({ record, expr }));
  return { groups: [{ name: GROUPS.recorded, rules }] };
}

const annotationsOf = (name: string, summary: string, site: Site): object => ({
  summary,
  runbook_url: `${site.runbooks}/${name}.md`,
});

export function alertRules(site: Site): object {
  const rules = Object.entries(ALERTS).map(([name, { expr, severity, summary, for: held }]) => ({
    alert: name,
    expr,
    for: held,
    labels: { severity },
    annotations: annotationsOf(name, summary, site),
  }));
  return { groups: [{ name: GROUPS.alerts, rules }] };
}

/** Tests of the alerts for `promtool test rules`, from the cases beside each. */
export function alertTests(site: Site): object {
  return {
    rule_files: ['../rules/recording.yml', '../rules/alerts.yml'],
    evaluation_interval: INTERVAL,
    // So that alerts see what is recorded at their own instant.
    group_eval_order: [GROUPS.recorded, GROUPS.alerts],
    tests: Object.entries(ALERTS).flatMap(([name, alert]) =>
      alert.cases.map((_, place) => alertTest(name, alert, place, site)),
    ),
  };
}

function alertTest(name: string, { severity, summary, cases }: Alert, place: number, site: Site): object {
  const one = cases[place];
  if (one === undefined) throw new Error(`${name} has no case ${place}`);
  return {
    name: `${name} ${place + 1}`,
    interval: INTERVAL,
    input_series: Object.entries(one.series).map(([series, values]) => ({ series, values })),
    alert_rule_test: [
      {
        eval_time: one.at,
        alertname: name,
        exp_alerts: one.fires.map(({ labels, value }) => ({
          exp_labels: { severity, ...labels },
          exp_annotations: annotationsOf(name, rendered(summary, labels, value), site),
        })),
      },
    ],
  };
}
