import { Global, Inject, Module, type OnModuleInit } from '@nestjs/common';
import type { ServiceConfig } from '@devmesh/service-kit/config/service-config';
import { ServiceIdentity } from '@devmesh/service-kit/identity';
import { Listening } from '@devmesh/service-kit/listening';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { SERVICE_CONFIG } from '@devmesh/service-kit/service.module';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import type { Discovery } from './discovery.js';
import { localEndpoints, StaticDiscovery } from './static.discovery.js';

export const DISCOVERY = Symbol('where services are');

/** Consul's client is loaded only where Consul is used. */
async function makeDiscovery(config: ServiceConfig, logger: Logger): Promise<Discovery> {
  const endpoints = { ...localEndpoints('127.0.0.1', config.portBase), ...config.endpoints };
  const fixed = new StaticDiscovery(endpoints);
  if (config.consulAddress === undefined) return fixed;
  const { ConsulDiscovery } = await import('./consul.discovery.js');
  return new ConsulDiscovery({ address: config.consulAddress, behind: fixed, warn: (message) => logger.warn(message) });
}

/** Every service imports it, those that call no other too: it is registered once it listens, and leaves before it stops. */
@Global()
@Module({
  providers: [{ provide: DISCOVERY, inject: [SERVICE_CONFIG, Logger], useFactory: makeDiscovery }],
  exports: [DISCOVERY],
})
export class DiscoveryModule implements OnModuleInit {
  constructor(
    @Inject(DISCOVERY) private readonly discovery: Discovery,
    private readonly identity: ServiceIdentity,
    private readonly listening: Listening,
    private readonly shutdown: Shutdown,
  ) {}

  onModuleInit(): void {
    const { name: service, instance, version, revision } = this.identity;
    this.listening.add((address) => this.discovery.register({ service, instance, version, revision, address }));
    this.shutdown.add({ name: 'deregister', phase: 'leave', run: () => this.discovery.deregister() });
    this.shutdown.add({ name: 'discovery', phase: 'close', run: () => Promise.resolve(this.discovery.close()) });
  }
}
