import { ServiceConfig } from '@devmesh/service-kit/config/service-config';
import { secretSetting, setting } from '@devmesh/service-kit/config/setting';
import { z } from 'zod';

/** Largest batch and largest other JSON body, bytes: 256 ops with inputs and checkpoints. */
export const JSON_BODY_BYTES = 32 * 1024 * 1024;

export const StateConfig = ServiceConfig.extend({
  databaseUrl: secretSetting(
    'DATABASE_URL',
    'the URL of a PostgreSQL database (14 or later), e.g. postgres://user:password@127.0.0.1:5432/devmesh',
    z.url({ protocol: /^postgres(ql)?$/ }),
  ),
  poolSize: setting(
    'DEVMESH_STATE_POOL_SIZE',
    'database connections from 2 to 100',
    z.int().min(2).max(100).default(8),
  ),
  lockTimeoutMs: setting(
    'DEVMESH_STATE_LOCK_TIMEOUT_MS',
    'ms from 100 to 60000',
    z.int().min(100).max(60_000).default(2_000),
  ),
});
export type StateConfig = z.output<typeof StateConfig>;
