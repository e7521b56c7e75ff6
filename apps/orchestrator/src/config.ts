import { fileURLToPath } from 'node:url';
import { secretSetting, setting } from '@devmesh/service-kit/config/setting';
import { ServiceConfig } from '@devmesh/service-kit/config/service-config';
import { z } from 'zod';

const SHIPPED_WORKFLOWS = fileURLToPath(new URL('../../../workflows', import.meta.url));

/** Configuration of the orchestrator. */
export const OrchestratorConfig = ServiceConfig.extend({
  /** Names this orchestrator over restarts: its unfinished runs are resumed at once when it is back. */
  name: setting(
    'DEVMESH_ORCHESTRATOR_NAME',
    'a name that no other orchestrator has',
    z.string().min(1).max(120).default('orchestrator-1'),
  ),
  queueDatabaseUrl: secretSetting(
    'DEVMESH_QUEUE_DATABASE_URL',
    'postgres://user:password@host:port/database of a role that sees the queue only',
    z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  ),
  queueRedisUrl: secretSetting(
    'DEVMESH_QUEUE_REDIS_URL',
    'redis://user:password@host:port/number, or rediss:// with TLS, of a Redis or Valkey that keeps the queue in place of PostgreSQL',
    z.url({ protocol: /^rediss?$/ }).optional(),
  ),
  queueSchema: setting(
    'DEVMESH_QUEUE_SCHEMA',
    'the schema of the queue',
    z
      .string()
      .regex(/^[a-z_][a-z0-9_]{0,62}$/)
      .default('queue'),
  ),
  turns: setting(
    'DEVMESH_TURNS',
    'how many runs may be in a turn at once, 1 to 1000',
    z.int().min(1).max(1000).default(256),
  ),
  placementFile: setting(
    'DEVMESH_PLACEMENT',
    'a YAML file that names agents which live elsewhere',
    z.string().min(1).optional(),
  ),
  workflowsFolder: setting(
    'DEVMESH_WORKFLOWS',
    'a folder with workflow files',
    z.string().min(1).default(SHIPPED_WORKFLOWS),
  ),
});
export type OrchestratorConfig = z.output<typeof OrchestratorConfig>;
