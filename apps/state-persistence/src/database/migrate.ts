import { DevmeshError } from '@devmesh/contracts/errors';
import { DataSource } from 'typeorm';
import { ENTITIES } from './entities.js';
import { Initial1763712000000 } from './migrations/1763712000000-initial.js';
import { ApprovalsEffects1764160000000 } from './migrations/1764160000000-approvals-effects.js';
import { Retention1764170000000 } from './migrations/1764170000000-retention.js';
import { Findings1764230000000 } from './migrations/1764230000000-findings.js';
import { Triggers1764150000000 } from './migrations/1764150000000-triggers.js';

export const MIGRATIONS = [
  Initial1763712000000,
  Triggers1764150000000,
  ApprovalsEffects1764160000000,
  Retention1764170000000,
  Findings1764230000000,
];

/** The schemas of this version, oldest first. */
export const SCHEMAS: readonly string[] = MIGRATIONS.map((Migration) => new Migration().name).toSorted(
  (a, b) => timestampOf(a) - timestampOf(b),
);

function timestampOf(name: string): number {
  return Number(/\d+$/.exec(name)?.[0]);
}

/** TypeORM's view of the database: it owns entities and migrations, and no request passes through it. */
export function createDataSource(url: string, migrations = MIGRATIONS): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities: ENTITIES,
    migrations,
    migrationsTableName: 'migrations',
    synchronize: false,
    // One connection holds the lock while the other migrates.
    poolSize: 2,
  });
}

/** Several instances may start at once: one migrates, the others wait for this lock. */
const MIGRATION_LOCK = 7_263_001;

/**
 * Brings the schema to this version, or to an earlier one of `SCHEMAS`. Refuses, and changes nothing, when the database was
 * written by a later version.
 */
export async function migrate(url: string, upTo = SCHEMAS.at(-1) ?? ''): Promise<void> {
  const wanted = MIGRATIONS.filter((Migration) => timestampOf(new Migration().name) <= timestampOf(upTo));
  const source = createDataSource(url, wanted);
  await source.initialize();
  const runner = source.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    if (await runner.hasTable('migrations')) {
      const applied = (await runner.query('SELECT name FROM migrations ORDER BY timestamp')) as { name: string }[];
      refuseNewer(applied.map((row) => row.name));
    }
    await source.runMigrations({ transaction: 'each' });
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await runner.release();
    await source.destroy();
  }
}

function refuseNewer(applied: readonly string[]): void {
  const newest = applied.filter((name) => !SCHEMAS.includes(name)).at(-1);
  if (newest === undefined) return;
  const own = SCHEMAS.at(-1) ?? 'none';
  throw new DevmeshError(
    'conflict',
    `The database is at schema ${newest}, and this version of Devmesh knows schemas up to ${own}. ` +
      'Start the version of Devmesh that wrote it, or give this one a data folder (or DATABASE_URL) of its own.',
  );
}
