import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHash } from 'node:crypto';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { integrate, resultRef } from './integrate.js';
import { createPatch } from './patch.js';
import { RepositoryCache } from './store.js';
import { BundleShelf } from './testing/bundle-shelf.js';
import { commitAll, makeRepository, removeAll, writeFiles } from './testing/sample-git.js';

let root: string;
let shelf: BundleShelf;
let ref: RepositoryRef;
beforeEach(async () => {
  root = makeRepository([['README.md', '# Sample\n']]);
  shelf = new BundleShelf();
  ({ ref } = await shelf.submit(root));
});
afterEach(() => {
  shelf.remove();
  removeAll(root);
});

const cached = (): string[] => readdirSync(join(shelf.folder, 'cache/repositories'));

async function oneChange(cache: RepositoryCache): Promise<RepositoryRef> {
  const workspace = await cache.workspace(ref);
  await workspace.safeWrite('README.md', '# Changed\n');
  const { bytes, title, body } = await createPatch(workspace, 'Change');
  const digest = createHash('sha256').update(bytes).digest('hex');
  const result = await integrate({
    repository: workspace,
    patches: [{ bytes, title, body, digest, step: 'implement', agent: 'feature-dev' }],
    runId: '01900000-0000-7000-8000-000000000000',
    nowMs: 1_700_000_100_000,
    outFile: shelf.file('result'),
  });
  await workspace.dispose();
  return resultRef(ref, result, shelf.put(shelf.file('result')));
}

describe('RepositoryCache', () => {
  it('unpacks a bundle once, however many ask at once', async () => {
    const cache = shelf.cache();
    const workspaces = await Promise.all(Array.from({ length: 6 }, () => cache.workspace(ref)));
    await shelf.cache().workspace(ref);
    expect(shelf.fetched).toEqual(ref.bundles);
    expect(new Set(workspaces.map(({ path }) => path)).size).toBe(6);
  });

  it('lets several caches work on one folder', async () => {
    const caches = Array.from({ length: 4 }, () => shelf.cache());
    const made = await Promise.all(caches.map((cache) => cache.workspace(ref)));
    for (const workspace of made) expect((await workspace.safeRead('README.md')).toString()).toBe('# Sample\n');
    expect(cached()).toHaveLength(1);
  });

  it('adds a result to what it has, and fetches only that', async () => {
    const cache = shelf.cache();
    const next = await oneChange(cache);
    const workspace = await cache.workspace(next);
    expect((await workspace.safeRead('README.md')).toString()).toBe('# Changed\n');
    expect(shelf.fetched).toEqual(next.bundles);
    // And from nothing.
    const fresh = await shelf.cache({ root: join(shelf.folder, 'fresh') }).workspace(next);
    expect((await fresh.safeRead('README.md')).toString()).toBe('# Changed\n');
  });

  it('refuses damaged bundles, wrong content and missing commits, and keeps nothing of them', async () => {
    const good = readFileSync(shelf.file('submitted'));
    const broken = Buffer.from(good);
    broken[broken.length - 30] = (broken.at(-30) ?? 0) ^ 0xff;
    writeFileSync(shelf.file('broken'), broken);
    writeFileSync(shelf.file('nonsense'), 'nonsense');
    writeFileSync(shelf.file('short'), good.subarray(0, good.length - 100));
    const cache = shelf.cache();
    for (const name of ['broken', 'nonsense', 'short']) {
      const bad = { ...ref, bundles: [shelf.put(shelf.file(name))] };
      await expect(cache.workspace(bad), name).rejects.toMatchObject({
        code: 'invalid_repository',
        message: expect.stringContaining('pack the repository again'),
      });
    }
    await expect(cache.workspace({ ...ref, commit: '1'.repeat(40) })).rejects.toMatchObject({
      code: 'invalid_repository',
    });
    const other = 'f'.repeat(64);
    writeFileSync(join(shelf.folder, other), good);
    await expect(cache.workspace({ ...ref, bundles: [other] })).rejects.toMatchObject({ code: 'bad_reply' });
    expect(shelf.leftovers()).toEqual([]);
    expect(cached()).toHaveLength(1);
    expect((await cache.workspace(ref)).commit).toBe(ref.commit);
  });

  it('tries again after a fetch that failed', async () => {
    let calls = 0;
    const cache = shelf.cache({
      fetchBundle: (digest) => {
        calls += 1;
        return calls === 1 ? Promise.reject(new Error('down')) : shelf.fetch(digest);
      },
    });
    await expect(cache.workspace(ref)).rejects.toThrow('down');
    expect((await cache.workspace(ref)).commit).toBe(ref.commit);
  });

  it('keeps the most recently used within its bounds; workspaces outlive their repository', async () => {
    const cache = shelf.cache({ maxEntries: 2 });
    const first = await cache.workspace(ref);
    for (const name of ['b', 'c', 'd']) {
      writeFiles(root, [[name, name]]);
      commitAll(root, name);
      await cache.workspace((await shelf.submit(root)).ref);
    }
    expect(cached()).toHaveLength(2);
    expect((await first.listFiles()).map(({ path }) => path)).toEqual(['README.md']);
    await first.safeWrite('README.md', 'x');
    expect((await createPatch(first, 'Still works')).files).toEqual(['README.md']);
    expect((await cache.workspace(ref)).commit).toBe(ref.commit);
  });

  it('removes what a dead process left and nothing of one that lives', async () => {
    for (const folder of ['tmp', 'work']) {
      mkdirSync(join(shelf.folder, 'cache', folder, '999999999-dead-xxxxxx/tree'), { recursive: true });
      mkdirSync(join(shelf.folder, 'cache', folder, `${process.ppid}-alive-xxxxxx`), { recursive: true });
      mkdirSync(join(shelf.folder, 'cache', folder, `${process.pid}-before-xxxxxx`), { recursive: true });
    }
    const workspace = await shelf.cache().workspace(ref);
    await workspace.dispose();
    expect(shelf.leftovers()).toEqual([`${process.ppid}-alive-xxxxxx`, `${process.ppid}-alive-xxxxxx`]);
  });

  it('ends a caller that is cancelled, and only that one', async () => {
    const controller = new AbortController();
    const cache = shelf.cache();
    const cancelled = cache.workspace(ref, controller.signal);
    const other = cache.workspace(ref);
    controller.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'execution_cancelled' });
    expect((await other).commit).toBe(ref.commit);
  });
});
