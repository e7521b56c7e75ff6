import { join } from 'node:path';
import { ServiceConfig } from '@devmesh/service-kit/config/service-config';
import { setting } from '@devmesh/service-kit/config/setting';
import { z } from 'zod';
import type { ImportSettings } from './repositories/repository-import.service.js';

/** Largest JSON body, bytes: a task of 1 MiB fits in, with what JSON adds to a text of many lines. */
export const JSON_BODY_BYTES = 4 * 1024 * 1024;

const Protocol = z.enum(['https', 'ssh', 'http', 'git', 'file']);

export const GatewayConfig = ServiceConfig.extend({
  publicUrl: setting(
    'DEVMESH_PUBLIC_URL',
    'where people reach the mesh, e.g. https://mesh.example.com: its certificate is watched',
    z.url({ protocol: /^https?$/ }).optional(),
  ),
  clone: z
    .object({
      protocols: setting(
        'DEVMESH_CLONE_PROTOCOLS',
        'a JSON array of https, ssh, http, git and file, e.g. ["https", "ssh"]',
        z.array(Protocol).min(1).default(['https', 'ssh']),
      ),
      timeoutMs: setting(
        'DEVMESH_CLONE_TIMEOUT_MS',
        'ms from 1000 to 3600000',
        z.int().min(1000).max(3_600_000).default(120_000),
      ),
      concurrency: setting('DEVMESH_CLONE_CONCURRENCY', 'a number from 1 to 64', z.int().min(1).max(64).default(4)),
    })
    .prefault({}),
  triggers: z
    .object({
      enabled: setting(
        'DEVMESH_TRIGGERS',
        'true or false: whether this gateway starts the runs of triggers',
        z.boolean().default(true),
      ),
    })
    .prefault({}),
  /** Past which the mesh calls itself degraded or unhealthy: status/status-rules.ts. */
  status: z
    .object({
      activeRuns: setting('DEVMESH_STATUS_ACTIVE_RUNS', 'a number of runs', z.int().min(1).default(100)),
      meanWaitMs: setting('DEVMESH_STATUS_MEAN_WAIT_MS', 'ms', z.int().min(1).default(5_000)),
      oldestWaitMs: setting('DEVMESH_STATUS_OLDEST_WAIT_MS', 'ms', z.int().min(1).default(30_000)),
    })
    .prefault({}),
});
export type GatewayConfig = z.output<typeof GatewayConfig>;

export function importSettings(config: GatewayConfig): ImportSettings {
  return { ...config.clone, folder: join(config.home, 'gateway', 'clones') };
}
