import { Global, Module, type OnModuleInit } from '@nestjs/common';
import type { BreakerState } from '@devmesh/contracts/system-status';
import type { ServiceConfig } from '@devmesh/service-kit/config/service-config';
import { workContext } from '@devmesh/service-kit/context/request-context';
import { HealthRegistry } from '@devmesh/service-kit/health/health.registry';
import { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { SERVICE_CONFIG } from '@devmesh/service-kit/service.module';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import { DISCOVERY, DiscoveryModule } from './discovery/discovery.module.js';
import type { Discovery } from './discovery/discovery.js';
import { MeshClients } from './mesh-clients.js';

const STATE_VALUE: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

/**
 * Gives a service its `MeshClients`, from the service's configuration: discovery, deadlines of the work under way, breakers in
 * `/health` and in the metrics, and an orderly end.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    {
      provide: MeshClients,
      inject: [SERVICE_CONFIG, DISCOVERY],
      useFactory: (config: ServiceConfig, discovery: Discovery) =>
        new MeshClients({
          discovery,
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
  ) {}

  onModuleInit(): void {
    this.metrics.gauge('circuit_breaker_state', (gauge) => {
      for (const [service, state] of Object.entries(this.clients.breakerStates()))
        gauge.set({ service }, STATE_VALUE[state]);
    });
    this.health.addDetails('breakers', () => this.clients.breakerStates());
    this.shutdown.add({ name: 'clients', phase: 'close', run: () => this.clients.close() });
  }
}
