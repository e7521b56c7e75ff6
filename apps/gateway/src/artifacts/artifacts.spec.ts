import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { Problem } from '@devmesh/contracts/errors';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { artifact, digest, OTHER_RUN, record, RUN } from '../testing/history.js';
import { scriptKeys, scriptRun, scriptStore } from '../testing/scripted-mesh.js';
import { KEY, OTHER_KEY, TestGateway } from '../testing/test-gateway.js';

const gateway = new TestGateway();
beforeAll(() => gateway.start());
afterAll(() => gateway.close());
beforeEach(() => {
  scriptKeys(gateway);
  gateway.state.on('GET /v1/runs', () => ({ items: [], nextCursor: null }));
});
afterEach(() => {
  gateway.endTest();
});

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

function put(id: string, body: Buffer<ArrayBuffer> | string, headers: Record<string, string> = {}): Promise<Response> {
  return gateway.call(`/v1/artifacts/${id}`, { method: 'PUT', body, headers });
}

describe('an upload', () => {
  it('arrives byte for byte, and comes back so', async () => {
    const bytes = randomBytes(3_000_000);
    const id = sha256(bytes);
    const held = scriptStore(gateway, [id]);
    expect(await (await put(id, bytes)).json()).toEqual({ digest: id, size: bytes.length });
    expect(held.get(id)?.equals(bytes)).toBe(true);

    const response = await gateway.call(`/v1/artifacts/${id}`);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '3000000',
      'content-disposition': `attachment; filename="${id}"`,
      'x-content-type-options': 'nosniff',
      etag: `"${id}"`,
    });
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
  });

  it('under the digest of something else is refused in the words of the store', async () => {
    const id = digest(60);
    scriptStore(gateway, [id]);
    const response = await put(id, Buffer.from('something else'));
    expect(response.status).toBe(400);
    expect(Problem.parse(await response.json()).detail).toContain(`not ${id}`);
    expect((await gateway.call(`/v1/artifacts/${id}`)).status).toBe(404);
  });

  it('reaches the store while the client is still sending', async () => {
    const [first, second] = [Buffer.alloc(100_000, 'a'), Buffer.alloc(100_000, 'b')];
    const id = sha256(Buffer.concat([first, second]));
    const firstSeen = Promise.withResolvers<void>();
    gateway.state.raw(`PUT /v1/artifacts/${id}`, (request, response) => {
      let size = 0;
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size >= first.length) firstSeen.resolve();
      });
      request.on('end', () => {
        response.setHeader('content-type', 'application/json').end(JSON.stringify({ digest: id, size }));
      });
    });
    const upload = httpRequest(`${gateway.url}/v1/artifacts/${id}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${KEY}`, 'content-length': 200_000 },
    });
    upload.write(first);
    // The second half is only sent once the store has the first.
    await firstSeen.promise;
    upload.end(second);
    const [response] = (await once(upload, 'response')) as [import('node:http').IncomingMessage];
    expect(response.statusCode).toBe(200);
    response.resume();
  });

  it('that its client breaks off is broken off at the store', async () => {
    const id = digest(61);
    const brokenOff = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    gateway.state.raw(`PUT /v1/artifacts/${id}`, (request) => {
      request.once('data', () => begun.resolve());
      request.once('close', () => brokenOff.resolve());
      request.on('error', () => undefined);
    });
    const upload = httpRequest(`${gateway.url}/v1/artifacts/${id}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${KEY}`, 'content-length': 200_000 },
    });
    upload.on('error', () => undefined);
    upload.write(Buffer.alloc(1000));
    await begun.promise;
    upload.destroy();
    await brokenOff.promise;
  });

  it('of more than the store takes is refused before a byte is sent', async () => {
    const upload = httpRequest(`${gateway.url}/v1/artifacts/${digest(62)}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${KEY}`, 'content-length': 3 * 1024 ** 3 },
    });
    upload.on('error', () => undefined);
    upload.flushHeaders();
    const [response] = (await once(upload, 'response')) as [import('node:http').IncomingMessage];
    expect(response.statusCode).toBe(413);
    expect(String(await response.toArray())).toContain(String(2 * 1024 ** 3));
    upload.destroy();
  });

  it('as JSON is refused, for its bytes would not be kept', async () => {
    const response = await put(digest(63), '{}', { 'content-type': 'application/json' });
    expect(response.status).toBe(415);
    expect(Problem.parse(await response.json()).detail).toContain('application/octet-stream');
  });

  it('under something that is no digest is refused', async () => {
    expect((await put('latest', 'x')).status).toBe(400);
  });
});

describe('a download', () => {
  it('tells its size to a HEAD', async () => {
    const bytes = Buffer.from('twelve bytes');
    const id = sha256(bytes);
    scriptStore(gateway, [id]);
    await put(id, bytes).then((r) => r.json());
    const response = await gateway.call(`/v1/artifacts/${id}`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('12');
    expect(gateway.state.to(`GET /v1/artifacts/${id}`)).toEqual([]);
  });

  it('is for the project that uploaded it', async () => {
    const bytes = Buffer.from('mine');
    const id = sha256(bytes);
    scriptStore(gateway, [id]);
    await put(id, bytes).then((r) => r.json());
    const headers = { authorization: `Bearer ${OTHER_KEY}` };
    expect((await gateway.call(`/v1/artifacts/${id}`, { headers })).status).toBe(404);
    expect((await gateway.call(`/v1/artifacts/${id}`, { headers, method: 'HEAD' })).status).toBe(404);
    // Who shows that it has the content may read it.
    await put(id, bytes, headers).then((r) => r.json());
    expect((await gateway.call(`/v1/artifacts/${id}`, { headers, method: 'HEAD' })).status).toBe(200);
  });

  it('of what a run lists wants the run named, and the run to be of the project', async () => {
    const bytes = Buffer.from('a report');
    const id = sha256(bytes);
    scriptStore(gateway, [id]).set(id, bytes);
    scriptRun(gateway, record(), []);
    scriptRun(gateway, record({ id: OTHER_RUN, projectId: 'beta' }), []);
    const item = { ...artifact(1), digest: id, step: 'report', iteration: 1 };
    gateway.state.on(`GET /v1/runs/${RUN}/artifacts`, () => ({ items: [item] }));
    const unnamed = await gateway.call(`/v1/artifacts/${id}`);
    expect(unnamed.status).toBe(404);
    expect(Problem.parse(await unnamed.json()).detail).toContain('?run=');
    expect((await gateway.call(`/v1/artifacts/${id}?run=${OTHER_RUN}`)).status).toBe(404);
    expect(await (await gateway.call(`/v1/artifacts/${id}?run=${RUN}`)).text()).toBe('a report');
  });

  it('that breaks at the store is broken off, never short and whole', async () => {
    const bytes = randomBytes(100);
    const id = sha256(bytes);
    scriptStore(gateway, [id]);
    await put(id, bytes).then((r) => r.json());
    gateway.state.raw(`GET /v1/artifacts/${id}`, (_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write(bytes, () => response.destroy());
    });
    const response = await gateway.call(`/v1/artifacts/${id}`);
    await expect(response.arrayBuffer()).rejects.toThrow();
  });
});
