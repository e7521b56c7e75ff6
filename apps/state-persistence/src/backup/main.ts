import { join } from 'node:path';
import { MAX_ARTIFACT_BYTES } from '@devmesh/contracts/artifact';
import { DevmeshError } from '@devmesh/contracts/errors';
import { ConfigError, readConfig } from '@devmesh/service-kit/config/read-config';
import { ArtifactStore } from '../artifacts/artifact.store.js';
import { BackupConfig, keyFileOf } from './backup.config.js';
import { readKey } from './backup-file.js';
import { BackupService, listBackups } from './backup.service.js';
import { openTarget } from './open-target.js';

/*
 * node dist/backup/main.js make | list | restore NAME | drill NAME         NAME: of a backup, or latest
 * Configured by the environment (`backup.config.ts`). One line of JSON to stdout: a report of `contracts/backup`. When something
 * goes wrong one to stderr, {"code", "message"}, and exit code 1; a drill that did not pass ends with 2.
 */
const DRILL_FAILED = 2;

async function main(verb: string | undefined, name = 'latest'): Promise<unknown> {
  const config = readConfig(BackupConfig, { service: 'backup' });
  const { home, databaseUrl, drillDatabaseUrl, backup } = config;
  if (backup.target === undefined)
    throw new DevmeshError('invalid_request', 'DEVMESH_BACKUP_TARGET is not set: say where backups are to be kept');
  const target = openTarget(backup.target, backup);
  if (verb === 'list') return listBackups(target);
  if (databaseUrl === undefined)
    throw new DevmeshError('invalid_request', 'DATABASE_URL (or DATABASE_URL_FILE) is not set: name the database');
  const service = new BackupService({
    place: {
      url: databaseUrl,
      store: new ArtifactStore({ folder: join(home, 'artifacts'), maxBytes: MAX_ARTIFACT_BYTES }),
    },
    home,
    key: await readKey(keyFileOf(home, backup)),
    target,
    copyTarget: backup.copyTarget === undefined ? null : openTarget(backup.copyTarget, backup),
    now: () => new Date(),
    drillUrl: drillDatabaseUrl ?? databaseUrl,
  });
  switch (verb) {
    case 'make':
      return service.make();
    case 'restore':
      return service.restore(name);
    case 'drill': {
      const report = await service.drill(name);
      if (!report.passed) process.exitCode = DRILL_FAILED;
      return report;
    }
    default:
      throw new DevmeshError('invalid_request', 'say make, list, restore NAME or drill NAME');
  }
}

try {
  process.stdout.write(`${JSON.stringify(await main(process.argv[2], process.argv[3]))}\n`);
} catch (error) {
  const code =
    error instanceof DevmeshError ? error.code : error instanceof ConfigError ? 'invalid_request' : 'internal';
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${JSON.stringify({ code, message })}\n`);
  process.exitCode = 1;
}
