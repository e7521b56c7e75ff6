import { Option } from 'commander';
import type { BackupOptions, MakeOptions } from './commands/backup.js';
import { jsonOption, type CommandParts } from './program-options.js';

const targetOption = (flags: string, what: string): Option =>
  new Option(flags, `${what}: a folder, or https://ENDPOINT/BUCKET/PREFIX?region=REGION`);

const keyOption = (): Option =>
  new Option(
    '--key-file <file>',
    'the key: 64 hexadecimal digits, mode 0600 (default: secrets/backup-key in the data folder)',
  );

/** The commands about the mesh as a whole: what it holds, kept elsewhere and brought back. */
export function addBackup({ context, command, chosen, examples: ex }: CommandParts): void {
  command('backup', 'back up runs and artifacts; list backups; try to restore the newest')
    .usage('[options] [list|drill]')
    .argument('[verb]', '"list", or "drill": restore the newest into a scratch database, and check it')
    .addOption(targetOption('--target <place>', 'where backups are kept (default: backups in the data folder)'))
    .addOption(targetOption('--copy-to <place>', 'where a copy of each is kept, in another region'))
    .addOption(keyOption())
    .addOption(jsonOption('the report'))
    .addHelpText(
      'after',
      `${ex(
        ['backup', 'the mesh may be running; 7 daily, 4 weekly, 3 monthly ones are kept'],
        ['backup --target /mnt/backups --key-file /etc/devmesh/backup.key', 'on another disk'],
        ['backup list', 'newest first'],
        ['backup drill', 'exits 1 when it does not restore, within 4 h, to what was less than 24 h ago'],
      )}\n\nCredentials of a store come from DEVMESH_BACKUP_S3_ACCESS_KEY_ID and DEVMESH_BACKUP_S3_SECRET_ACCESS_KEY_FILE.\nWith DEVMESH_BACKUP_TARGET set at ${context.self} up, the mesh backs itself up at 02:00 UTC.`,
    )
    .action((verb: string | undefined, options: MakeOptions) =>
      chosen(async () => (await import('./commands/backup.js')).backup(context, verb, options), options.json === true),
    );

  command('restore', 'bring a backup into a mesh that has no runs')
    .argument('[name]', 'its name, as backup list shows it (default: the newest)')
    .addOption(targetOption('--target <place>', 'where backups are kept (default: backups in the data folder)'))
    .addOption(keyOption())
    .addOption(jsonOption('the report'))
    .addHelpText(
      'after',
      ex(
        ['restore --target /mnt/backups --key-file backup.key', 'the newest; the queue is rebuilt from it'],
        ['restore devmesh-2026-01-02T02-00-00Z.backup', 'nothing is ever overwritten'],
      ),
    )
    .action((name: string | undefined, options: BackupOptions) =>
      chosen(async () => (await import('./commands/backup.js')).restore(context, name, options), options.json === true),
    );
}
