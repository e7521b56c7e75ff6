import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchOp, BatchResult } from '@devmesh/contracts/state-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StaticDiscovery } from './discovery/static.discovery.js';
import { MeshClients } from './mesh-clients.js';
import type { StateClient } from './state.client.js';
import { json, problem, ScriptedServer } from './testing/scripted-server.js';

const RUN = '01900000-0000-7000-8000-000000000001';
let server: ScriptedServer;
let clients: MeshClients;
let state: StateClient;
let folder: string;

beforeEach(async () => {
  server = await ScriptedServer.start((_, response) => problem(response, 500, 'internal'));
  clients = new MeshClients({
    discovery: new StaticDiscovery({ 'state-persistence': [server.url] }),
    internalToken: 'x',
    sleep: () => Promise.resolve(),
  });
  state = clients.state;
  folder = await mkdtemp(join(tmpdir(), 'artifacts-'));
});
afterEach(async () => {
  await clients.close();
  await server.stop();
  await rm(folder, { recursive: true });
});

const acquire = (owner: string): BatchOp => ({ op: 'acquire', runId: RUN, owner });
const opsOf = (body: Buffer): { owner: string }[] => (JSON.parse(body.toString()) as { ops: { owner: string }[] }).ops;
const refusal = (message: string): BatchResult => ({ result: 'refused', code: 'stale_epoch', message });

