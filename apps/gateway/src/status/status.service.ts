import { SERVICE_NAMES, type ServiceName } from '@devmesh/contracts/services';
import type { BreakerState, SystemLoad, SystemStatus } from '@devmesh/contracts/system-status';
import { systemStatus, type ServiceSeen, type StatusLimits } from './status-rules.js';

export interface StatusParts {
  /** States of the breakers of a service, as it tells them; null when it does not answer. */
  readonly breakersOf: (service: ServiceName) => Promise<Readonly<Record<string, BreakerState>> | null>;
  /** Null when state-persistence does not answer. */
  readonly load: () => Promise<SystemLoad | null>;
  readonly limits: StatusLimits;
}

/** How the mesh as a whole is. */
export class StatusService {
  constructor(private readonly parts: StatusParts) {}

  async get(): Promise<SystemStatus> {
    const { breakersOf, load, limits } = this.parts;
    const seen = async (service: ServiceName): Promise<ServiceSeen> => ({
      service,
      breakers: await breakersOf(service),
    });
    const [services, figures] = await Promise.all([Promise.all(SERVICE_NAMES.map(seen)), load()]);
    return systemStatus(services, figures, limits);
  }
}
