import { stringify } from 'yaml';
import { alertmanagerConfig } from './alertmanager.ts';
import { collectorConfig } from './collector.ts';
import { DASHBOARDS } from './dashboards.ts';
import { dashboardModel, grafanaProviders, grafanaSources } from './grafana.ts';
import { elasticsearchTemplate, filebeatConfig, lokiConfig, lokiShipperConfig } from './logs.ts';
import { alertRules, alertTests, prometheusConfig, prometheusScript, recordingRules } from './prometheus.ts';
import type { Site } from './site.ts';

const HEADER = '# Generated: node tools/monitoring/main.ts';

const yaml = (content: object): string =>
  `${HEADER}\n${stringify(content, { lineWidth: 0, aliasDuplicateObjects: false })}`;

/** Every generated file below `monitoring/`, by its path there. */
export function monitoringFiles(site: Site): ReadonlyMap<string, string> {
  return new Map([
    ...DASHBOARDS.map((dashboard): [string, string] => [
      `grafana/dashboards/${dashboard.uid}.json`,
      `${JSON.stringify(dashboardModel(dashboard), null, 2)}\n`,
    ]),
    ['grafana/provisioning/datasources/devmesh.yml', yaml(grafanaSources(site))],
    ['grafana/provisioning/dashboards/devmesh.yml', yaml(grafanaProviders(site))],
    [
      'prometheus/prometheus.static.yml',
      yaml(prometheusConfig({ from: 'static', host: site.host }, site.alertmanager)),
    ],
    [
      'prometheus/prometheus.consul.yml',
      yaml(prometheusConfig({ from: 'consul', address: site.consul }, site.alertmanager)),
    ],
    ['prometheus/run.sh', prometheusScript()],
    ['prometheus/rules/recording.yml', yaml(recordingRules())],
    ['prometheus/rules/alerts.yml', yaml(alertRules(site))],
    ['prometheus/tests/alerts.test.yml', yaml(alertTests(site))],
    ['otel-collector/otel-collector.yml', yaml(collectorConfig(site))],
    ['logs/loki.yml', yaml(lokiConfig())],
    ['logs/otel-collector-loki.yml', yaml(lokiShipperConfig(site))],
    ['logs/filebeat.yml', yaml(filebeatConfig(site))],
    ['logs/devmesh-template.json', `${JSON.stringify(elasticsearchTemplate(), null, 2)}\n`],
    ['alertmanager/alertmanager.yml', yaml(alertmanagerConfig(site))],
  ]);
}