describe('StateClient.batch', () => {
  it('sends together what arrives together, and what arrives meanwhile in the next', async () => {
    const release: (() => void)[] = [];
    server.script(async ({ body }, response) => {
      await new Promise<void>((resolve) => release.push(resolve));
      json(response, { results: opsOf(body).map((op) => refusal(op.owner)) });
    });
    const answers = [state.batch(acquire('a')), state.batch(acquire('b'))];
    await expect.poll(() => release.length).toBe(1);
    answers.push(state.batch(acquire('c')));
    await expect.poll(() => release.length).toBe(2);
    // Both lanes are taken: these wait for one.
    answers.push(state.batch(acquire('d')), state.batch(acquire('e')));
    release.shift()?.();
    await expect.poll(() => release.length).toBe(2);
    for (const next of release) next();
    expect((await Promise.all(answers)).map((result) => result.result === 'refused' && result.message)).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
    ]);
    expect(
      server.received.map(({ body }) =>
        opsOf(body)
          .map((op) => op.owner)
          .join(''),
      ),
    ).toEqual(['ab', 'c', 'de']);
  });

  it('gives each op its own result, and throws the refusal of the one that was refused', async () => {
    server.script(({ body }, response) =>
      json(response, {
        results: opsOf(body).map((op) =>
          op.owner === 'bad'
            ? refusal('epoch 3 took over')
            : {
                result: 'acquired',
                epoch: 2,
                status: 'running',
                workflowDigest: 'a'.repeat(64),
                checkpoint: null,
                events: [],
                inbox: [],
                leases: [],
              },
        ),
      }),
    );
    const [good, bad] = await Promise.allSettled([
      state.acquire({ runId: RUN, owner: 'good' }),
      state.acquire({ runId: RUN, owner: 'bad' }),
    ]);
    expect(good).toMatchObject({ status: 'fulfilled', value: { epoch: 2 } });
    expect(bad).toMatchObject({ status: 'rejected', reason: { code: 'stale_epoch', message: 'epoch 3 took over' } });
    expect(server.received).toHaveLength(1);
  });

  it('sends a batch again when its answer was lost', async () => {
    let calls = 0;
    server.script(({ body }, response) => {
      calls += 1;
      if (calls === 1) response.destroy();
      else json(response, { results: opsOf(body).map(() => refusal('x')) });
    });
    await expect(state.batch(acquire('a'))).resolves.toMatchObject({ result: 'refused' });
    expect(server.received.map(({ body }) => body.toString())).toEqual([
      server.received[0]?.body.toString(),
      server.received[0]?.body.toString(),
    ]);
  });

  it('lets no op fail for another that cannot be read', async () => {
    server.script(({ body }, response) => {
      const ops = opsOf(body);
      if (ops.some((op) => op.owner === 'poison')) problem(response, 400, 'invalid_request');
      else json(response, { results: ops.map(() => refusal('fine')) });
    });
    const [a, poison, b] = await Promise.allSettled(['a', 'poison', 'b'].map((owner) => state.batch(acquire(owner))));
    expect([a?.status, poison?.status, b?.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('refuses an answer with another number of results', async () => {
    server.script((_, response) => json(response, { results: [] }));
    await expect(state.batch(acquire('a'))).rejects.toMatchObject({ code: 'bad_reply' });
  });
});

describe('StateClient', () => {
  it('encodes paths and queries', async () => {
    server.script((_, response) => json(response, { events: [], progress: [], ended: false }));
    await state.events(RUN, { after: 3, waitMs: 100 });
    expect(server.received[0]?.path).toBe(`/v1/runs/${RUN}/events?after=3&waitMs=100`);
  });

  it('posts to the inbox again when the answer was lost', async () => {
    let calls = 0;
    server.script((_, response) => {
      calls += 1;
      if (calls === 1) response.destroy();
      else json(response, { accepted: false, ended: false });
    });
    await expect(state.postInbox(RUN, { dedupeKey: 'wake', message: { kind: 'wake' } })).resolves.toEqual({
      accepted: false,
      ended: false,
    });
  });
});

describe('StateArtifacts', () => {
  const content = Buffer.from('the content');
  const digest = createHash('sha256').update(content).digest('hex');

  it.each(['bytes', 'a file'])('uploads %s under their digest, again when the connection breaks', async (kind) => {
    const file = join(folder, 'source');
    await writeFile(file, content);
    let calls = 0;
    server.script(({ body }, response) => {
      calls += 1;
      if (calls === 1) response.destroy();
      else json(response, { digest, size: body.length });
    });
    await expect(state.artifacts.put(kind === 'bytes' ? content : { file })).resolves.toEqual({ digest, size: 11 });
    expect(server.received[1]).toMatchObject({ method: 'PUT', path: `/v1/artifacts/${digest}`, body: content });
    expect(server.received[1]?.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': '11',
    });
  });

  it('downloads into memory and into a file, checked', async () => {
    server.script((_, response) => response.end(content));
    await expect(state.artifacts.get(digest)).resolves.toEqual(content);
    await expect(state.artifacts.getFile(digest, join(folder, 'target'))).resolves.toBe(11);
    await expect(readFile(join(folder, 'target'))).resolves.toEqual(content);
  });

  it('takes no other bytes, and leaves no file behind', async () => {
    server.script((_, response) => response.end('something else'));
    await expect(state.artifacts.get(digest)).rejects.toMatchObject({ code: 'bad_reply' });
    await expect(state.artifacts.getFile(digest, join(folder, 'target'))).rejects.toMatchObject({ code: 'bad_reply' });
    await expect(readdir(folder)).resolves.toEqual([]);
  });

  it('tells when the connection breaks in the middle', async () => {
    server.script(async (_, response) => {
      response.writeHead(200, { 'content-length': '11' });
      await new Promise<void>((resolve) => response.write('the', () => resolve()));
      response.destroy();
    });
    await expect(state.artifacts.get(digest)).rejects.toMatchObject({ failure: 'broken' });
  });

  it('reads no more into memory than allowed', async () => {
    server.script((_, response) => response.end(content));
    await expect(state.artifacts.get(digest, { maxBytes: 5 })).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it('asks whether there is one', async () => {
    server.script((_, response) => response.end());
    await expect(state.artifacts.has(digest)).resolves.toBe(true);
    server.script((_, response) => response.writeHead(404).end());
    await expect(state.artifacts.has(digest)).resolves.toBe(false);
  });
});
