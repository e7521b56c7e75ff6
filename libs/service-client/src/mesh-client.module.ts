import { Global, Module, type OnModuleInit } from '@nestjs/common';
import type { ServiceConfig } from '@devmesh/service-kit/config/service-config';
import { workContext } from '@devmesh/service-kit/context/request-context';
import { HealthRegistry } from '@devmesh/service-kit/health/health.registry';
import { ServiceIdentity } from '@devmesh/service-kit/identity';
import { Listening } from '@devmesh/service-kit/listening';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { SERVICE_CONFIG } from '@devmesh/service-kit/service.module';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import type { Discovery } from './discovery/discovery.js';
import { localEndpoints, StaticDiscovery } from './discovery/static.discovery.js';
import type { BreakerState } from './http/breaker.js';
import { MeshClients } from './mesh-clients.js';

const STATE_VALUE: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

/** Consul's client is loaded only where Consul is used. */
async function makeDiscovery(config: ServiceConfig, logger: Logger): Promise<Discovery> {
  const endpoints = { ...localEndpoints('127.0.0.1', config.portBase), ...config.endpoints };
  const fixed = new StaticDiscovery(endpoints);
  if (config.consulAddress === undefined) return fixed;
  const { ConsulDiscovery } = await import('./discovery/consul.discovery.js');
  return new ConsulDiscovery({ address: config.consulAddress, behind: fixed, warn: (message) => logger.warn(message) });
}

/**
 * Gives a service its `MeshClients`, from the service's configuration: discovery, deadlines of the work under way, breakers in
 * `/health` and in the metrics, registration once it listens, and an orderly end.
 */
@Global()
@Module({
  providers: [
    {
      provide: MeshClients,
      inject: [SERVICE_CONFIG, Logger],
      useFactory: async (config: ServiceConfig, logger: Logger) =>
        new MeshClients({
          discovery: await makeDiscovery(config, logger),
          internalToken: config.internalToken,
          breakers: config.breakers,
          deadline: () => workContext().deadlineAt,
        }),
    },
  ],
  exports: [MeshClients],
})
export class MeshClientModule implements OnModuleInit {
  constructor(
    private readonly clients: MeshClients,
    private readonly metrics: Metrics,
    private readonly health: HealthRegistry,
    private readonly shutdown: Shutdown,
    private readonly identity: ServiceIdentity,
    private readonly listening: Listening,
  ) {}

  onModuleInit(): void {
    this.metrics.gauge('circuit_breaker_state', (gauge) => {
      for (const [service, state] of Object.entries(this.clients.breakerStates()))
        gauge.set({ service }, STATE_VALUE[state]);
    });
    this.health.addDetails('breakers', () => this.clients.breakerStates());
    const { name: service, instance, version } = this.identity;
    this.listening.add((address) => this.clients.discovery.register({ service, instance, version, address }));
    this.shutdown.add({ name: 'deregister', phase: 'leave', run: () => this.clients.discovery.deregister() });
    this.shutdown.add({ name: 'clients', phase: 'close', run: () => this.clients.close() });
  }
}
