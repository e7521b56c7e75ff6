import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Backoff } from './backoff.js';
import type { Home } from './home.js';
import type { LogFile } from './log-file.js';
import { ManagedProcess } from './managed-process.js';
import { freePort, portIsFree } from './ports.js';
import { passageTo, postgresAccount, type Account, type Passage } from './postgres/account.js';
import { findBinaries, type PostgresBinaries } from './postgres/binaries.js';
import { assureOwner, clusterExists, makeCluster, postgresEnvironment, serverArguments } from './postgres/cluster.js';
import {
  addressOf,
  assureRoles,
  plannedUrls,
  useExternalDatabase,
  type DatabaseUrls,
  type RolePasswords,
} from './postgres/roles.js';
import { clearStaleServer } from './postgres/stale.js';
import { WATCHDOG_SCRIPT } from './postgres/watchdog.js';
import type { ProcessTable } from './processes.js';
import type { DatabaseStatus } from './protocol.js';
import { writePrivate } from './secrets.js';

export interface Database {
  /** Known before the database is up, so that services can be started beside it; null while the cluster must be made first. */
  readonly early: boolean;
  /** Resolves when roles, database and schema are there. */
  start(): Promise<DatabaseUrls>;
  /** Where services will reach it; for `early` ones only, before it is up. */
  planned(): DatabaseUrls;
  /** Where it is, or will be. */
  status(): DatabaseStatus;
  forgive(now: number): void;
  stop(): Promise<void>;
}

export interface EmbeddedOptions {
  readonly home: Home;
  readonly passwords: RolePasswords;
  readonly env: NodeJS.ProcessEnv;
  readonly log: LogFile;
  readonly backoff: Backoff;
  readonly table: ProcessTable;
  readonly changed: () => void;
}

const HOST = '127.0.0.1';

/** The port of this cluster: the same at every start, unless somebody took it in between. */
async function clusterPort(home: Home): Promise<number> {
  const file = join(home.root, 'postgres.port');
  const known = Number((await readFile(file, 'utf8').catch(() => '')).trim());
  if (Number.isInteger(known) && known > 1023 && known < 65_536 && (await portIsFree(known, HOST))) return known;
  const port = await freePort(HOST);
  await writePrivate(file, `${port}\n`);
  return port;
}

/** PostgreSQL from the package, with its cluster in the data folder. */
export class EmbeddedDatabase implements Database {
  readonly #options: EmbeddedOptions;
  readonly #process: ManagedProcess;
  readonly early: boolean;
  readonly #account: Account | null;
  readonly #binaries: PostgresBinaries;
  #passage: Passage | null = null;
  readonly #port: number;
  #failed: (error: Error) => void = () => {};

  private constructor(
    options: EmbeddedOptions,
    early: boolean,
    account: Account | null,
    binaries: PostgresBinaries,
    port: number,
  ) {
    this.#options = options;
    this.early = early;
    this.#account = account;
    this.#binaries = binaries;
    this.#port = port;
    this.#process = new ManagedProcess({
      name: 'postgres',
      log: options.log,
      backoff: options.backoff,
      table: options.table,
      launch: async () => {
        await this.#passage?.close();
        // Whatever is left of an incarnation that died would refuse its successor.
        await clearStaleServer(options.home.postgres);
        this.#passage = await passageTo(options.home.postgres, account);
        return {
          program: '/bin/sh',
          args: [
            '-c',
            WATCHDOG_SCRIPT,
            'postgres-watchdog',
            binaries.postgres,
            ...serverArguments(this.#passage.path, this.#port),
          ],
          env: postgresEnvironment(options.env),
          cwd: '/',
          ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
          fds: this.#passage.fd === null ? [] : [this.#passage.fd],
        };
      },
      ready: async (signal, child) => {
        await accepting(signal, child);
        await assureRoles(this.#port, options.passwords).catch((error: unknown) => {
          this.#failed(error instanceof Error ? error : new Error(String(error)));
          throw error;
        });
      },
      ended: async () => {
        // Its watchdog may have been killed alone.
        await clearStaleServer(options.home.postgres);
        await this.#passage?.close();
        this.#passage = null;
      },
      changed: options.changed,
    });
  }

  /** Looks at what is there; starts nothing. */
  static async open(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
    const account = await postgresAccount(options.home.postgres);
    const binaries = await findBinaries(account);
    const early = await clusterExists(options.home.postgres, binaries.major);
    // Before the port is chosen: a server left over would hold it.
    await clearStaleServer(options.home.postgres);
    return new EmbeddedDatabase(options, early, account, binaries, await clusterPort(options.home));
  }

  async start(): Promise<DatabaseUrls> {
    const { home, passwords, env } = this.#options;
    if (!this.early)
      await makeCluster(home.postgres, this.#binaries, this.#account, passwords.databaseAdminPassword, env);
    await assureOwner(home.postgres, this.#account);
    const failed = new Promise<never>((_, reject) => {
      this.#failed = reject;
    });
    failed.catch(() => {});
    this.#process.start();
    await Promise.race([this.#process.firstReady(3), failed]);
    return plannedUrls(this.#port, passwords);
  }

  planned(): DatabaseUrls {
    return plannedUrls(this.#port, this.#options.passwords);
  }

  status(): DatabaseStatus {
    return { ...this.#process.status(), kind: 'embedded', address: `${HOST}:${this.#port}` };
  }

  forgive(now: number): void {
    this.#process.forgive(now);
  }

  async stop(): Promise<void> {
    await this.#process.stop(10_000, (child) => child.stdin?.write('stop\n'));
  }
}

/** Resolves when the server says that it takes connections; its log goes on to whoever listens too. */
async function accepting(signal: AbortSignal, child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let tail = '';
    const hear = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-4000);
      if (!tail.includes('database system is ready to accept connections')) return;
      child.stderr?.off('data', hear);
      resolve();
    };
    child.stderr?.on('data', hear);
    signal.addEventListener('abort', () => reject(new Error('ended')), { once: true });
  });
}

/** The PostgreSQL that `DATABASE_URL` names: somebody else keeps it, so it is only checked and prepared. */
export class ExternalDatabase implements Database {
  readonly early = false;
  readonly #url: string;
  readonly #queueUrl: string | undefined;
  readonly #queuePassword: string;
  #urls: DatabaseUrls | null = null;

  constructor(url: string, queueUrl: string | undefined, queuePassword: string) {
    this.#url = url;
    this.#queueUrl = queueUrl;
    this.#queuePassword = queuePassword;
  }

  async start(): Promise<DatabaseUrls> {
    this.#urls = await useExternalDatabase(this.#url, this.#queueUrl, this.#queuePassword);
    return this.#urls;
  }

  planned(): DatabaseUrls {
    return this.#urls ?? { databaseUrl: this.#url, queueUrl: this.#queueUrl ?? this.#url };
  }

  status(): DatabaseStatus {
    return {
      name: 'postgres',
      kind: 'external',
      address: addressOf(this.#url),
      state: this.#urls === null ? 'starting' : 'ready',
      pid: null,
      startedAt: null,
      restarts: 0,
      lastExit: null,
      retryAt: null,
      log: null,
    };
  }

  forgive(): void {}

  async stop(): Promise<void> {}
}
