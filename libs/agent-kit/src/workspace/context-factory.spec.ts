import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { defineAction } from '@devmesh/contracts/action';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { BundleShelf } from '@devmesh/repository/testing/bundle-shelf';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { RepositoryCache } from '@devmesh/repository/store';
import { StaticDiscovery } from '@devmesh/service-client/discovery/static.discovery';
import { MeshClients } from '@devmesh/service-client/mesh-clients';
import { json, problem, ScriptedServer } from '@devmesh/service-client/testing/scripted-server';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ActionContext } from '../action-context.js';
import { Execution } from '../executions/execution.js';
import { ArtifactCache } from './artifact-cache.js';
import { ContextFactory } from './context-factory.js';

const RUN = '01900000-0000-7000-8000-000000000001';
const action = {
  contract: defineAction({ id: 'cicd/work', title: 'Work', input: z.object({}), output: z.object({}) }),
  run: () => Promise.resolve({}),
};

let folder: string;
let store: ScriptedServer;
let clients: MeshClients;
let shelf: BundleShelf;
let ref: RepositoryRef;
let context: ActionContext<unknown>;
let dispose: () => Promise<void>;

/** The artifact store's part: what was put, by digest. */
const kept = new Map<string, Buffer>();
const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'context-'));
  kept.clear();
  shelf = new BundleShelf();
  const source = makeRepository([['hello.txt', 'hello\n']]);
  ({ ref } = await shelf.submit(source));
  removeAll(source);
  for (const digest of ref.bundles) kept.set(digest, readFileSync(join(shelf.folder, digest)));
  store = await ScriptedServer.start(({ method, path, body }, response) => {
    const digest = path.split('/').at(-1) ?? '';
    if (method === 'PUT') kept.set(digest, body);
    const bytes = kept.get(digest);
    if (method === 'PUT') return json(response, { digest, size: body.length });
    return bytes === undefined ? problem(response, 404, 'not_found') : response.end(bytes);
  });
  clients = new MeshClients({
    discovery: new StaticDiscovery({ 'state-persistence': [store.url] }),
    internalToken: 'x',
  });
  const { artifacts, ledger } = clients.state;
  const files = new ArtifactCache({ root: join(folder, 'artifacts'), artifacts });
  const factory = new ContextFactory({
    artifacts,
    ledger,
    instance: 'i1',
    sleep: () => Promise.resolve(),
    files,
    repositories: new RepositoryCache({
      root: join(folder, 'repositories'),
      fetchBundle: (digest) => files.file(digest),
    }),
    logger: Logger.create({ service: 'cicd', level: 'error', stream: new PassThrough() }),
    now: () => 7,
  });
  const request = {
    key: `${RUN}/work/2/1`,
    action: 'cicd/work',
    epoch: 1,
    instance: 'i',
    notAfter: 1e15,
    input: {},
    rework: null,
    acknowledge: [],
  };
  ({ context, dispose } = factory.create(new Execution(action, request, 'digest'), {}, () => undefined));
});
afterEach(async () => {
  await dispose();
  await clients.close();
  await store.stop();
  shelf.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('what an action gets', () => {
  it('is a checkout from the artifact store, gone with the execution', async () => {
    const checkout = await context.checkout(ref);
    expect(readFileSync(join(checkout.path, 'hello.txt'), 'utf8')).toBe('hello\n');
    const scratch = await context.scratch(ref);
    expect(existsSync(scratch.gitDir)).toBe(true);
    await dispose();
    expect(existsSync(checkout.path)).toBe(false);
    expect(existsSync(scratch.gitDir)).toBe(false);
  });

  it('is a stored patch of what it changed, and none when it changed nothing', async () => {
    const checkout = await context.checkout(ref);
    await expect(context.patch(checkout, { title: 'Nothing' })).resolves.toBeNull();
    await writeFile(join(checkout.path, 'hello.txt'), 'hello, world\n');
    const patch = await context.patch(checkout, { title: 'Greet all', body: 'why' });
    expect(patch).toMatchObject({
      base: ref.commit,
      title: 'Greet all',
      body: 'why',
      files: ['hello.txt'],
      artifact: { mediaType: 'text/x-patch' },
    });
    expect(kept.get(patch?.artifact.digest ?? '')?.toString()).toContain('+hello, world');
  });

  it('refuses a checkout of somebody else', async () => {
    await expect(Promise.resolve().then(() => context.patch({ path: folder, ref }, { title: 'x' }))).rejects.toThrow(
      TypeError,
    );
  });

  it('is artifacts by digest, in memory and as read-only files fetched once', async () => {
    const content = Buffer.from('a report');
    const stored = await context.artifacts.put(content, { name: 'report.md', mediaType: 'text/markdown' });
    expect(stored).toEqual({ digest: digestOf(content), size: 8, name: 'report.md', mediaType: 'text/markdown' });
    await expect(context.artifacts.get(stored)).resolves.toEqual(content);
    const before = store.received.length;
    const paths = await Promise.all([context.artifacts.file(stored), context.artifacts.file(stored)]);
    expect(new Set(paths).size).toBe(1);
    expect(store.received.length).toBe(before + 1);
    await context.artifacts.file(stored);
    expect(store.received.length).toBe(before + 1);
    expect(readFileSync(paths[0])).toEqual(content);
    expect(statSync(paths[0]).mode & 0o777).toBe(0o400);
  });

  it('says when there is no such artifact', async () => {
    await expect(context.artifacts.file({ digest: 'a'.repeat(64) })).rejects.toMatchObject({ code: 'not_found' });
  });
});
