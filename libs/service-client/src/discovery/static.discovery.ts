import { DEFAULT_PORT_BASE, SERVICE_NAMES, type ServiceName } from '@devmesh/contracts/services';
import type { Instance } from '../http/instance-pool.js';
import type { Discovery } from './discovery.js';

export type Endpoints = Readonly<Partial<Record<ServiceName, readonly string[]>>>;

/** The nine services on one host, each at its place after the first port. */
export function localEndpoints(host = '127.0.0.1', portBase = DEFAULT_PORT_BASE): Record<ServiceName, string[]> {
  const entries = SERVICE_NAMES.map((service, place) => [service, [`http://${host}:${portBase + place}`]]);
  return Object.fromEntries(entries) as Record<ServiceName, string[]>;
}

/** Endpoints that were handed over at start. Which of them are up shows when they are called. */
export class StaticDiscovery implements Discovery {
  readonly #instances = new Map<ServiceName, readonly Instance[]>();

  constructor(endpoints: Endpoints) {
    for (const service of SERVICE_NAMES) {
      const addresses = endpoints[service] ?? [];
      this.#instances.set(
        service,
        Object.freeze(addresses.map((address) => ({ address: address.replace(/\/+$/, ''), instance: null }))),
      );
    }
  }

  instances(service: ServiceName): readonly Instance[] {
    return this.#instances.get(service) ?? [];
  }

  onChange(): () => void {
    return () => undefined;
  }

  async register(): Promise<void> {}

  async deregister(): Promise<void> {}

  close(): void {}
}
