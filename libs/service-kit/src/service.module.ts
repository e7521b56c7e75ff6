import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { InternalTokenGuard } from './auth/internal-token.guard.js';
import type { ServiceConfig } from './config/service-config.js';
import { HealthController } from './health/health.controller.js';
import { HealthRegistry } from './health/health.registry.js';
import { ServiceIdentity } from './identity.js';
import { Listening } from './listening.js';
import { Logger } from './logging/logger.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { Metrics } from './metrics/metrics.js';
import { Shutdown } from './shutdown/shutdown.js';

/** Injects the `ServiceConfig` part of the service's configuration. */
export const SERVICE_CONFIG = Symbol('service configuration');

export interface ServiceParts {
  readonly config: ServiceConfig;
  readonly identity: ServiceIdentity;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: HealthRegistry;
  readonly shutdown: Shutdown;
  readonly listening: Listening;
  readonly guarded: boolean;
}

/**
 * What every part of a service may inject: `ServiceIdentity`, `Logger`, `Metrics`, `HealthRegistry`, `Shutdown`, `Listening`, and
 * `SERVICE_CONFIG`; with the routes for health and metrics, and the guard of internal services.
 */
@Global()
@Module({})
export class ServiceModule {
  static of(parts: ServiceParts): DynamicModule {
    const providers: Provider[] = [
      { provide: SERVICE_CONFIG, useValue: parts.config },
      { provide: ServiceIdentity, useValue: parts.identity },
      { provide: Logger, useValue: parts.logger },
      { provide: Metrics, useValue: parts.metrics },
      { provide: HealthRegistry, useValue: parts.health },
      { provide: Shutdown, useValue: parts.shutdown },
      { provide: Listening, useValue: parts.listening },
    ];
    const guard: Provider[] = parts.guarded
      ? [{ provide: APP_GUARD, useValue: new InternalTokenGuard(parts.config.internalToken) }]
      : [];
    return {
      module: ServiceModule,
      imports: [TerminusModule.forRoot({ logger: false, gracefulShutdownTimeoutMs: 0 })],
      controllers: [HealthController, MetricsController],
      providers: [...providers, ...guard],
      exports: providers,
    };
  }
}
