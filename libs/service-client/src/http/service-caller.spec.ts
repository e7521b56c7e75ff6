import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { StaticDiscovery } from '../discovery/static.discovery.js';
import { MeshClients, type MeshClientsOptions } from '../mesh-clients.js';
import { json, problem, ScriptedServer, type Script } from '../testing/scripted-server.js';
import type { CallObservation, ServiceCaller } from './service-caller.js';

const Reply = z.object({ n: z.number() });
const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

interface Rig {
  readonly caller: ServiceCaller;
  readonly clients: MeshClients;
  readonly server: ScriptedServer;
  readonly slept: number[];
  readonly seen: CallObservation[];
}

async function rig(script: Script, options: Partial<MeshClientsOptions> & { also?: string[] } = {}): Promise<Rig> {
  const server = await ScriptedServer.start(script);
  const slept: number[] = [];
  const seen: CallObservation[] = [];
  const clients = new MeshClients({
    discovery: new StaticDiscovery({ cicd: [...(options.also ?? []), server.url] }),
    internalToken: 'token-of-the-mesh',
    random: () => 0.5,
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
    observe: (call) => seen.push(call),
    ...options,
  });
  ended.push(
    () => clients.close(),
    () => server.stop(),
  );
  return { caller: clients.caller('cicd'), clients, server, slept, seen };
}

/** Answers in turn; the last one goes on. */
function inTurn(...answers: ((response: ServerResponse) => void)[]): Script {
  let turn = 0;
  return (_, response) => answers[Math.min(turn++, answers.length - 1)]?.(response);
}
const ok = (response: ServerResponse): void => json(response, { n: 1 });
const cut = (response: ServerResponse): void => void response.destroy();
const get = { method: 'GET', path: '/x?y=1' } as const;
const post = { method: 'POST', path: '/x', json: { a: 1 } } as const;

