import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GatewayClient } from './gateway.client.js';
import type { RunSignal } from './run-stream.js';
import { json, problem, ScriptedServer } from './testing/scripted-server.js';

const RUN = '01900000-0000-7000-8000-000000000001';
let server: ScriptedServer;
let client: GatewayClient;
const slept: number[] = [];

beforeEach(async () => {
  slept.length = 0;
  server = await ScriptedServer.start((_, response) => problem(response, 500, 'internal'));
  client = new GatewayClient({
    url: `${server.url}/`,
    apiKey: 'key-of-the-user',
    sleep: (ms) => {
      slept.push(ms);
      return Promise.resolve();
    },
  });
});
afterEach(async () => {
  await client.close();
  await server.stop();
});

const cancelled = (seq: number): unknown => ({
  seq,
  event: { type: 'CancelRequested', at: 1, by: 'x', reason: `n${seq}` },
});
const message = (event: string, data: unknown, id?: number): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
const stream = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream' });

async function follow(
  options: { after?: number; signal?: AbortSignal; patienceMs?: number } = {},
  until = Infinity,
): Promise<RunSignal[]> {
  const heard: RunSignal[] = [];
  for await (const signal of client.follow(RUN, options)) {
    heard.push(signal);
    if (heard.length >= until) break;
  }
  return heard;
}
const seqs = (signals: readonly RunSignal[]): number[] =>
  signals.flatMap((signal) => (signal.type === 'event' ? [signal.stored.seq] : []));

describe('GatewayClient', () => {
  it('says why a key is refused where the answer itself cannot', async () => {
    server.script((request, response) =>
      request.method === 'HEAD' ? response.writeHead(401).end() : problem(response, 401, 'unauthenticated'),
    );
    await expect(client.hasArtifact('0'.repeat(64))).rejects.toMatchObject({ code: 'unauthenticated' });
    server.script((_, response) => response.writeHead(404).end());
    await expect(client.hasArtifact('0'.repeat(64))).resolves.toBe(false);
  });

  it('sends the API key and the idempotency key', async () => {
    server.script((_, response) => json(response, { projectId: 'default', name: 'first' }));
    await expect(client.whoAmI()).resolves.toEqual({ projectId: 'default', name: 'first' });
    expect(server.received[0]?.headers.authorization).toBe('Bearer key-of-the-user');
    server.script((_, response) => problem(response, 422, 'idempotency_key_reused'));
    await expect(client.createRun({ task: 'x' }, 'key-1')).rejects.toMatchObject({ code: 'idempotency_key_reused' });
    expect(server.received[1]?.headers['idempotency-key']).toBe('key-1');
  });

  it('knows whether the gateway is up', async () => {
    server.script((_, response) => response.end('{}'));
    await expect(client.isUp()).resolves.toBe(true);
    await server.stop();
    await expect(client.isUp()).resolves.toBe(false);
  });
});

describe('GatewayClient.follow', () => {
  it('gives events, progress and the end, over chunks cut anywhere', async () => {
    const progress = { step: 'review', key: `${RUN}/review/1/1`, message: 'läuft' };
    const text = Buffer.from(
      `: hello\n\n${message('event', cancelled(1), 1)}${message('progress', progress)}${message('later-kind', 1)}${message('end', {})}`,
    );
    server.script((_, response) => {
      stream(response);
      for (let at = 0; at < text.length; at += 7) response.write(text.subarray(at, at + 7));
      response.end();
    });
    expect(await follow()).toEqual([
      { type: 'event', stored: cancelled(1) },
      { type: 'progress', progress },
      { type: 'end' },
    ]);
    expect(server.received[0]?.headers).not.toHaveProperty('last-event-id');
  });

  it('connects again from where it was, and gives no event twice', async () => {
    let calls = 0;
    server.script((_, response) => {
      calls += 1;
      stream(response);
      if (calls === 1) response.write(message('event', cancelled(6), 6), () => response.destroy());
      else response.end(message('event', cancelled(6), 6) + message('event', cancelled(7), 7) + message('end', {}));
    });
    const heard = await follow({ after: 5 });
    expect(seqs(heard)).toEqual([6, 7]);
    expect(heard.some((signal) => signal.type === 'reconnecting')).toBe(true);
    expect(server.received.map(({ headers }) => headers['last-event-id'])).toEqual(['5', '6']);
  });

  it('waits longer each time, and gives up when its patience ends', async () => {
    server.script((_, response) => response.destroy());
    const heard: RunSignal[] = [];
    await expect(async () => {
      for await (const signal of client.follow(RUN, { patienceMs: 0 })) heard.push(signal);
    }).rejects.toMatchObject({ code: 'unavailable' });
    heard.push(...(await follow({}, 4)));
    expect(heard.every((signal) => signal.type === 'reconnecting')).toBe(true);
    expect(slept).toEqual([200, 400, 800]);
  });

  it('ends at once with what the gateway refuses', async () => {
    server.script((_, response) => problem(response, 404, 'not_found'));
    await expect(follow()).rejects.toMatchObject({ code: 'not_found' });
    expect(server.received).toHaveLength(1);
  });

  it('ends without an error when its caller has heard enough', async () => {
    const controller = new AbortController();
    server.script((_, response) => stream(response).write(message('event', cancelled(1), 1)));
    const heard: RunSignal[] = [];
    for await (const signal of client.follow(RUN, { signal: controller.signal })) {
      heard.push(signal);
      controller.abort();
    }
    expect(seqs(heard)).toEqual([1]);
  });
});
