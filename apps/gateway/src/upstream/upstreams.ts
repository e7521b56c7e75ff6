import type { Provider } from '@nestjs/common';
import { MeshClients } from '@devmesh/service-client/mesh-clients';
import { StateFindings } from '@devmesh/service-client/state-findings';
import { StateLedger } from '@devmesh/service-client/state-ledger';
import { StateTriggers } from '@devmesh/service-client/state-triggers';
import { HealthRegistry } from '@devmesh/service-kit/health/health.registry';
import { MeshOrchestrator } from './mesh-orchestrator.js';
import { MeshState } from './mesh-state.js';
import { OrchestratorPort } from './orchestrator.port.js';
import { StatePort } from './state.port.js';

/** The gateway is of no use without these two. */
const NEEDED = ['orchestrator', 'state-persistence'] as const;
const HEALTH_MS = 2_000;

/** The services that the gateway stands in front of, and their part in its readiness. */
export const UPSTREAMS: Provider[] = [
  {
    provide: StatePort,
    useFactory: (clients: MeshClients) => new MeshState(clients.state, clients.caller('state-persistence')),
    inject: [MeshClients],
  },
  {
    provide: OrchestratorPort,
    useFactory: (clients: MeshClients) => new MeshOrchestrator(clients.orchestrator),
    inject: [MeshClients],
  },
  {
    provide: StateLedger,
    useFactory: (clients: MeshClients) => clients.state.ledger,
    inject: [MeshClients],
  },
  {
    provide: StateFindings,
    useFactory: (clients: MeshClients) => clients.state.findings,
    inject: [MeshClients],
  },
  {
    provide: StateTriggers,
    useFactory: (clients: MeshClients) => clients.state.triggers,
    inject: [MeshClients],
  },
  {
    provide: 'upstream health',
    useFactory: watchUpstreams,
    inject: [HealthRegistry, MeshClients],
  },
];

function watchUpstreams(registry: HealthRegistry, clients: MeshClients): typeof NEEDED {
  for (const name of NEEDED) {
    const caller = clients.caller(name);
    registry.addCheck({
      name,
      critical: true,
      check: async () => {
        // Past the breaker, which would hide for a while that the service is back.
        const live = { method: 'GET', path: '/health/live', longPoll: true, timeoutMs: HEALTH_MS } as const;
        (await caller.stream(live)).resume();
        return { up: true };
      },
    });
  }
  return NEEDED;
}
