import { createServer, type Server } from 'node:net';
import { StaticDiscovery } from '@devmesh/service-client/discovery/static.discovery';
import { MeshClients, type MeshClientsOptions } from '@devmesh/service-client/mesh-clients';
import { json, ScriptedServer } from '@devmesh/service-client/testing/scripted-server';
import { freePort } from '@devmesh/testing/free-ports';
import { describeWith } from '@devmesh/testing/peers';
import { Toxiproxy } from '@devmesh/testing/toxiproxy';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { z } from 'zod';

const Reply = z.object({ n: z.number(), filler: z.string().optional() });
const get = { method: 'GET', path: '/x' } as const;
const post = { method: 'POST', path: '/x', json: { a: 1 } } as const;

describeWith(['toxiproxy-server'], 'the resilient client over connections that are bad', () => {
  let toxiproxy: Toxiproxy;
  let server: ScriptedServer;
  let through: string;
  let clients: MeshClients;
  beforeAll(async () => {
    toxiproxy = await Toxiproxy.start();
    server = await ScriptedServer.start((_, response) => json(response, { n: 1 }));
    through = await toxiproxy.proxy('cicd', server.port);
  });
  afterAll(async () => {
    await server.stop();
    await toxiproxy.stop();
  });
  beforeEach(() => {
    clients = clientsOf([through]);
    server.received.splice(0);
    server.script((_, response) => json(response, { n: 1 }));
  });
  afterEach(async () => {
    await clients.close();
    await toxiproxy.cure();
  });

  function clientsOf(addresses: string[], options: Partial<MeshClientsOptions> = {}): MeshClients {
    return new MeshClients({
      discovery: new StaticDiscovery({ cicd: addresses }),
      internalToken: 'x',
      breakers: { cicd: { failures: 3, openMs: 60_000 } },
      sleep: () => Promise.resolve(),
      ...options,
    });
  }
  const call = (request: Parameters<ReturnType<MeshClients['caller']>['call']>[0]) =>
    clients.caller('cicd').call(request, Reply);
  const state = () => clients.breakerStates().cicd;

  it('latency: a call ends by its own timeout, each attempt has one, and what is slow but in time is answered', async () => {
    await toxiproxy.poison('cicd', { type: 'latency', attributes: { latency: 150 } });
    await expect(call({ ...get, timeoutMs: 60 })).rejects.toMatchObject({ failure: 'timeout' });
    expect(server.received.length).toBeGreaterThan(1);
    clients = clientsOf([through]);
    await expect(call({ ...get, timeoutMs: 5_000 })).resolves.toEqual({ n: 1 });
  });

  it('latency: the deadline of the work ends a call, whatever its timeout', async () => {
    await toxiproxy.poison('cicd', { type: 'latency', attributes: { latency: 30_000 } });
    await expect(call({ ...get, timeoutMs: 60_000, deadlineAt: Date.now() + 100 })).rejects.toMatchObject({
      failure: 'timeout',
    });
  });

  it('reset: what is keyed is tried again and answered when the connection is well; what is not keyed is not repeated', async () => {
    await toxiproxy.poison('cicd', { type: 'reset_peer', stream: 'downstream', attributes: { timeout: 0 } });
    await expect(call(post)).rejects.toMatchObject({ failure: 'broken' });
    const once = server.received.length;
    expect(once).toBeLessThanOrEqual(1);
    clients = clientsOf([through], { sleep: () => toxiproxy.cure() });
    await expect(call({ ...post, keyed: true })).resolves.toEqual({ n: 1 });
  });

  it('reset: failures in a row open the breaker, which answers at once; a probe that is answered closes it', async () => {
    await toxiproxy.poison('cicd', { type: 'reset_peer', attributes: { timeout: 0 } });
    for (let i = 0; i < 3; i++) await expect(call({ ...get, once: true })).rejects.toMatchObject({ failure: 'broken' });
    expect(state()).toBe('open');
    const sent = server.received.length;
    await expect(call(get)).rejects.toMatchObject({ code: 'circuit_open' });
    expect(server.received).toHaveLength(sent);
    await toxiproxy.cure();
    await expect(call({ ...get, probe: true })).resolves.toEqual({ n: 1 });
    expect(state()).toBe('closed');
  });

  it('breaker: half open after its time, it lets one call through; a failure opens it again, an answer closes it', async () => {
    clients = clientsOf([through], { breakers: { cicd: { failures: 3, openMs: 200 } } });
    await toxiproxy.poison('cicd', { type: 'reset_peer', attributes: { timeout: 0 } });
    for (let i = 0; i < 3; i++) await expect(call({ ...get, once: true })).rejects.toMatchObject({ failure: 'broken' });
    await expect.poll(state).toBe('half_open');
    await expect(call({ ...get, once: true })).rejects.toMatchObject({ failure: 'broken' });
    expect(state()).toBe('open');
    await toxiproxy.cure();
    await expect.poll(state).toBe('half_open');
    await expect(call({ ...get, once: true })).resolves.toEqual({ n: 1 });
    expect(state()).toBe('closed');
  });

  it('half-open: a connection that takes and never answers costs a timeout, and is not used again', async () => {
    await expect(call(get)).resolves.toEqual({ n: 1 });
    // Nothing goes through any more, and nobody says so.
    await toxiproxy.poison('cicd', { type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } });
    await expect(call({ ...get, once: true, timeoutMs: 100 })).rejects.toMatchObject({ failure: 'timeout' });
    await toxiproxy.cure();
    await expect(call({ ...get, once: true, timeoutMs: 5_000 })).resolves.toEqual({ n: 1 });
  });

  it('refused: the other instance is taken, and the breaker counts nothing', async () => {
    clients = clientsOf([through, server.url]);
    await toxiproxy.disable('cicd');
    for (let i = 0; i < 8; i++) await expect(call(get)).resolves.toEqual({ n: 1 });
    expect(state()).toBe('closed');
  });

  it('slow close: answers are had before the connection ends', async () => {
    await toxiproxy.poison('cicd', { type: 'slow_close', attributes: { delay: 30_000 } });
    server.script((_, response) => {
      response.setHeader('connection', 'close');
      json(response, { n: 2 });
    });
    await expect(call({ ...get, timeoutMs: 5_000 })).resolves.toEqual({ n: 2 });
  });

  it('bandwidth: the timeout holds until the answer is complete, and one that trickles in time is read whole', async () => {
    const filler = 'x'.repeat(40_000);
    server.script((_, response) => json(response, { n: 3, filler }));
    // KB/s.
    await toxiproxy.poison('cicd', { type: 'bandwidth', attributes: { rate: 20 } });
    await expect(call({ ...get, once: true, timeoutMs: 200 })).rejects.toMatchObject({ failure: 'timeout' });
    await expect(call({ ...get, once: true, timeoutMs: 30_000 })).resolves.toEqual({ n: 3, filler });
  });

  it('pieces: an answer cut into single bytes is read whole', async () => {
    await toxiproxy.poison('cicd', { type: 'slicer', attributes: { average_size: 1, size_variation: 0, delay: 0 } });
    await expect(call(get)).resolves.toEqual({ n: 1 });
  });

  it('cut short: half an answer is no answer', async () => {
    server.script((_, response) => json(response, { n: 4, filler: 'x'.repeat(10_000) }));
    await toxiproxy.poison('cicd', { type: 'limit_data', attributes: { bytes: 2_000 } });
    await expect(call({ ...get, once: true })).rejects.toMatchObject({ failure: 'broken' });
  });

  it('garbage: what is not HTTP is a broken connection, and what is no JSON a bad reply that is not asked for again', async () => {
    const garbage = await listen((socket) => socket.end('\u0000\u0001 SSH-2.0 not http at all\r\n\r\n'));
    const port = (garbage.address() as { port: number }).port;
    clients = clientsOf([await toxiproxy.proxy(`garbage-${port}`, port)]);
    await expect(call({ ...get, once: true })).rejects.toMatchObject({ failure: 'broken' });
    garbage.close();
    clients = clientsOf([through]);
    server.script((_, response) => response.setHeader('content-type', 'application/json').end('{"n": 1, <html>'));
    await expect(call(get)).rejects.toMatchObject({ code: 'bad_reply' });
    expect(server.received).toHaveLength(1);
  });

  it('no instance listens: refused, nothing sent, and the work may be tried again', async () => {
    clients = clientsOf([`http://127.0.0.1:${await freePort()}`]);
    await expect(call({ ...get, once: true })).rejects.toMatchObject({ failure: 'refused', retryable: true });
  });
});

async function listen(onConnection: (socket: import('node:net').Socket) => void): Promise<Server> {
  const listening = createServer(onConnection);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return listening;
}
