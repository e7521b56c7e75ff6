import type { Provider } from '@nestjs/common';
import { SERVICE_NAMES, type ServiceName } from '@devmesh/contracts/services';
import { HealthRegistry } from '@devmesh/service-kit/health/health.registry';
import type { GatewayConfig } from '../config.js';
import { HttpOrchestrator } from './http-orchestrator.js';
import { HttpState } from './http-state.js';
import { InternalHttp } from './internal-http.js';
import { OrchestratorPort } from './orchestrator.port.js';
import { StatePort } from './state.port.js';

/** The gateway is of no use without these two. */
const NEEDED = ['orchestrator', 'state-persistence'] as const;
const HEALTH_MS = 2_000;

/** The services that the gateway stands in front of, and their part in its readiness. */
export function upstreams(config: GatewayConfig): Provider[] {
  const http = (service: ServiceName): InternalHttp =>
    new InternalHttp(service, baseUrl(config, service), config.internalToken);
  return [
    { provide: StatePort, useValue: new HttpState(http('state-persistence')) },
    { provide: OrchestratorPort, useValue: new HttpOrchestrator(http('orchestrator')) },
    {
      provide: UpstreamHealth,
      useFactory: (registry: HealthRegistry) =>
        new UpstreamHealth(registry, new Map(NEEDED.map((name) => [name, http(name)]))),
      inject: [HealthRegistry],
    },
  ];
}

class UpstreamHealth {
  constructor(registry: HealthRegistry, needed: ReadonlyMap<ServiceName, InternalHttp>) {
    for (const [name, http] of needed) {
      registry.addCheck({
        name,
        critical: true,
        check: async () => {
          const response = await http.send({ path: '/health/live', timeoutMs: HEALTH_MS });
          await response.body?.cancel();
          return { up: true };
        },
      });
    }
  }
}

function baseUrl(config: GatewayConfig, service: ServiceName): string {
  return config.endpoints[service]?.[0] ?? `http://127.0.0.1:${config.portBase + SERVICE_NAMES.indexOf(service)}`;
}
