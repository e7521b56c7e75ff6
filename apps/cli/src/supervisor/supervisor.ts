import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import { registerApiKey } from './api-key.js';
import type { Backoff } from './backoff.js';
import { EmbeddedDatabase, ExternalDatabase, type Database } from './database.js';
import type { Home } from './home.js';
import { untilReady } from './http-probe.js';
import { LogFile } from './log-file.js';
import { ManagedProcess } from './managed-process.js';
import { backupEnvironment, inheritedEnvironment, type ServiceSpec } from './mesh-services.js';
import { assertInspectorsFree, assertPortsFree } from './ports.js';
import { endProcesses, livingProcesses, ProcessTable } from './processes.js';
import { PROTOCOL, type MeshError, type MeshPhase, type MeshStatus } from './protocol.js';
import type { DatabaseUrls } from './postgres/roles.js';
import { openSecrets, writePrivate, type MeshSecrets } from './secrets.js';

export interface SupervisorOptions {
  readonly home: Home;
  readonly clone: string;
  readonly host: string;
  readonly portBase: number;
  readonly services: readonly ServiceSpec[];
  readonly env: NodeJS.ProcessEnv;
  readonly backoff: Backoff;
  readonly version: string;
  readonly revision: string | null;
  /** Deaths in a row of a service that was never ready, after which the start is given up. */
  readonly patience: number;
  readonly startTimeoutMs: number;
}

const STATE_SERVICE = 'state-persistence';
const STOP_GRACE_MS = 8_000;

interface Managed {
  readonly spec: ServiceSpec;
  readonly process: ManagedProcess;
}