describe('ServiceCaller', () => {
  it('sends the token and the body, and gives the reply as its schema does', async () => {
    const { caller, server, seen } = await rig((_, response) => json(response, { n: 1, extra: true }));
    await expect(caller.call(post, Reply)).resolves.toEqual({ n: 1 });
    const [received] = server.received;
    expect(received).toMatchObject({ method: 'POST', path: '/x' });
    expect(received?.headers).toMatchObject({
      authorization: 'Bearer token-of-the-mesh',
      'content-type': 'application/json',
    });
    expect(received?.body.toString()).toBe('{"a":1}');
    expect(seen).toMatchObject([{ service: 'cicd', method: 'POST', path: '/x', status: 200 }]);
  });

  it('refuses a reply against the contract, and does not ask again', async () => {
    const { caller, server } = await rig((_, response) => json(response, { n: 'one' }));
    await expect(caller.call(get, Reply)).rejects.toMatchObject({
      code: 'bad_reply',
      message: expect.stringContaining('GET /x at cicd'),
    });
    expect(server.received).toHaveLength(1);
    const html = await rig((_, response) => response.end('<html>'));
    await expect(html.caller.call(get, Reply)).rejects.toMatchObject({ code: 'bad_reply' });
  });

  it("gives the callee's code and word on retrying", async () => {
    const { caller, server } = await rig((_, response) =>
      problem(response, 409, 'stale_epoch', { errors: [{ pointer: '/epoch', message: 'old' }] }),
    );
    await expect(caller.call(get, Reply)).rejects.toMatchObject({
      code: 'stale_epoch',
      retryable: false,
      issues: [{ pointer: '/epoch' }],
    });
    expect(server.received).toHaveLength(1);
  });

  it('never repeats a failure of the business, whatever its status', async () => {
    const { caller, server } = await rig((_, response) => problem(response, 500, 'action_failed'));
    await expect(caller.call(get, Reply)).rejects.toMatchObject({ code: 'action_failed' });
    expect(server.received).toHaveLength(1);
  });

  it('tries again what is keyed, and waits as it was asked to', async () => {
    const busy = (response: ServerResponse): void =>
      problem(response, 503, 'unavailable', { retryable: true, retryAfterMs: 300 });
    const { caller, server, slept } = await rig(inTurn(busy, cut, ok));
    await expect(caller.call({ ...post, keyed: true }, Reply)).resolves.toEqual({ n: 1 });
    expect(server.received).toHaveLength(3);
    expect(slept).toEqual([300, 50]);
  });

  it('reads Retry-After of those who give no problem', async () => {
    const busy = (response: ServerResponse): void => void response.writeHead(503, { 'retry-after': '2' }).end();
    const { caller, slept } = await rig(inTurn(busy, ok));
    await expect(caller.call(get, Reply)).resolves.toEqual({ n: 1 });
    expect(slept).toEqual([2000]);
  });

  it.each([
    ['without a key', post],
    ['when it waits on purpose', { ...get, longPoll: true }],
    ['when its caller goes on by itself', { ...get, once: true }],
  ])('makes one attempt %s', async (_, request) => {
    const { caller, server } = await rig((_received, response) => cut(response));
    await expect(caller.call(request, Reply)).rejects.toMatchObject({ name: 'DevmeshError', failure: 'broken' });
    expect(server.received).toHaveLength(1);
  });

  it('keeps retries a share of the calls', async () => {
    const { caller, server } = await rig((_, response) => cut(response), {
      breakers: { cicd: { failures: 1000, openMs: 1000 } },
    });
    for (let call = 0; call < 20; call++)
      await expect(caller.call(get, Reply)).rejects.toMatchObject({ failure: 'broken' });
    // 20 first attempts, the reserve of 10, and a fifth of the calls.
    expect(server.received.length).toBeLessThanOrEqual(34);
    expect(server.received.length).toBeGreaterThan(30);
  });

  it('says when nobody listens, and that nothing was sent', async () => {
    const { caller, server } = await rig((_, response) => ok(response));
    await server.stop();
    await expect(caller.call({ ...get, once: true }, Reply)).rejects.toMatchObject({
      code: 'unavailable',
      failure: 'refused',
    });
  });

  it.each(['refused', 'broken', 'timeout'])(
    'shows no token in an error, however it is printed: %s',
    async (failure) => {
      const { caller, server } = await rig((_, response) => (failure === 'broken' ? cut(response) : undefined));
      if (failure === 'refused') await server.stop();
      const error: unknown = await caller
        .call({ ...get, once: true, timeoutMs: 50 }, Reply)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ failure });
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('token-of-the-mesh');
    },
  );

  it('goes to the next instance when one refuses, and lets no breaker count it', async () => {
    const gone = await ScriptedServer.start(() => undefined);
    await gone.stop();
    const { caller, clients, server } = await rig((_, response) => ok(response), { also: [gone.url] });
    for (let call = 0; call < 12; call++) await caller.call(get, Reply);
    expect(server.received).toHaveLength(12);
    expect(clients.breakerStates()).toMatchObject({ cicd: 'closed' });
  });

  it('times each attempt anew', async () => {
    const never = (): void => undefined;
    const { caller, server } = await rig(inTurn(never, never, ok));
    await expect(caller.call({ ...get, timeoutMs: 30 }, Reply)).resolves.toEqual({ n: 1 });
    expect(server.received).toHaveLength(3);
  });

  it('ends with a timeout that tells nothing about the callee', async () => {
    const { caller } = await rig(() => undefined);
    await expect(caller.call({ ...post, timeoutMs: 20 }, Reply)).rejects.toMatchObject({
      code: 'deadline_exceeded',
      failure: 'timeout',
    });
  });

  it('passes the deadline on, and cuts the timeout to what it leaves', async () => {
    const { caller, server } = await rig(() => undefined);
    const deadlineAt = Date.now() + 40;
    await expect(caller.call({ ...get, deadlineAt, timeoutMs: 60_000 }, Reply)).rejects.toMatchObject({
      failure: 'timeout',
    });
    expect(server.received[0]?.headers['x-devmesh-deadline']).toBe(String(deadlineAt));
    expect(server.received).toHaveLength(1);
  });

  it('does not call at all after the deadline of the work', async () => {
    const { caller, server } = await rig((_, response) => ok(response), { deadline: () => Date.now() - 1 });
    await expect(caller.call(get, Reply)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(server.received).toHaveLength(0);
  });

  it('stops when its caller gives up', async () => {
    const controller = new AbortController();
    const { caller, server } = await rig(() => controller.abort());
    await expect(caller.call({ ...get, signal: controller.signal }, Reply)).rejects.toMatchObject({
      failure: 'aborted',
      retryable: false,
    });
    expect(server.received).toHaveLength(1);
  });

  it('opens the breaker, and long polls go past it', async () => {
    const { caller, clients, server } = await rig((_, response) => cut(response), {
      breakers: { cicd: { failures: 2, openMs: 60_000 } },
    });
    for (let call = 0; call < 3; call++)
      await expect(caller.call({ ...get, longPoll: true }, Reply)).rejects.toMatchObject({ failure: 'broken' });
    expect(clients.breakerStates()).toEqual({ 'state-persistence': 'closed', orchestrator: 'closed', cicd: 'closed' });
    for (let call = 0; call < 2; call++)
      await expect(caller.call({ ...get, once: true }, Reply)).rejects.toMatchObject({ failure: 'broken' });
    expect(clients.breakerStates()).toMatchObject({ cicd: 'open' });
    await expect(caller.call(get, Reply)).rejects.toMatchObject({ code: 'circuit_open' });
    expect(server.received).toHaveLength(5);
    server.script((_, response) => ok(response));
    await expect(caller.call({ ...get, longPoll: true }, Reply)).resolves.toEqual({ n: 1 });
  });

  it.each(['probe', 'longPoll'])('lets calls through again at once when a %s is answered', async (kind) => {
    const { caller, server, clients } = await rig((_, response) => cut(response), {
      breakers: { cicd: { failures: 2, openMs: 60_000 } },
    });
    for (let call = 0; call < 2; call++)
      await expect(caller.call({ ...get, once: true }, Reply)).rejects.toMatchObject({ failure: 'broken' });
    await expect(caller.call({ ...get, [kind]: true, once: true }, Reply)).rejects.toMatchObject({ failure: 'broken' });
    await expect(caller.call(get, Reply)).rejects.toMatchObject({ code: 'circuit_open' });
    server.script((_, response) => ok(response));
    await expect(caller.call({ ...get, [kind]: true, once: true }, Reply)).resolves.toEqual({ n: 1 });
    expect(clients.breakerStates()).toMatchObject({ cicd: 'closed' });
    await expect(caller.call(get, Reply)).resolves.toEqual({ n: 1 });
  });

  it('gives errors of a stream as errors, and its bytes as bytes', async () => {
    const { caller, server } = await rig((_, response) => response.end(Buffer.from([1, 2, 3])));
    const chunks: Buffer[] = [];
    for await (const chunk of await caller.stream(get)) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks)).toEqual(Buffer.from([1, 2, 3]));
    server.script((_, response) => problem(response, 404, 'not_found'));
    await expect(caller.stream(get)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('knows what to say when there is no instance', async () => {
    const clients = new MeshClients({ discovery: new StaticDiscovery({}), internalToken: 'x' });
    ended.push(() => clients.close());
    await expect(clients.caller('cicd').call({ ...get, once: true }, Reply)).rejects.toThrow(
      /no instance of cicd.*DEVMESH_ENDPOINTS/,
    );
  });
});
