import { ServiceConfig } from '@devmesh/service-kit/config/service-config';
import { secretSetting, setting } from '@devmesh/service-kit/config/setting';
import { z } from 'zod';
import { BackupSettings } from './backup/backup.config.js';
import type { RetentionPolicy } from './retention/retention.service.js';

/** Largest batch and largest other JSON body, bytes: 256 ops with inputs and checkpoints. */
export const JSON_BODY_BYTES = 32 * 1024 * 1024;

export const StateConfig = ServiceConfig.extend({
  databaseUrl: secretSetting(
    'DATABASE_URL',
    'the URL of a PostgreSQL database (14 or later), e.g. postgres://user:password@127.0.0.1:5432/devmesh',
    z.url({ protocol: /^postgres(ql)?$/ }),
  ),
  firstApiKey: secretSetting(
    'DEVMESH_FIRST_API_KEY',
    'an API key of the default project that is made known at the start: dm_ and 16 to 200 letters, digits, _ or -',
    z
      .string()
      .regex(/^dm_[A-Za-z0-9_-]{16,200}$/)
      .optional(),
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
  /** What is forgotten, and when. */
  retention: z
    .object({
      enabled: setting(
        'DEVMESH_RETENTION',
        'true or false: whether the detail of old runs, and artifacts that nothing refers to, are removed',
        z.boolean().default(true),
      ),
      days: setting(
        'DEVMESH_RETENTION_DAYS',
        'days from 1 to 36500 that the detail of a run is kept after its end',
        z.int().min(1).max(36_500).default(30),
      ),
      maxRuns: setting(
        'DEVMESH_RETENTION_MAX_RUNS',
        'the number of ended runs, from 1, whose detail is kept at most',
        z.int().min(1).max(1_000_000_000).optional(),
      ),
      artifactGraceHours: setting(
        'DEVMESH_RETENTION_ARTIFACT_GRACE_HOURS',
        'hours from 1 to 8760 that an artifact is kept after the last run let go of it',
        z.int().min(1).max(8_760).default(24),
      ),
      sweepMinutes: setting(
        'DEVMESH_RETENTION_SWEEP_MINUTES',
        'minutes from 1 to 1440 between two sweeps',
        z.int().min(1).max(1_440).default(10),
      ),
      batchRuns: setting(
        'DEVMESH_RETENTION_BATCH_RUNS',
        'the number of runs from 1 to 1000 that a transaction prunes at most',
        z.int().min(1).max(1_000).default(50),
      ),
    })
    .prefault({}),
  /** Where the nightly backup goes; without a target there is none. */
  backup: BackupSettings.extend({
    nightly: setting(
      'DEVMESH_BACKUP_NIGHTLY',
      'true or false: whether the service backs up at 02:00 UTC; false where a timer of the machine does',
      z.boolean().default(true),
    ),
  }).prefault({}),
});
export type StateConfig = z.output<typeof StateConfig>;

export function policyOf({ retention }: StateConfig): RetentionPolicy {
  return {
    keepMs: retention.days * 24 * 3600_000,
    keepRuns: retention.maxRuns ?? null,
    artifactGraceMs: retention.artifactGraceHours * 3600_000,
    batchRuns: retention.batchRuns,
  };
}
