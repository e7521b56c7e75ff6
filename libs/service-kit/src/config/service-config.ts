import { DEFAULT_PORT_BASE, SERVICE_NAMES, ServiceName } from '@devmesh/contracts/services';
import { z } from 'zod';
import { secretSetting, setting } from './setting.js';

/** Largest request body, in bytes, where a service does not say otherwise. */
export const DEFAULT_BODY_LIMIT = 1024 * 1024;

/** When the breaker in front of a service opens, and for how long at most. */
export const BreakerSettings = z.object({
  /** Consecutive failures after which it opens. */
  failures: z.int().min(1).max(1000),
  /** How long it stays open before one call probes, ms. */
  openMs: z.int().min(100).max(600_000),
});
export type BreakerSettings = z.infer<typeof BreakerSettings>;

/** What every service has. A service's own schema is `ServiceConfig.extend({…})`. */
export const ServiceConfig = z.object({
  host: setting('DEVMESH_HOST', 'the address to listen on, e.g. 127.0.0.1', z.string().min(1).default('127.0.0.1')),
  port: setting('DEVMESH_PORT', 'a port from 0 to 65535', z.int().min(0).max(65_535).optional()),
  portBase: setting(
    'DEVMESH_PORT_BASE',
    'the first of nine free ports, from 1 to 65527',
    z.int().min(1).max(65_527).default(DEFAULT_PORT_BASE),
  ),
  advertise: setting(
    'DEVMESH_ADVERTISE',
    'the base URL under which other services reach this one',
    z.url({ protocol: /^https?$/ }).optional(),
  ),
  home: setting('DEVMESH_HOME', 'the data folder', z.string().min(1).default('.devmesh')),
  internalToken: secretSetting(
    'DEVMESH_INTERNAL_TOKEN',
    'a random token of at least 32 characters, the same for every service',
    z.string().min(32).max(1024),
  ),
  endpoints: setting(
    'DEVMESH_ENDPOINTS',
    'JSON like {"gateway": ["http://127.0.0.1:8000"]}',
    z.partialRecord(ServiceName, z.array(z.url({ protocol: /^https?$/ }))).default({}),
  ),
  consulAddress: setting('CONSUL_HTTP_ADDR', 'host:port or URL of a Consul agent', z.string().min(1).optional()),
  logLevel: setting(
    'LOG_LEVEL',
    'error, warn, info or debug',
    z.enum(['error', 'warn', 'info', 'debug']).default('info'),
  ),
  revision: setting('DEVMESH_REVISION', 'the git revision that runs', z.string().max(100).default('unknown')),
  drainMs: setting('DEVMESH_DRAIN_MS', 'ms from 0 to 600000', z.int().min(0).max(600_000).default(10_000)),
  parentPipe: setting('DEVMESH_PARENT_PIPE', '1 to end when the standard input closes', z.boolean().default(false)),
  /** Per service called; `default` for those not named. */
  breakers: z.partialRecord(z.enum([...SERVICE_NAMES, 'default']), BreakerSettings).default({}),
});
export type ServiceConfig = z.output<typeof ServiceConfig>;

/** The port that a service listens on. */
export function portOf(service: ServiceName, config: Pick<ServiceConfig, 'port' | 'portBase'>): number {
  return config.port ?? config.portBase + SERVICE_NAMES.indexOf(service);
}
