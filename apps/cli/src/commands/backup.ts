import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BackupList, BackupReport, DrillReport, RestoreReport } from '@devmesh/contracts/backup';
import { DevmeshError } from '@devmesh/contracts/errors';
import { backupProgram, type BackupProgram } from '../backup/program.js';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { bytes, duration, padEnd, plural } from '../output/text.js';
import { theme } from '../output/theme.js';
import { writePrivate } from '../supervisor/secrets.js';

export interface BackupOptions {
  /** A folder, or the address of an S3-compatible store. */
  readonly target?: string;
  readonly keyFile?: string;
  readonly json?: boolean;
}

export interface MakeOptions extends BackupOptions {
  readonly copyTo?: string;
}

/** `program` is a parameter for tests. */
export async function backup(
  context: CliContext,
  verb: string | undefined,
  options: MakeOptions,
  program: BackupProgram = backupProgram,
): Promise<ExitCode> {
  switch (verb) {
    case undefined:
      return make(context, options, program);
    case 'list':
      return list(context, options, program);
    case 'drill':
      return drill(context, options, program);
    default:
      throw new DevmeshError(
        'invalid_request',
        `backup has no verb ${verb}: say ${context.self} backup, backup list or backup drill`,
      );
  }
}

/** What the program is told by its environment: where backups are, and the file of the key. Never the key. */
function settings({ home, env, cwd }: CliContext, options: MakeOptions): Record<string, string> {
  const place = (text: string): string => (/^https?:\/\//.test(text) ? text : resolve(cwd, text));
  const target = options.target ?? env['DEVMESH_BACKUP_TARGET'];
  const copy = options.copyTo ?? env['DEVMESH_BACKUP_COPY_TARGET'];
  return {
    DEVMESH_BACKUP_TARGET: target ? place(target) : join(home.root, 'backups'),
    ...(copy ? { DEVMESH_BACKUP_COPY_TARGET: place(copy) } : {}),
    DEVMESH_BACKUP_KEY_FILE: resolve(cwd, options.keyFile ?? (env['DEVMESH_BACKUP_KEY_FILE'] || ownKeyFile(home.root))),
  };
}

const ownKeyFile = (home: string): string => join(home, 'secrets', 'backup-key');

/** Only the mesh's own key is ever made; one that somebody named must be there. */
async function assureKey(context: CliContext, keyFile: string): Promise<boolean> {
  if (keyFile !== ownKeyFile(context.home.root)) return false;
  const there = await access(keyFile).then(
    () => true,
    () => false,
  );
  if (!there) await writePrivate(keyFile, `${randomBytes(32).toString('hex')}\n`);
  return !there;
}

async function make(context: CliContext, options: MakeOptions, program: BackupProgram): Promise<ExitCode> {
  const { out, err } = context;
  const told = settings(context, options);
  const keyFile = told['DEVMESH_BACKUP_KEY_FILE'] ?? '';
  const fresh = await assureKey(context, keyFile);
  const { report } = await program(context, ['make'], told, BackupReport);
  if (fresh)
    err.write(
      `${theme(err.color).warn('!')} a new key is in ${keyFile}: keep a copy elsewhere, for without it no backup can be read\n`,
    );
  if (options.json === true) {
    out.write(`${JSON.stringify(report)}\n`);
    return EXIT.passed;
  }
  const paint = theme(out.color);
  out.write(
    `${paint.good('✔')} ${report.name}: ${plural(report.rows, 'row')}, ${plural(report.artifacts, 'artifact')}, ${bytes(report.size)} in ${duration(report.tookMs)}\n`,
  );
  for (const target of report.targets) out.write(row(context, 'in', target));
  out.write(row(context, 'key', keyFile));
  if (report.missing > 0)
    out.write(
      row(context, 'missing', `${plural(report.missing, 'artifact')} on record without a file: not in the backup`),
    );
  if (report.removed.length > 0) out.write(row(context, 'removed', `${plural(report.removed.length, 'old backup')}`));
  return EXIT.passed;
}

async function list(context: CliContext, options: BackupOptions, program: BackupProgram): Promise<ExitCode> {
  const { out } = context;
  const { report } = await program(context, ['list'], settings(context, options), BackupList);
  if (options.json === true) out.write(`${JSON.stringify(report)}\n`);
  else if (report.backups.length === 0) out.write(`no backup is in ${report.target}\n`);
  else for (const { name, at } of report.backups) out.write(`${name}  ${duration(Date.now() - Date.parse(at))} ago\n`);
  return EXIT.passed;
}

async function drill(context: CliContext, options: BackupOptions, program: BackupProgram): Promise<ExitCode> {
  const { out } = context;
  const { report } = await program(context, ['drill', 'latest'], settings(context, options), DrillReport);
  if (options.json === true) out.write(`${JSON.stringify(report)}\n`);
  else {
    const paint = theme(out.color);
    for (const { name, ok, found } of report.checks)
      out.write(`${ok ? paint.good('✔') : paint.bad('✖')} ${padEnd(name, 16)} ${found}\n`);
    out.write(
      `${report.passed ? paint.good('✔') : paint.bad('✖')} ${report.name} of ${duration(report.ageMs)} ago: restored into a scratch database in ${duration(report.tookMs)}${report.passed ? '' : ', and not as it must be'}\n`,
    );
  }
  return report.passed ? EXIT.passed : EXIT.failed;
}

export async function restore(
  context: CliContext,
  name: string | undefined,
  options: BackupOptions,
  program: BackupProgram = backupProgram,
): Promise<ExitCode> {
  const { out, self } = context;
  const { report } = await program(context, ['restore', name ?? 'latest'], settings(context, options), RestoreReport);
  if (options.json === true) out.write(`${JSON.stringify(report)}\n`);
  else
    out.write(
      `${theme(out.color).good('✔')} ${report.name} of ${duration(report.ageMs)} ago is back: ${plural(report.rows, 'row')}, ${plural(report.artifacts, 'artifact')} in ${duration(report.tookMs)}\n` +
        row(context, 'next', `runs under way go on by themselves: ${self} runs`),
    );
  return EXIT.passed;
}

const row = ({ out }: CliContext, name: string, text: string): string =>
  `  ${theme(out.color).dim(padEnd(name, 9))} ${text}\n`;
