import { afterEach, describe, expect, it } from 'vitest';
import type { ServiceName } from '@devmesh/contracts/services';
import type { Discovery } from './discovery.js';

/** An adapter with these instances in its registry. */
export interface DiscoveryRig {
  readonly discovery: Discovery;
  /** Makes the registry behind the adapter unreachable, if it has one. */
  breakRegistry(): Promise<void>;
  stop(): Promise<void>;
}

export type MakeRig = (instances: Partial<Record<ServiceName, string[]>>) => Promise<DiscoveryRig>;

const self = {
  service: 'cicd',
  instance: 'cicd-1',
  address: 'http://127.0.0.1:18005',
  version: '0.1.0',
  revision: '0123abc',
} as const;
const [a, b] = ['http://127.0.0.1:18001', 'http://127.0.0.1:18002'];

/** What every adapter of `Discovery` promises. */
export function discoveryConformance(name: string, make: MakeRig): void {
  describe(`${name} as a discovery`, () => {
    let rig: DiscoveryRig | undefined;
    afterEach(async () => {
      await rig?.stop();
      rig = undefined;
    });
    const addresses = (service: ServiceName): string[] =>
      (rig?.discovery.instances(service) ?? []).map(({ address }) => address).sort();

    it('gives the instances of a service, as base URLs', async () => {
      rig = await make({ cicd: [a, b], gateway: [b] });
      await expect.poll(() => addresses('cicd')).toEqual([a, b]);
      await expect.poll(() => addresses('gateway')).toEqual([b]);
    });

    it('gives nothing for a service that nobody knows', async () => {
      rig = await make({ cicd: [a] });
      expect(addresses('documentation')).toEqual([]);
      await expect.poll(() => addresses('cicd')).toEqual([a]);
      expect(addresses('documentation')).toEqual([]);
    });

    it('gives lists that nobody can change', async () => {
      rig = await make({ cicd: [a] });
      await expect.poll(() => addresses('cicd')).toEqual([a]);
      const known = rig.discovery.instances('cicd') as unknown[];
      expect(() => known.push('x')).toThrow(TypeError);
    });

    it('goes on with what it knew when its registry is gone', async () => {
      rig = await make({ cicd: [a] });
      await expect.poll(() => addresses('cicd')).toEqual([a]);
      await rig.breakRegistry();
      expect(addresses('cicd')).toEqual([a]);
    });

    it('never fails to register, deregister or close, whether or not its registry is there', async () => {
      rig = await make({ cicd: [a] });
      await rig.discovery.register(self);
      await rig.discovery.deregister();
      await rig.discovery.deregister();
      await rig.breakRegistry();
      await rig.discovery.register(self);
      await rig.discovery.deregister();
      rig.discovery.close();
      rig.discovery.close();
    });

    it('still knows what it knew when it is closed', async () => {
      rig = await make({ cicd: [a] });
      await expect.poll(() => addresses('cicd')).toEqual([a]);
      rig.discovery.close();
      expect(addresses('cicd')).toEqual([a]);
    });

    it('tells no listener that has left', async () => {
      rig = await make({ cicd: [a] });
      const heard: string[] = [];
      rig.discovery.onChange((service) => heard.push(service))();
      await expect.poll(() => addresses('cicd')).toEqual([a]);
      expect(heard).toEqual([]);
    });
  });
}
