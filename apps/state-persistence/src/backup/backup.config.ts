import { join } from 'node:path';
import { secretSetting, setting } from '@devmesh/service-kit/config/setting';
import { z } from 'zod';

const TARGET = 'a folder, or https://ENDPOINT/BUCKET/PREFIX?region=REGION of an S3-compatible store';

/** Where backups go, and what opens them. */
export const BackupSettings = z.object({
  target: setting('DEVMESH_BACKUP_TARGET', TARGET, z.string().min(1).optional()),
  copyTarget: setting('DEVMESH_BACKUP_COPY_TARGET', `${TARGET}, in another region`, z.string().min(1).optional()),
  keyFile: setting(
    'DEVMESH_BACKUP_KEY_FILE',
    'a file (mode 0600) with 64 hexadecimal digits, as openssl rand -hex 32 prints them; without it secrets/backup-key of the data folder',
    z.string().min(1).optional(),
  ),
  accessKeyId: secretSetting(
    'DEVMESH_BACKUP_S3_ACCESS_KEY_ID',
    'the access key of the S3-compatible stores',
    z.string().min(1).optional(),
  ),
  secretAccessKey: secretSetting(
    'DEVMESH_BACKUP_S3_SECRET_ACCESS_KEY',
    'the secret of that access key',
    z.string().min(1).optional(),
  ),
});
export type BackupSettings = z.output<typeof BackupSettings>;

/** What the backup program reads. Looking at what a target holds needs neither database nor key. */
export const BackupConfig = z.object({
  databaseUrl: secretSetting(
    'DATABASE_URL',
    'the URL of the PostgreSQL database of the mesh',
    z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  ),
  home: setting('DEVMESH_HOME', 'the data folder', z.string().min(1).default('.devmesh')),
  /** A user that may create databases; where none is given, that of the mesh is tried. */
  drillDatabaseUrl: secretSetting(
    'DEVMESH_BACKUP_DRILL_DATABASE_URL',
    'the URL of a PostgreSQL database whose user may create others',
    z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  ),
  backup: BackupSettings.prefault({}),
});

/** The file of the key, where it is not said. */
export const keyFileOf = (home: string, settings: Pick<BackupSettings, 'keyFile'>): string =>
  settings.keyFile ?? join(home, 'secrets', 'backup-key');
