import { setting } from '@devmesh/service-kit/config/setting';
import { ServiceConfig } from '@devmesh/service-kit/config/service-config';
import { z } from 'zod';

/** What every agent has beside what every service has. An agent's own schema is `AgentConfig.extend({…})`. */
export const AgentConfig = ServiceConfig.extend({
  executions: z
    .object({
      concurrency: setting(
        'DEVMESH_AGENT_CONCURRENCY',
        'how many executions run at once, 1 to 1000',
        z.int().min(1).max(1000).default(16),
      ),
      queued: setting(
        'DEVMESH_AGENT_QUEUE',
        'how many executions may wait for a place, 0 to 100000',
        z.int().min(0).max(100_000).default(512),
      ),
    })
    .prefault({}),
});
export type AgentConfig = z.output<typeof AgentConfig>;
