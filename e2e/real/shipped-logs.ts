import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitoring } from './prometheus-mesh.ts';

/**
 * The committed configuration by which the collector ships logs, for a store at this address: it reads the folder `logs` of a mesh, and
 * keeps in `state` how far it came.
 */
export function shippingTo(store: string, { logs, state }: Readonly<Record<'logs' | 'state', string>>): string {
  return readFileSync(`${monitoring}logs/otel-collector-loki.yml`, 'utf8')
    .replace('/var/lib/devmesh/logs', logs)
    .replace('/var/lib/docker/containers', join(state, 'containers'))
    .replace('/var/lib/otelcol', state)
    .replace('http://loki:3100/otlp', store);
}
