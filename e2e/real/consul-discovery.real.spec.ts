import { ConsulDiscovery } from '@devmesh/service-client/discovery/consul.discovery';
import type { SelfDescription } from '@devmesh/service-client/discovery/discovery';
import { discoveryConformance } from '@devmesh/service-client/discovery/discovery.conformance';
import { StaticDiscovery } from '@devmesh/service-client/discovery/static.discovery';
import { MeshClients } from '@devmesh/service-client/mesh-clients';
import { json, ScriptedServer } from '@devmesh/service-client/testing/scripted-server';
import { ConsulAgent } from '@devmesh/testing/consul';
import { describeWith } from '@devmesh/testing/peers';
import { createServer } from 'node:net';
import { z } from 'zod';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

const none = new StaticDiscovery({});
const HOW = 'ready: database up, queue up';

describeWith(['consul'], 'ConsulDiscovery with a real Consul', () => {
  let consul: ConsulAgent;
  const ended: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    consul = await ConsulAgent.start();
  });
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });
  afterAll(() => consul.stop());

  function discovery(registerEveryMs?: number): ConsulDiscovery {
    const made = new ConsulDiscovery({
      address: consul.address,
      behind: none,
      ...(registerEveryMs === undefined ? {} : { registerEveryMs }),
    });
    ended.push(
      () => made.close(),
      () => made.deregister(),
    );
    return made;
  }

  /** A service that is ready, at a port of its own. */
  async function ready(): Promise<ScriptedServer> {
    const service = await ScriptedServer.start(({ path }, response) =>
      path.startsWith('/health') ? response.end(HOW) : json(response, {}),
    );
    ended.push(() => service.stop().catch(() => undefined));
    return service;
  }

  function self(address: string, instance = 'cicd-1'): SelfDescription {
    return { service: 'cicd', instance, address, version: '1.2.3', revision: '0123abc' };
  }

  const addresses = (of: ConsulDiscovery): string[] => of.instances('cicd').map(({ address }) => address);

  discoveryConformance('ConsulDiscovery with a real Consul', async (instances) => {
    const own = await ConsulAgent.start();
    const registered: ConsulDiscovery[] = [];
    const servers: ScriptedServer[] = [];
    for (const [service, urls] of Object.entries(instances)) {
      for (const [place, url] of urls.entries()) {
        const port = Number(new URL(url).port);
        // Two services of a rig may share an address: one server answers for both.
        if (!servers.some((server) => server.url === url))
          servers.push(await ScriptedServer.start((_, response) => response.end(HOW), port));
        const one = new ConsulDiscovery({ address: own.address, behind: none });
        registered.push(one);
        await one.register({ ...self(url, `${service}-${place}`), service: service as 'cicd' });
      }
    }
    const made = new ConsulDiscovery({ address: own.address, behind: none });
    return {
      discovery: made,
      breakRegistry: () => own.kill(),
      stop: async () => {
        made.close();
        for (const one of registered) one.close();
        await own.stop();
        for (const server of servers) await server.stop();
      },
    };
  });

  it('shows who is there, with version, revision and a check that says how it is', async () => {
    const service = await ready();
    const mine = discovery();
    await mine.register(self(service.url));
    await expect.poll(() => consul.output('cicd-1'), { timeout: 5_000 }).toContain(HOW);
    const [entry] = await consul.entries('cicd');
    expect(entry?.Checks.find(({ CheckID }) => CheckID.includes('cicd-1'))).toMatchObject({
      Name: 'ready',
      Status: 'passing',
    });
    expect(entry?.Service).toMatchObject({
      ID: 'cicd-1',
      Address: '127.0.0.1',
      Port: Number(new URL(service.url).port),
      Tags: ['version=1.2.3', 'revision=0123abc'],
      Meta: { instance: 'cicd-1', version: '1.2.3', revision: '0123abc' },
    });
    await mine.deregister();
    expect(await consul.entries('cicd')).toEqual([]);
  });

  it('hears by a blocking query of one that dies, and of another port', async () => {
    const [first, second] = [await ready(), await ready()];
    const [one, two, reader] = [discovery(), discovery(), discovery()];
    await one.register(self(first.url, 'cicd-1'));
    await two.register(self(second.url, 'cicd-2'));
    await expect.poll(() => addresses(reader).sort()).toEqual([first.url, second.url].sort());
    await first.stop();
    await expect.poll(() => addresses(reader), { timeout: 3_000 }).toEqual([second.url]);
    const third = await ready();
    await one.register(self(third.url, 'cicd-1'));
    await expect.poll(() => addresses(reader).sort(), { timeout: 3_000 }).toEqual([second.url, third.url].sort());
  });

  it.each([
    ['at most one call', { method: 'POST', path: '/x', json: {} }, 1],
    ['no call', { method: 'POST', path: '/x', json: {}, keyed: true }, 0],
  ] as const)('costs %s when an instance dies, until it is out of routing within 3 s', async (_, request, most) => {
    const [first, second] = [await ready(), await ready()];
    await discovery().register(self(first.url, 'cicd-1'));
    await discovery().register(self(second.url, 'cicd-2'));
    const clients = new MeshClients({ discovery: discovery(), internalToken: 'x' });
    ended.push(() => clients.close());
    const passing = (): string[] => clients.instances('cicd').map(({ address }) => address);
    await expect.poll(() => passing().sort()).toEqual([first.url, second.url].sort());
    let failed = 0;
    const call = (): Promise<unknown> =>
      clients
        .caller('cicd')
        .call(request, z.object({}))
        .catch(() => failed++);
    for (let i = 0; i < 10; i++) await call();
    expect([failed, first.received.some(({ path }) => path === '/x')]).toEqual([0, true]);
    await first.stop();
    await expect.poll(async () => (await call(), passing()), { timeout: 3_000, interval: 10 }).toEqual([second.url]);
    for (let i = 0; i < 10; i++) await call();
    expect(failed).toBeLessThanOrEqual(most);
  });

  it('hears soon after a long outage of who came in it', async () => {
    const reader = discovery();
    const [first, second] = [await ready(), await ready()];
    await discovery(200).register(self(first.url, 'cicd-1'));
    await expect.poll(() => addresses(reader)).toEqual([first.url]);
    await consul.kill();
    // Long enough for the pauses between its questions to have grown.
    let asked = 0;
    const deaf = createServer((socket) => {
      socket.once('data', (head) => {
        asked += head.includes('GET /v1/health/service/cicd') ? 1 : 0;
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => deaf.listen(consul.httpPort, '127.0.0.1', resolve));
    await expect.poll(() => asked, { timeout: 60_000 }).toBeGreaterThanOrEqual(6);
    await new Promise((resolve) => deaf.close(resolve));
    await consul.restart();
    await discovery(200).register(self(second.url, 'cicd-2'));
    await expect.poll(() => addresses(reader).sort(), { timeout: 3_000 }).toEqual([first.url, second.url].sort());
  }, 90_000);

  it('goes on without Consul, and registers again when a Consul is back that knows nothing', async () => {
    const service = await ready();
    const [mine, reader] = [discovery(200), discovery()];
    await mine.register(self(service.url));
    await expect.poll(() => addresses(reader)).toEqual([service.url]);
    await consul.kill();
    expect(addresses(reader)).toEqual([service.url]);
    await consul.restart();
    await expect.poll(async () => (await consul.entries('cicd')).length, { timeout: 5_000 }).toBe(1);
    await expect.poll(() => addresses(reader)).toEqual([service.url]);
  });

  it('has one that stays critical taken out by Consul', async () => {
    const service = await ready();
    const mine = discovery();
    await mine.register(self(service.url));
    await expect.poll(async () => (await consul.entries('cicd')).length).toBe(1);
    mine.close();
    await service.stop();
    // A minute is the least that Consul takes, and it looks every half minute.
    await expect.poll(async () => (await consul.entries('cicd')).length, { timeout: 120_000, interval: 1_000 }).toBe(0);
  }, 150_000);
});