/** One mesh: its database and its services, from start to stop. Holds the data folder's lock for as long as it lives. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #table: ProcessTable;
  readonly #listeners = new Set<() => void>();
  readonly #startedAt = Date.now();
  #phase: MeshPhase = 'starting';
  #error: MeshError | null = null;
  #readyAt: number | null = null;
  #database: Database | null = null;
  #services: Managed[] = [];
  #logs: LogFile[] = [];
  #starting: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | null = null;
  readonly #forgiving: NodeJS.Timeout;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#table = new ProcessTable(join(options.home.run, 'processes.json'));
    this.#forgiving = setInterval(() => {
      const now = Date.now();
      this.#database?.forgive(now);
      for (const { process } of this.#services) process.forgive(now);
    }, 5_000);
    this.#forgiving.unref();
  }

  get phase(): MeshPhase {
    return this.#phase;
  }

  /** Calls back on each change, soon after it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readonly #changed = (): void => {
    for (const listener of this.#listeners) listener();
  };

  status(): MeshStatus {
    const { home, host, portBase, services, version, revision } = this.#options;
    return {
      protocol: PROTOCOL,
      phase: this.#phase,
      error: this.#error,
      pid: process.pid,
      startedAt: this.#startedAt,
      readyAt: this.#readyAt,
      home: home.root,
      version,
      revision,
      portBase,
      gateway: this.#address(services.find(({ service }) => service === 'gateway')?.port ?? portBase),
      database: this.#database?.status() ?? {
        name: 'postgres',
        kind: (this.#options.env['DATABASE_URL'] ?? '') === '' ? 'embedded' : 'external',
        address: host,
        state: 'starting',
        pid: null,
        startedAt: null,
        restarts: 0,
        lastExit: null,
        retryAt: null,
        log: null,
      },
      services: services.map((spec) => ({
        ...(this.#services.find((managed) => managed.spec.name === spec.name)?.process.status() ?? {
          name: spec.name,
          state: 'stopped' as const,
          pid: null,
          startedAt: null,
          restarts: 0,
          lastExit: null,
          retryAt: null,
          log: null,
        }),
        port: spec.port,
        address: this.#address(spec.port),
      })),
    };
  }

  #address(port: number): string {
    // Who listens on every address is still reached through loopback from here.
    const host = ['0.0.0.0', '::'].includes(this.#options.host) ? '127.0.0.1' : this.#options.host;
    return `http://${host}:${port}`;
  }

  #endpoints(): Record<string, string[]> {
    const addresses: Record<string, string[]> = {};
    for (const { service, port } of this.#options.services) (addresses[service] ??= []).push(this.#address(port));
    return addresses;
  }

  #log(name: string): LogFile {
    const log = new LogFile(join(this.#options.home.logs, `${name}.log`));
    this.#logs.push(log);
    return log;
  }

  /** Starts everything. On failure the phase is `failed`, nothing is left running, and the error is in the status. */
  async start(): Promise<void> {
    try {
      this.#starting = this.#startAll();
      await this.#starting;
      if (this.#phase !== 'starting') return;
      this.#phase = 'ready';
      this.#readyAt = Date.now();
      this.#changed();
    } catch (error) {
      if (this.#phase !== 'starting') return;
      this.#error =
        error instanceof DevmeshError
          ? { code: error.code, message: error.message }
          : {
              code: 'internal',
              message: `the mesh could not be started: ${error instanceof Error ? error.message : String(error)} (log: ${join(this.#options.home.logs, 'supervisor.log')})`,
            };
      await this.stop('failed');
    }
  }

  async #startAll(): Promise<void> {
    const { home, host, portBase, services, env, backoff } = this.#options;
    // A predecessor that was killed: its children end by themselves when their pipe breaks; those that can't are ended here.
    const leftovers = (await livingProcesses(join(home.run, 'processes.json'))).filter(
      ({ name }) => name !== 'postgres',
    );
    await endProcesses(leftovers, 3_000);
    await assertPortsFree(services, host, portBase);
    await assertInspectorsFree(
      services.flatMap(({ name, inspectorPort: port }) => (port === undefined ? [] : [{ name, port }])),
    );
    const secrets = await openSecrets(home);
    const url = env['DATABASE_URL'];
    this.#database =
      url === undefined || url === ''
        ? await EmbeddedDatabase.open({
            home,
            passwords: secrets,
            env,
            log: this.#log('postgres'),
            backoff,
            table: this.#table,
            changed: this.#changed,
          })
        : new ExternalDatabase(url, env['DEVMESH_QUEUE_DATABASE_URL'], secrets.queuePassword);
    if (this.#stopped !== null) return;

    this.#services = services.map((spec) => ({ spec, process: this.#manage(spec, secrets) }));
    const early = this.#database.early;
    if (early) await this.#handOver(this.#database.planned());
    const database = this.#database.start();
    database.catch(() => {});
    for (const { spec, process } of this.#services) if (early || !spec.needsDatabase) process.start();
    const urls = await database;
    if (this.#stopped !== null) return;
    if (!early) {
      await this.#handOver(urls);
      for (const { process } of this.#services) process.start();
    }
    await this.#allReady(secrets);
  }

  async #allReady(secrets: MeshSecrets): Promise<void> {
    const { patience, startTimeoutMs } = this.#options;
    const ready = Promise.all(
      this.#services.map(async ({ spec, process }) => {
        await process.firstReady(patience);
        if (spec.name === STATE_SERVICE)
          await registerApiKey(this.#address(spec.port), secrets.internalToken, secrets.apiKey);
      }),
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const waiting = this.#services
          .filter(({ process }) => process.state !== 'ready')
          .map(({ process }) => `${process.name} (${process.complaint})`);
        reject(
          new DevmeshError(
            'unavailable',
            `not ready after ${Math.round(startTimeoutMs / 1000)} s: ${waiting.join('; ')}: see ./devmesh logs ${this.#services.find(({ process }) => process.state !== 'ready')?.spec.name ?? ''}`,
          ),
        );
      }, startTimeoutMs);
    });
    try {
      await Promise.race([ready, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Addresses with passwords travel in files, never in arguments or in other services' environment. */
  async #handOver(urls: DatabaseUrls): Promise<void> {
    const { secrets } = this.#options.home;
    await writePrivate(join(secrets, 'database-url'), `${urls.databaseUrl}\n`);
    await writePrivate(join(secrets, 'queue-database-url'), `${urls.queueUrl}\n`);
    const redisUrl = this.#options.env['DEVMESH_QUEUE_REDIS_URL'];
    if (redisUrl) await writePrivate(join(secrets, 'queue-redis-url'), `${redisUrl}\n`);
  }

  #manage(spec: ServiceSpec, secrets: MeshSecrets): ManagedProcess {
    const { home, clone, host, portBase, env, revision } = this.#options;
    const own: NodeJS.ProcessEnv = {
      ...inheritedEnvironment(env),
      NODE_ENV: 'production',
      DEVMESH_HOME: home.root,
      DEVMESH_HOST: host,
      DEVMESH_PORT_BASE: String(portBase),
      DEVMESH_PORT: String(spec.port),
      DEVMESH_SERVICE: spec.service,
      DEVMESH_PARENT_PIPE: '1',
      DEVMESH_INTERNAL_TOKEN_FILE: secrets.internalTokenFile,
      DEVMESH_ENDPOINTS: env['DEVMESH_ENDPOINTS'] ?? JSON.stringify(this.#endpoints()),
      ...(revision === null ? {} : { DEVMESH_REVISION: revision }),
      ...(spec.service === STATE_SERVICE
        ? { DATABASE_URL_FILE: join(home.secrets, 'database-url'), ...backupEnvironment(env) }
        : {}),
      ...(spec.service === 'orchestrator'
        ? {
            DEVMESH_QUEUE_DATABASE_URL_FILE: join(home.secrets, 'queue-database-url'),
            ...(env['DEVMESH_QUEUE_REDIS_URL']
              ? { DEVMESH_QUEUE_REDIS_URL_FILE: join(home.secrets, 'queue-redis-url') }
              : {}),
          }
        : {}),
      ...spec.env,
    };
    return new ManagedProcess({
      name: spec.name,
      log: this.#log(spec.name),
      backoff: this.#options.backoff,
      table: this.#table,
      launch: async () => ({ program: process.execPath, args: spec.args, env: own, cwd: clone }),
      ready: (signal) => untilReady(`${this.#address(spec.port)}/health/ready`, signal),
      changed: this.#changed,
    });
  }

  /** Stops everything; nothing is left when it resolves. Idempotent. */
  stop(as: 'stopping' | 'failed' = 'stopping'): Promise<void> {
    this.#stopped ??= this.#stopAll(as);
    return this.#stopped;
  }

  async #stopAll(as: 'stopping' | 'failed'): Promise<void> {
    this.#phase = 'stopping';
    clearInterval(this.#forgiving);
    this.#changed();
    // What others report to goes last.
    const last = this.#services.filter(({ spec }) => spec.service === STATE_SERVICE);
    const first = this.#services.filter(({ spec }) => spec.service !== STATE_SERVICE);
    await Promise.all(first.map(({ process }) => process.stop(STOP_GRACE_MS)));
    await Promise.all(last.map(({ process }) => process.stop(STOP_GRACE_MS)));
    await this.#database?.stop();
    // A start that is under way may be making the database: it notices at its next step.
    await this.#starting.catch(() => {});
    await this.#database?.stop();
    this.#table.clear();
    this.#phase = as === 'failed' ? 'failed' : 'stopped';
    this.#changed();
    for (const log of this.#logs) log.close();
  }
}
