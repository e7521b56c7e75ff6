import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DevmeshError, ErrorCode } from '@devmesh/contracts/errors';
import { z } from 'zod';
import { CLONE } from '../clone.js';
import type { CliContext } from '../context.js';
import { ControlClient } from '../supervisor/control-client.js';
import { readHomeFormat } from '../supervisor/home.js';
import { ADMIN_ROLE } from '../supervisor/postgres/cluster.js';
import { connectionUrl } from '../supervisor/postgres/roles.js';
import { writePrivate } from '../supervisor/secrets.js';

/** Calls the backup program of state-persistence, which alone knows what the mesh's database holds, and gives its report. */
export type BackupProgram = <S extends z.ZodType>(
  context: CliContext,
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  schema: S,
) => Promise<{ readonly report: z.output<S> }>;

/** Exit code of a drill that did not pass; its report is on stdout all the same. */
const DRILL_FAILED = 2;

const INHERITED =
  /^(PATH|HOME|TZ|LANG|TMPDIR|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS|DEVMESH_BACKUP_.*)$/;

export const backupProgram: BackupProgram = async (context, args, settings, schema) => {
  await readHomeFormat(context.home);
  const env = {
    ...Object.fromEntries(Object.entries(context.env).filter(([name]) => INHERITED.test(name))),
    ...settings,
    DEVMESH_HOME: context.home.root,
    ...(args[0] === 'list' ? {} : await databaseOf(context, args[0] === 'drill')),
  };
  const said = await new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      ['--enable-source-maps', join(CLONE, 'apps/state-persistence/dist/backup/main.js'), ...args],
      { cwd: CLONE, env, maxBuffer: 64 * 1024 * 1024 },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
    context.interrupted.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  });
  if (said.code !== 0 && said.code !== DRILL_FAILED) throw failure(said.stderr);
  return { report: schema.parse(JSON.parse(said.stdout)) };
};

const Failure = z.object({ code: ErrorCode, message: z.string() });

function failure(stderr: string): DevmeshError {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  try {
    const { code, message } = Failure.parse(JSON.parse(last));
    return new DevmeshError(code, message);
  } catch {
    return new DevmeshError('internal', `the backup program ended without a report: ${last || 'it said nothing'}`);
  }
}

/** The user's own database, or that of the mesh that is up; a drill may make databases in it. */
async function databaseOf({ home, env, self }: CliContext, drill: boolean): Promise<Record<string, string>> {
  for (const name of ['DATABASE_URL', 'DATABASE_URL_FILE']) {
    const value = env[name];
    if (value) return { [name]: value };
  }
  const found = await ControlClient.connect(home);
  if (found?.status.database.kind === 'external')
    throw new DevmeshError('invalid_request', `the mesh uses a database of yours: set DATABASE_URL as for ${self} up`);
  if (found?.status.phase !== 'ready')
    throw new DevmeshError(
      'unavailable',
      `the mesh is not up (${home.root}), and its database with it: start it with ${self} up`,
    );
  const urlFile = join(home.secrets, 'database-url');
  if (!drill) return { DATABASE_URL_FILE: urlFile };
  const { hostname, port } = new URL(`postgresql://${found.status.database.address}`);
  const password = (await readFile(join(home.secrets, 'database-admin-password'), 'utf8')).trim();
  const drillFile = join(home.secrets, 'backup-drill-database-url');
  await writePrivate(drillFile, `${connectionUrl(ADMIN_ROLE, password, hostname, Number(port), 'postgres')}\n`);
  return { DATABASE_URL_FILE: urlFile, DEVMESH_BACKUP_DRILL_DATABASE_URL_FILE: drillFile };
}
