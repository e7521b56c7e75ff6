import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { fetchResult } from './deliver.js';
import { integrate, resultRef } from './integrate.js';
import { createPatch } from './patch.js';
import type { RepositoryCache } from './store.js';
import { BundleShelf } from './testing/bundle-shelf.js';
import { commitAll, importManyFiles, makeRepository, removeAll, userGit, writeFiles } from './testing/sample-git.js';
import { treeChanges, treeDigest } from './testing/tree-digest.js';
import type { Workspace } from './workspace.js';

const RUN = '01900000-0000-7000-8000-000000000000';

async function deliver(
  cache: RepositoryCache,
  shelf: BundleShelf,
  ref: RepositoryRef,
  workspace: Workspace,
): Promise<RepositoryRef> {
  const { bytes, title, body } = await createPatch(workspace, 'Change');
  const digest = createHash('sha256').update(bytes).digest('hex');
  const repository = await cache.scratch(ref);
  const patches = [{ bytes, title, body, digest, step: 'implement', agent: 'feature-dev' }];
  const result = await integrate({
    repository,
    patches,
    runId: RUN,
    nowMs: 1_700_000_100_000,
    outFile: shelf.file('result'),
  });
  await repository.dispose();
  expect(result.conflicts).toEqual([]);
  return resultRef(ref, result, result.bundleFile === null ? '' : shelf.put(result.bundleFile));
}

describe('any edits', () => {
  type Edit =
    | { readonly kind: 'write'; readonly name: string; readonly content: Uint8Array; readonly executable: boolean }
    | { readonly kind: 'text'; readonly name: string; readonly lines: readonly string[] }
    | { readonly kind: 'link'; readonly name: string; readonly target: string }
    | { readonly kind: 'remove'; readonly name: string };
  // latin1 stands for bytes: the names below hold line feeds, quotes, and bytes that are not UTF-8.
  const name = fc.constantFrom(
    'a.txt',
    'b.bin',
    'dir/c',
    'dir',
    'dir/deep/d',
    'sp ace',
    'q"uo\\te',
    'line\nfeed',
    'tab\t',
    '\xff\xfe',
    '\xe4/\xf6',
    'run.sh',
    '.gitattributes',
    ':(top)x',
    '-x',
  );
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      name,
      content: fc.uint8Array({ maxLength: 60 }),
      executable: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('text' as const),
      name,
      lines: fc.array(fc.constantFrom('a', 'b\r', '', 'ä', '--- x', '+++ y', '* -text eol=crlf')),
    }),
    fc.record({
      kind: fc.constant('link' as const),
      name,
      target: fc.constantFrom('a.txt', '/etc/passwd', '../..', 'nowhere'),
    }),
    fc.record({ kind: fc.constant('remove' as const), name }),
  );
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

  function isFolder(path: Buffer): boolean {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  function apply(folder: string, item: Edit): void {
    const parts = item.name.split('/');
    let path = Buffer.from(folder);
    for (const part of parts.slice(0, -1)) {
      path = Buffer.concat([path, bytes(`/${part}`)]);
      if (!isFolder(path)) {
        rmSync(path, { force: true });
        mkdirSync(path);
      }
    }
    path = Buffer.concat([path, bytes(`/${parts.at(-1) ?? ''}`)]);
    rmSync(path, { recursive: true, force: true });
    if (item.kind === 'write') {
      writeFileSync(path, item.content);
      chmodSync(path, item.executable ? 0o755 : 0o644);
    } else if (item.kind === 'text') writeFileSync(path, item.lines.map((line) => `${line}\n`).join(''));
    else if (item.kind === 'link') symlinkSync(item.target, path);
  }

  /** Files and links; git knows no empty folders. */
  async function files(folder: string): Promise<Map<string, string>> {
    const all = await treeDigest(folder);
    return new Map(
      [...all]
        .filter(([path, value]) => path !== '.git' && !path.startsWith('.git/') && !value.startsWith('40'))
        .map(([path, value]) => [path, value.replace(/ \d+ /, ' ')]),
    );
  }

  it('arrive as the same tree', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(edit, { maxLength: 6 }),
        fc.array(edit, { minLength: 1, maxLength: 6 }),
        async (start, edits) => {
          const root = makeRepository([['README.md', '# Sample\n']]);
          const shelf = new BundleShelf();
          try {
            for (const item of start) apply(root, item);
            writeFileSync(join(root, '.git/info/attributes'), '* -text !eol\n');
            commitAll(root, 'Start');
            const { ref } = await shelf.submit(root);
            const cache = shelf.cache();
            const workspace = await cache.workspace(ref);
            expect(await files(workspace.path)).toEqual(await files(root));
            for (const item of edits) apply(workspace.path, item);
            const next = await deliver(cache, shelf, ref, workspace);
            const arrived = await cache.workspace(next);
            expect(await files(arrived.path)).toEqual(await files(workspace.path));
          } finally {
            shelf.remove();
            removeAll(root);
          }
        },
      ),
      { numRuns: 20, seed: Number(process.env['FC_SEED'] ?? 42) },
    );
  }, 60_000);
});

describe('large repositories', () => {
  let root: string;
  let shelf: BundleShelf;
  beforeAll(() => {
    root = makeRepository([['README.md', '# Sample\n']]);
    shelf = new BundleShelf();
  });
  afterAll(() => {
    shelf.remove();
    removeAll(root);
  }, 60_000);

  it('of 20,000 files and a file of 50 MB go there and back', async () => {
    importManyFiles(root, 20_000);
    let state = 1;
    const noise = Uint32Array.from(
      { length: 12.5 * 1024 ** 2 },
      () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0),
    );
    writeFiles(root, [['big.bin', Buffer.from(noise.buffer)]]);
    commitAll(root, 'Big');
    const before = await treeDigest(root);
    const { ref, packed } = await shelf.submit(root);
    expect(packed.inspection).toMatchObject({ fileCount: 20_002, largest: { path: 'big.bin', size: 50 * 1024 ** 2 } });
    expect(packed.notices.map(({ code }) => code)).toEqual(['large_files']);
    const cache = shelf.cache();
    const workspace = await cache.workspace(ref);
    expect(await workspace.listFiles()).toHaveLength(20_002);
    const big = await workspace.safeRead('big.bin', 64 * 1024 ** 2);
    expect(big.equals(Buffer.from(noise.buffer))).toBe(true);
    big[1000] = (big[1000] ?? 0) ^ 1;
    await workspace.safeWrite('big.bin', big);
    await workspace.safeWrite('src/d7/f7.ts', 'export const value7 = 8;\n');
    const next = await deliver(cache, shelf, ref, workspace);
    await fetchResult(root, shelf.file('result'), { branch: `devmesh/${RUN}`, commit: next.commit });
    expect(treeChanges(before, await treeDigest(root)).filter((change) => !change.startsWith('+.git/'))).toEqual([]);
    expect(userGit(root, ['diff', '--name-only', 'main', `devmesh/${RUN}`])).toBe('big.bin\nsrc/d7/f7.ts');
  }, 120_000);
});
