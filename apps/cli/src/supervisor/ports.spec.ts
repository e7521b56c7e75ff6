import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { assertInspectorsFree, assertPortsFree, findPortBase, freePort, portHolder, portIsFree } from './ports.js';

const HOST = '127.0.0.1';
let servers: Server[] = [];
async function take(): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : 0;
}
afterEach(async () => {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  servers = [];
});

describe('ports', () => {
  it('are free or not', async () => {
    const port = await take();
    expect(await portIsFree(port, HOST)).toBe(false);
    expect(await portIsFree(await freePort(HOST), HOST)).toBe(true);
  });

  it.runIf(process.platform === 'linux')('tell their holder', async () => {
    const port = await take();
    expect(await portHolder(port)).toMatchObject({ pid: process.pid });
    expect(await portHolder(await freePort(HOST))).toBeNull();
  });

  it('that are taken are refused: each by name, with its holder and the cure', async () => {
    const port = await take();
    const free = await freePort(HOST);
    const refused = assertPortsFree(
      [
        { name: 'gateway', port },
        { name: 'orchestrator', port: free },
      ],
      HOST,
      20_000,
    );
    await expect(refused).rejects.toThrow(
      new RegExp(
        `port ${port} on 127.0.0.1 \\(for gateway, held by process ${process.pid}: .*is taken: stop what holds it, or choose other ports with --port-base \\d+`,
      ),
    );
    await expect(refused).rejects.not.toThrow(String(free));
  });

  it('of inspectors that are taken are refused, with the option that moves them', async () => {
    const port = await take();
    const taken = assertInspectorsFree([
      { name: 'gateway', port: await freePort(HOST) },
      { name: 'cicd', port },
    ]);
    await expect(taken).rejects.toThrow(
      new RegExp(
        `port ${port} on 127.0.0.1 \\(for the inspector of cicd.*is taken: stop what holds it, or .*--inspect \\d+`,
      ),
    );
    await expect(assertInspectorsFree([{ name: 'gateway', port: await freePort(HOST) }])).resolves.toBeUndefined();
  });

  it('that are many are all named, and the holders of the first', async () => {
    const ports = [await take(), await take(), await take(), await take()];
    const named = ports.map((port, index) => ({ name: `service-${index}`, port }));
    const message = await assertPortsFree(named, HOST, 20_000).then(String, String);
    for (const port of ports) expect(message).toContain(String(port));
    expect(message.match(/held by process/g)).toHaveLength(process.platform === 'linux' ? 2 : 0);
    expect(message).toContain(`2 more (${ports[2]}, ${ports[3]}) are taken`);
  });

  it('in a row are found', async () => {
    const base = await findPortBase(21_000, 9, HOST);
    expect(base).not.toBeNull();
    expect(await portIsFree(base ?? 0, HOST)).toBe(true);
  });
});
