import { spawn } from 'node:child_process';
import { chmod, chown, lchown, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import { passageTo, type Account } from './account.js';
import type { PostgresBinaries } from './binaries.js';

/** The cluster's superuser: the supervisor's own, never a service's. */
export const ADMIN_ROLE = 'devmesh_admin';

/** What PostgreSQL and its shell get of the environment: no `PG*` of the user's. */
export function postgresEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.fromEntries(
    ['PATH', 'TZ', 'TMPDIR'].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  return { ...kept, LC_ALL: 'C' };
}

/** Whether a cluster is there; refuses one that these programs can't read. */
export async function clusterExists(dataDir: string, major: number): Promise<boolean> {
  let text: string;
  try {
    text = (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  if (Number(text) !== major) {
    throw new DevmeshError(
      'conflict',
      `the database in ${dataDir} was made by PostgreSQL ${text}, and this Devmesh brings PostgreSQL ${major}: use the Devmesh that made it, or move the folder away to start anew`,
    );
  }
  return true;
}

/** Runs a program to its end; gives its exit code and the end of what it said. */
async function runProgram(
  program: string,
  args: readonly string[],
  account: Account | null,
  env: NodeJS.ProcessEnv,
  fds: readonly number[],
): Promise<{ code: number | null; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: '/',
      env,
      ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
      stdio: ['ignore', 'pipe', 'pipe', ...fds],
    });
    let said = '';
    const hear = (chunk: Buffer): void => {
      said = (said + chunk.toString()).slice(-4000);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}

/**
 * Makes the cluster: beside its place first, then renamed, so that a start that was killed leaves no half one. Its superuser
 * has `password`; every connection needs one (SCRAM).
 */
export async function makeCluster(
  dataDir: string,
  binaries: PostgresBinaries,
  account: Account | null,
  password: string,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const scratch = `${dataDir}.making`;
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { mode: 0o700 });
  if (account !== null) await chown(scratch, account.uid, account.gid);
  // Its passage is a descriptor too, so the password is in no folder that the account would have to enter.
  const passwordFile = `${dataDir}.password`;
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  const passage = await passageTo(scratch, account);
  const secret = await open(passwordFile, 'r');
  try {
    if (account !== null) await chown(passwordFile, account.uid, account.gid);
    const args = [
      `--pgdata=${passage.path}`,
      `--username=${ADMIN_ROLE}`,
      `--pwfile=${account === null ? passwordFile : '/proc/self/fd/4'}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // The same order and the same messages on every machine.
      '--locale=C',
    ];
    const { code, said } = await runProgram(
      binaries.initdb,
      args,
      account,
      postgresEnvironment(env),
      passage.fd === null ? [] : [passage.fd, secret.fd],
    );
    if (code !== 0) {
      const full = /No space left on device/i.test(said);
      throw new DevmeshError(
        full ? 'storage_full' : 'unavailable',
        full
          ? `no space left to make the database in ${dataDir}: free 200 MB, or set DEVMESH_HOME to a folder on another disk`
          : `PostgreSQL could not make its cluster in ${dataDir} (initdb ended with ${code}): ${lastLine(said)}; free that folder, or set DATABASE_URL`,
      );
    }
    await rename(scratch, dataDir);
  } finally {
    await secret.close();
    await passage.close();
    await rm(passwordFile, { force: true });
    await rm(scratch, { recursive: true, force: true });
  }
}

export const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim() ?? '';

async function giveTo(path: string, uid: number, gid: number): Promise<void> {
  await lchown(path, uid, gid);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await giveTo(child, uid, gid);
    else await lchown(child, uid, gid);
  }
}

/** After e.g. a copy as root the cluster may belong to root, which PostgreSQL refuses: it goes to `account` again. */
export async function assureOwner(dataDir: string, account: Account | null): Promise<void> {
  if (account !== null && (await stat(dataDir)).uid !== account.uid) await giveTo(dataDir, account.uid, account.gid);
  if (((await stat(dataDir)).mode & 0o077) !== 0) await chmod(dataDir, 0o700);
}

/** Arguments of the server. Durable: what was answered as committed is on disk. Loopback alone, no sockets in folders. */
export function serverArguments(dataPath: string, port: number): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    fsync: 'on',
    synchronous_commit: 'on',
    full_page_writes: 'on',
    max_connections: 100,
    shared_buffers: '64MB',
    // There is no standby: less is written, and start and stop are quicker.
    wal_level: 'minimal',
    max_wal_senders: 0,
    max_wal_size: '512MB',
    max_logical_replication_workers: 0,
    // Its workers would be three more processes for a database that fits into memory.
    io_method: 'sync',
    jit: 'off',
    password_encryption: 'scram-sha-256',
    lc_messages: 'C',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    logging_collector: 'off',
  };
  return ['-D', dataPath, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
