import { BreakerState, SystemLoad } from '@devmesh/contracts/system-status';
import type { ServiceName } from '@devmesh/contracts/services';
import { MeshClients } from '@devmesh/service-client/mesh-clients';
import type { Provider } from '@nestjs/common';
import { z } from 'zod';
import type { GatewayConfig } from '../config.js';
import { StatusService } from './status.service.js';

/** Longer than a healthy service takes to say how it is, ms. */
const ANSWER_MS = 2_000;

/** What is read of `/health`. */
const Health = z.object({ breakers: z.record(z.string(), BreakerState).default({}) });

export function statusProvider(config: GatewayConfig): Provider {
  return {
    provide: StatusService,
    inject: [MeshClients],
    useFactory: (clients: MeshClients) =>
      new StatusService({
        // Past the breaker, which would answer in place of the service.
        breakersOf: async (service: ServiceName) =>
          service === 'gateway'
            ? clients.breakerStates()
            : clients
                .caller(service)
                .call({ method: 'GET', path: '/health', longPoll: true, timeoutMs: ANSWER_MS }, Health)
                .then(
                  ({ breakers }) => breakers,
                  () => null,
                ),
        load: () =>
          clients
            .caller('state-persistence')
            .call({ method: 'GET', path: '/v1/load', timeoutMs: ANSWER_MS }, SystemLoad)
            .catch(() => null),
        limits: config.status,
      }),
  };
}
