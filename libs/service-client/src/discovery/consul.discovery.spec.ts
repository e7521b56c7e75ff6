import { afterEach, describe, expect, it } from 'vitest';
import { ScriptedConsul } from '../testing/scripted-consul.js';
import { ConsulDiscovery } from './consul.discovery.js';
import { discoveryConformance } from './discovery.conformance.js';
import { StaticDiscovery } from './static.discovery.js';

const none = new StaticDiscovery({});
const ended: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

discoveryConformance('ConsulDiscovery, with a scripted server in the place of Consul', async (instances) => {
  const consul = await ScriptedConsul.start();
  for (const [service, urls] of Object.entries(instances)) {
    urls.forEach((url, place) => consul.put(`${service}-${place}`, service, url));
  }
  const discovery = new ConsulDiscovery({ address: consul.address, behind: none });
  return {
    discovery,
    breakRegistry: () => consul.stop(),
    stop: async () => {
      discovery.close();
      if (consul.server.port !== 0) await consul.stop().catch(() => undefined);
    },
  };
});

async function rig(
  behind = none,
): Promise<{ consul: ScriptedConsul; discovery: ConsulDiscovery; warnings: string[]; addresses: () => string[] }> {
  const consul = await ScriptedConsul.start();
  const warnings: string[] = [];
  const discovery = new ConsulDiscovery({
    address: `http://${consul.address}`,
    behind,
    warn: (message) => warnings.push(message),
  });
  ended.push(
    () => discovery.close(),
    () => consul.stop().catch(() => undefined),
  );
  return { consul, discovery, warnings, addresses: () => discovery.instances('cicd').map(({ address }) => address) };
}

/** How often it was asked who there is; asked again means that it answered before. */
const asked = (consul: ScriptedConsul, service: string): number =>
  consul.server.received.filter(({ path }) => path.includes(`/v1/health/service/${service}`)).length;

describe('ConsulDiscovery, with a scripted server in the place of Consul', () => {
  it('hears of changes by a blocking query, and lists only what passes', async () => {
    const { consul, discovery, addresses } = await rig();
    const heard: number[] = [];
    discovery.onChange((_, instances) => heard.push(instances.length));
    expect(addresses()).toEqual([]);
    consul.put('cicd-1', 'cicd', 'http://127.0.0.1:1');
    consul.put('cicd-2', 'cicd', 'http://127.0.0.1:2');
    await expect.poll(addresses).toEqual(['http://127.0.0.1:1', 'http://127.0.0.1:2']);
    expect(discovery.instances('cicd')[0]).toEqual({ address: 'http://127.0.0.1:1', instance: 'cicd-1' });
    consul.setPassing('cicd-1', false);
    await expect.poll(addresses).toEqual(['http://127.0.0.1:2']);
    expect(heard.at(-1)).toBe(1);
  });

  it('looks behind itself for services that Consul has no instance of', async () => {
    const { consul, addresses } = await rig(new StaticDiscovery({ cicd: ['http://127.0.0.1:9'] }));
    expect(addresses()).toEqual(['http://127.0.0.1:9']);
    consul.put('cicd-1', 'cicd', 'http://127.0.0.1:1');
    await expect.poll(addresses).toEqual(['http://127.0.0.1:1']);
    consul.setPassing('cicd-1', false);
    await expect.poll(addresses).toEqual(['http://127.0.0.1:9']);
  });

  it('says once that Consul is gone, keeps what it knew, and hears of changes when it is back', async () => {
    const { consul, discovery, addresses, warnings } = await rig();
    consul.put('cicd-1', 'cicd', 'http://127.0.0.1:1');
    await expect.poll(addresses).toEqual(['http://127.0.0.1:1']);
    const { port } = consul.server;
    await consul.stop();
    await expect.poll(() => warnings.length).toBe(1);
    expect(addresses()).toEqual(['http://127.0.0.1:1']);
    const back = await ScriptedConsul.start(port);
    ended.push(() => back.stop());
    back.put('x', 'other', 'http://127.0.0.1:7');
    // It knows of none yet: that is no news.
    await expect.poll(() => asked(back, 'cicd'), { timeout: 8_000 }).toBeGreaterThanOrEqual(2);
    expect(addresses()).toEqual(['http://127.0.0.1:1']);
    back.put('cicd-9', 'cicd', 'http://127.0.0.1:9');
    await expect.poll(addresses, { timeout: 8_000 }).toEqual(['http://127.0.0.1:9']);
    expect(warnings).toHaveLength(1);
    discovery.close();
  });

  it('registers with a check of readiness, usable at once, and takes itself out', async () => {
    const { consul, discovery } = await rig();
    await discovery.register({
      service: 'cicd',
      instance: 'cicd-7',
      address: 'http://127.0.0.1:18005',
      version: '1.2.3',
      revision: '0123abc',
    });
    expect(consul.services.get('cicd-7')).toMatchObject({
      Name: 'cicd',
      Address: '127.0.0.1',
      Port: 18_005,
      passing: true,
      Meta: { instance: 'cicd-7', version: '1.2.3' },
    });
    const body = JSON.parse(
      consul.server.received.find(({ path }) => path.includes('register'))?.body.toString() ?? '{}',
    ) as { Check: unknown };
    expect(body.Check).toMatchObject({
      HTTP: 'http://127.0.0.1:18005/health/ready',
      Interval: '1s',
      Timeout: '500ms',
      DeregisterCriticalServiceAfter: '1m',
    });
    await discovery.deregister();
    expect(consul.services.size).toBe(0);
  });
});
