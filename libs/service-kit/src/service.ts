import 'reflect-metadata';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { ServiceName } from '@devmesh/contracts/services';
import express from 'express';
import type { z } from 'zod';
import { ConfigError, readConfig } from './config/read-config.js';
import { DEFAULT_BODY_LIMIT, portOf, type ServiceConfig } from './config/service-config.js';
import { ProblemFilter } from './errors/problem.filter.js';
import { HealthRegistry } from './health/health.registry.js';
import { allowedMethodsOf } from './http/allowed-methods.js';
import { jsonBody } from './http/json-body.js';
import { requestMiddleware } from './http/request.middleware.js';
import { ServiceIdentity } from './identity.js';
import { Listening } from './listening.js';
import { Logger } from './logging/logger.js';
import { NestLogger } from './logging/nest-logger.js';
import { Metrics, registerDiskMetrics, registerProcessMetrics } from './metrics/metrics.js';
import { ServiceModule } from './service.module.js';
import { endWithSignals } from './shutdown/process-end.js';
import { releaseYoungGeneration } from './start-up/young-generation.js';
import { Shutdown } from './shutdown/shutdown.js';
import { flushTraces } from './tracing/engine-span.js';

export interface ServiceOptions<C extends ServiceConfig = ServiceConfig> {
  readonly name: ServiceName;
  readonly module: Type | DynamicModule;
  readonly config: C;
  /** `own`: the service guards its routes by itself (the gateway). Default: the internal token. */
  readonly auth?: 'internal' | 'own';
  /** Largest JSON body, bytes. Other bodies reach their route as streams, with no limit but the route's own. */
  readonly bodyLimitBytes?: number;
  /** `own`: nobody parses bodies before the service's guard; it does so itself, with `jsonBody`. */
  readonly bodies?: 'parsed' | 'own';
  /** For tests: else made here. */
  readonly identity?: ServiceIdentity;
  readonly logger?: Logger;
  readonly now?: () => number;
}

/** A service that is wired up; `listen` opens its port. */
export interface Service {
  readonly app: NestExpressApplication;
  readonly identity: ServiceIdentity;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: HealthRegistry;
  readonly shutdown: Shutdown;
  /** Listens on the configured address, or on this port (0: any free one). Gives the base URL. */
  listen(port?: number): Promise<string>;
  /** Ends in order: leave, drain, close, flush. Default bound: the configuration's `drainMs`. */
  close(boundMs?: number): Promise<void>;
}

/** Longer than clients keep connections, so that none is closed under a request that is on its way. */
const KEEP_ALIVE_MS = 75_000;
/** Uploads of artifacts may take this long, ms. */
const REQUEST_MS = 30 * 60_000;

@Module({})
class RootModule {}

/** Wires a service up. Throws what its modules throw. */
export async function createService<C extends ServiceConfig>(options: ServiceOptions<C>): Promise<Service> {
  const { name, config } = options;
  const identity = options.identity ?? new ServiceIdentity({ name, revision: config.revision });
  const logger = options.logger ?? Logger.create({ service: name, level: config.logLevel });
  const metrics = new Metrics();
  const health = new HealthRegistry();
  const shutdown = new Shutdown(logger);
  const listening = new Listening();
  registerProcessMetrics(metrics, identity.startedAt);
  registerDiskMetrics(metrics, config.home);
  const kit = ServiceModule.of({
    config,
    identity,
    logger,
    metrics,
    health,
    shutdown,
    listening,
    guarded: options.auth !== 'own',
  });
  const app = await NestFactory.create<NestExpressApplication>(
    { module: RootModule, imports: [kit, options.module] },
    { bodyParser: false, logger: new NestLogger(logger), abortOnError: false },
  );
  const http = app.getHttpAdapter().getInstance() as express.Express;
  http.disable('x-powered-by').disable('etag').set('query parser', 'simple');
  const now = options.now ?? Date.now;
  app.use(requestMiddleware({ metrics, now, closing: () => shutdown.started }));
  if (options.bodies !== 'own') app.use(jsonBody(options.bodyLimitBytes ?? DEFAULT_BODY_LIMIT));
  app.useGlobalFilters(new ProblemFilter(logger, allowedMethodsOf(http)));
  const server = app.getHttpServer() as Server;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = KEEP_ALIVE_MS + 5_000;
  server.requestTimeout = REQUEST_MS;
  shutdown.add({ name: 'http server', phase: 'drain', run: () => stopAccepting(server) });
  shutdown.add({
    name: 'modules',
    phase: 'close',
    run: () => {
      server.closeAllConnections();
      return app.close();
    },
  });
  shutdown.add({ name: 'traces', phase: 'flush', run: flushTraces });
  await app.init();
  return {
    app,
    identity,
    logger,
    metrics,
    health,
    shutdown,
    async listen(port = portOf(name, config)) {
      await app.listen(port, config.host);
      const address = config.advertise ?? baseUrl(config.host, (server.address() as AddressInfo).port);
      await listening.tell(address);
      return address;
    },
    close: (boundMs = config.drainMs) => shutdown.run(boundMs),
  };
}

export interface RunOptions<S extends z.ZodObject> extends Pick<
  ServiceOptions,
  'name' | 'auth' | 'bodies' | 'bodyLimitBytes'
> {
  /** The schema of the configuration: `ServiceConfig.extend({…})`. */
  readonly config: S;
  readonly module: (config: z.output<S>) => Type | DynamicModule;
}

/**
 * A service's whole life, for its `main.ts`: reads the configuration, listens, ends with signals or with its supervisor. A
 * start that fails writes one log line that names the culprit, and exits 1.
 */
export async function runService<S extends z.ZodObject>(
  options: RunOptions<S> & (z.output<S> extends ServiceConfig ? unknown : never),
): Promise<void> {
  const { name } = options;
  let logger = Logger.create({ service: name, level: 'info' });
  try {
    const config = readConfig(options.config, { service: name }) as z.output<S> & ServiceConfig;
    logger = Logger.create({ service: name, level: config.logLevel });
    const service = await createService({ ...options, config, logger, module: options.module(config) });
    process.on('unhandledRejection', (error) => logger.error('a promise was rejected and nobody noticed', { error }));
    endWithSignals({
      logger,
      drainMs: config.drainMs,
      parentPipe: config.parentPipe,
      end: (boundMs) => service.close(boundMs),
    });
    const address = await service.listen();
    releaseYoungGeneration();
    const { instance, version, revision } = service.identity;
    logger.info('listening', { address, instance, version, revision, pid: process.pid });
  } catch (error) {
    logger.error(startFailure(name, error), error instanceof ConfigError ? {} : { error });
    process.exitCode = 1;
    // Modules that had started may hold timers and connections.
    setTimeout(() => process.exit(1), 500).unref();
  }
}

function startFailure(name: ServiceName, error: unknown): string {
  const { code, port, address } = error as { code?: string; port?: number; address?: string };
  if (code === 'EADDRINUSE') {
    return `${name} can't start: port ${port} on ${address} is taken; stop what listens there, or set DEVMESH_PORT or DEVMESH_PORT_BASE`;
  }
  return error instanceof ConfigError ? error.message : `${name} can't start`;
}

function baseUrl(host: string, port: number): string {
  const reachable =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${reachable}:${port}`;
}

/** Ends when the last request that was under way has been answered. */
function stopAccepting(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
