import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SERVICE_NAMES } from '@devmesh/contracts/services';
import { PrometheusServer } from '@devmesh/testing/prometheus';
import { stringify } from 'yaml';
import { prometheusConfig, type Discovery } from '../../tools/monitoring/prometheus.ts';
import type { Devmesh } from '../support/devmesh.js';

export const monitoring = fileURLToPath(new URL('../../monitoring/', import.meta.url));

export interface ScrapingOptions {
  /** Told of alerts; nobody when not given. */
  readonly alertmanager?: string;
  /** Changes the text of the committed rules. */
  readonly rules?: (text: string) => string;
}

/** A Prometheus with the committed rules that scrapes what it finds so, every second so that tests need not wait. */
export function scraping(
  discovery: Discovery,
  { alertmanager = '127.0.0.1:9', rules = (text) => text }: ScrapingOptions = {},
): Promise<PrometheusServer> {
  const config = prometheusConfig(discovery, alertmanager, { rules: 'rules-*.yml', interval: '1s' });
  const files = ['recording.yml', 'alerts.yml'].map((name) => [
    `rules-${name}`,
    rules(readFileSync(`${monitoring}prometheus/rules/${name}`, 'utf8')),
  ]);
  return PrometheusServer.start({
    ...(Object.fromEntries(files) as Record<string, string>),
    'prometheus.yml': stringify(config),
  });
}

export const scrapingMesh = ({ portBase }: Devmesh): Promise<PrometheusServer> =>
  scraping({
    from: 'static',
    host: '127.0.0.1',
    portOf: (service) => portBase + SERVICE_NAMES.findIndex((name) => name === service),
  });
