import { createHash } from 'node:crypto';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { integrate, resultRef, type Integration, type PatchToIntegrate } from './integrate.js';
import { applyPatch, copyIndex, createPatch } from './patch.js';
import type { RepositoryCache } from './store.js';
import { BundleShelf } from './testing/bundle-shelf.js';
import { commitAll, makeRepository, removeAll, userGit, writeFiles } from './testing/sample-git.js';
import type { Workspace } from './workspace.js';

const RUN = '01900000-0000-7000-8000-000000000000';
const LINES = Array.from({ length: 30 }, (_, i) => `line ${i}\n`);

let root: string;
let shelf: BundleShelf;
let cache: RepositoryCache;
let ref: RepositoryRef;
beforeEach(async () => {
  root = makeRepository([
    ['README.md', '# Sample\n'],
    ['lines.txt', LINES.join('')],
    ['crlf.txt', 'one\r\ntwo\r\n'],
    ['.gitignore', 'dist/\n'],
  ]);
  shelf = new BundleShelf();
  cache = shelf.cache();
  ({ ref } = await shelf.submit(root));
});
afterEach(() => {
  shelf.remove();
  removeAll(root);
});

const toIntegrate = (bytes: Buffer, title = 'Change', body = ''): PatchToIntegrate => ({
  bytes,
  title,
  body,
  digest: createHash('sha256').update(bytes).digest('hex'),
  step: 'implement',
  agent: 'feature-dev',
});

/** A patch made by editing a fresh checkout. */
async function patchOf(
  edit: (workspace: Workspace) => unknown,
  title?: string,
  body?: string,
): Promise<PatchToIntegrate> {
  const workspace = await cache.workspace(ref);
  await edit(workspace);
  const patch = await createPatch(workspace, title ?? 'Change', body);
  await workspace.dispose();
  return toIntegrate(patch.bytes, patch.title, patch.body);
}

const replaceLine = (at: number, text: string) => (workspace: Workspace) =>
  workspace.safeWrite('lines.txt', LINES.map((line, i) => (i === at ? `${text}\n` : line)).join(''));

async function integrated(patches: readonly PatchToIntegrate[], on: RepositoryRef = ref): Promise<Integration> {
  const open = shelf.leftovers();
  const repository = await cache.scratch(on);
  const result = await integrate({
    repository,
    patches,
    runId: RUN,
    nowMs: 1_700_000_100_123,
    outFile: shelf.file('result'),
  });
  await repository.dispose();
  expect(shelf.leftovers()).toEqual(open);
  return result;
}

async function checkOut(result: Integration): Promise<Workspace> {
  return cache.workspace(resultRef(ref, result, result.bundleFile === null ? '' : shelf.put(result.bundleFile)));
}

describe('createPatch', () => {
  it('says what changed, and nothing for nothing', async () => {
    const workspace = await cache.workspace(ref);
    expect(await createPatch(workspace, 'Nothing')).toMatchObject({ files: [], bytes: Buffer.alloc(0) });
    await workspace.safeWrite('crlf.txt', 'one\r\n2\r\n');
    await workspace.safeWrite('dist/made', 'ignored');
    await workspace.safeWrite('näw\nfile', 'new');
    unlinkSync(join(workspace.path, 'README.md'));
    const patch = await createPatch(workspace, '  Change\nthree  files ', 'Because.');
    expect(patch).toMatchObject({
      base: ref.commit,
      title: 'Change three files',
      body: 'Because.',
      files: ['README.md', 'crlf.txt', 'näw\nfile'],
    });
    expect(patch.bytes.toString()).toContain('-two\r\n+2\r\n');
    await expect(createPatch(workspace, ' \n')).rejects.toMatchObject({ code: 'invalid_input' });
  });

  it('sees a change of the same size in the moment of the checkout', async () => {
    const workspace = await cache.workspace(ref);
    writeFileSync(join(workspace.path, 'README.md'), '# Simple\n');
    expect((await createPatch(workspace, 'Same size')).files).toEqual(['README.md']);
    // git suspects entries that are not older than the index file; a copy that got younger would clear them.
    const index = join(workspace.gitDir, 'index');
    await copyIndex(index, join(shelf.folder, 'copy'));
    const time = (file: string): bigint => lstatSync(file, { bigint: true }).mtimeNs;
    expect(time(join(shelf.folder, 'copy'))).toBeLessThanOrEqual(time(index));
  });

  it('ignores attributes, drivers and repositories that agents leave in the tree', async () => {
    const workspace = await cache.workspace(ref);
    await workspace.safeWrite('.gitattributes', '*.txt -diff filter=evil eol=lf\n');
    await workspace.safeWrite('crlf.txt', 'one\r\nthree\r\n');
    mkdirSync(join(workspace.path, 'nested'));
    userGit(join(workspace.path, 'nested'), ['init', '--quiet']);
    writeFiles(join(workspace.path, 'nested'), [['x', 'x']]);
    commitAll(join(workspace.path, 'nested'), 'x');
    const patch = await createPatch(workspace, 'Attributes');
    expect(patch.files).toEqual(['.gitattributes', 'crlf.txt']);
    expect(patch.bytes.toString()).toContain('+three\r\n');
    expect(patch.bytes.toString()).not.toContain('GIT binary patch');
  });

  it('leaves submodules alone', async () => {
    const outer = makeRepository([['x', 'x']]);
    userGit(outer, ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', root, 'vendor/sub']);
    commitAll(outer, 'Add');
    const submitted = await shelf.submit(outer);
    expect(submitted.packed.notices.map(({ code }) => code)).toEqual(['submodules']);
    const workspace = await cache.workspace(submitted.ref);
    expect((await createPatch(workspace, 'Nothing')).files).toEqual([]);
    rmSync(join(workspace.path, 'vendor'), { recursive: true });
    await workspace.safeWrite('x', 'y');
    expect((await createPatch(workspace, 'Something')).files).toEqual(['x']);
    removeAll(outer);
  });
});

describe('applyPatch', () => {
  it('adds to what the tree holds, and changes nothing on a conflict', async () => {
    const top = await patchOf(replaceLine(1, 'top'));
    const other = await patchOf(replaceLine(1, 'other'));
    const workspace = await cache.workspace(ref);
    await replaceLine(28, 'bottom')(workspace);
    await applyPatch(workspace, top.bytes);
    const text = readFileSync(join(workspace.path, 'lines.txt'), 'utf8');
    expect(text).toContain('top\n');
    expect(text).toContain('bottom\n');
    await expect(applyPatch(workspace, other.bytes)).rejects.toMatchObject({
      code: 'patch_conflict',
      message: expect.stringContaining('lines.txt'),
    });
    expect(readFileSync(join(workspace.path, 'lines.txt'), 'utf8')).toBe(text);
    expect((await createPatch(workspace, 'Both')).files).toEqual(['lines.txt']);
  });
});

describe('integrate', () => {
  it('makes one commit per patch with its trailers, the same ones every time', async () => {
    const patches = [
      await patchOf(
        replaceLine(1, 'first'),
        'Change the first line',
        'It was wrong.\n\nDevmesh-Patch: not a trailer here',
      ),
      await patchOf((workspace) => workspace.safeWrite('new.txt', 'new\n'), 'Add a file'),
    ];
    const result = await integrated(patches);
    expect(result).toMatchObject({ base: ref.base, skipped: [], conflicts: [] });
    expect(result.applied.map(({ digest }) => digest)).toEqual(patches.map(({ digest }) => digest));
    expect(result.commits.map(({ commit }) => commit)).toEqual(result.applied.map(({ commit }) => commit));
    expect(result.commit).toBe(result.commits.at(-1)?.commit);
    expect((await integrated(patches)).commit).toBe(result.commit);

    const workspace = await checkOut(result);
    const log = (format: string): string =>
      userGit(workspace.gitDir, ['log', '--reverse', `--format=${format}`, `${ref.base}..${result.commit}`]);
    expect(log('%s|%an <%ae>|%cn <%ce>|%ct').split('\n')).toEqual([
      'Change the first line|Devmesh <devmesh@localhost>|Devmesh <devmesh@localhost>|1700000100',
      'Add a file|Devmesh <devmesh@localhost>|Devmesh <devmesh@localhost>|1700000100',
    ]);
    expect(log('%(trailers:only,unfold)').split('\n').filter(Boolean)).toEqual(
      patches.flatMap(({ digest }) => [
        `Devmesh-Run: ${RUN}`,
        'Devmesh-Step: implement',
        'Devmesh-Agent: feature-dev',
        `Devmesh-Patch: ${digest}`,
      ]),
    );
    expect(log('%b')).toContain('It was wrong.');
    expect((await workspace.safeRead('new.txt')).toString()).toBe('new\n');
  });

  it('may be repeated on its own result, in part or whole', async () => {
    const one = await patchOf(replaceLine(1, 'first'));
    const two = await patchOf((workspace) => workspace.safeWrite('new.txt', 'new\n'));
    const first = await integrated([one]);
    const on = resultRef(ref, first, shelf.put(shelf.file('result')));
    const both = await integrated([one, two, two], on);
    expect(both.skipped).toEqual([
      { digest: one.digest, reason: 'already_applied' },
      { digest: two.digest, reason: 'already_applied' },
    ]);
    const told = { title: expect.any(String), step: 'implement', agent: 'feature-dev' };
    expect(both.commits).toEqual([first.commit, both.commit].map((commit) => ({ commit, ...told })));
    // The bundle holds all of base..commit, so it replaces the earlier one.
    expect((await checkOut(both)).commit).toBe((await integrated([one, two])).commit);
    const again = await integrated([one], on);
    expect(again).toMatchObject({ commit: first.commit, applied: [], bundleFile: shelf.file('result') });
  });

  it('merges changes of one file that lie apart, also when context has changed', async () => {
    const patches = [await patchOf(replaceLine(10, 'ten')), await patchOf(replaceLine(12, 'twelve'))];
    const result = await integrated(patches);
    expect(result.conflicts).toEqual([]);
    const text = (await (await checkOut(result)).safeRead('lines.txt')).toString();
    expect(text).toBe(LINES.join('').replace('line 10\n', 'ten\n').replace('line 12\n', 'twelve\n'));
  });

  it('leaves a conflicting patch out whole and goes on', async () => {
    const one = await patchOf(replaceLine(10, 'ten'));
    const conflicting = await patchOf(async (workspace) => {
      await replaceLine(10, 'TEN')(workspace);
      await workspace.safeWrite('extra.txt', 'must not arrive');
    });
    const three = await patchOf((workspace) => workspace.safeWrite('three.txt', '3'));
    const result = await integrated([one, conflicting, three]);
    expect(result.applied.map(({ digest }) => digest)).toEqual([one.digest, three.digest]);
    expect(result.conflicts).toEqual([
      { digest: conflicting.digest, files: ['lines.txt'], reason: expect.stringContaining('lines.txt') },
    ]);
    const files = (await (await checkOut(result)).listFiles()).map(({ path }) => path);
    expect(files).toContain('three.txt');
    expect(files).not.toContain('extra.txt');
  });

  it('skips what changes nothing, and makes no bundle of nothing', async () => {
    const one = await patchOf(replaceLine(10, 'ten'), 'One');
    const alike = { ...one, digest: 'a'.repeat(64) };
    expect((await integrated([toIntegrate(Buffer.alloc(0)), one, alike])).skipped.map(({ reason }) => reason)).toEqual([
      'empty',
      'empty',
    ]);
    expect(await integrated([toIntegrate(Buffer.alloc(0))])).toMatchObject({
      commit: ref.base,
      commits: [],
      bundleFile: null,
    });
  });

  it('carries binary files, modes, links, renames and deletions', async () => {
    const binary = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * i) % 251));
    const patch = await patchOf((workspace) => {
      writeFileSync(join(workspace.path, 'image.bin'), binary);
      renameSync(join(workspace.path, 'README.md'), join(workspace.path, 'READ ME.md'));
      unlinkSync(join(workspace.path, 'crlf.txt'));
      chmodSync(join(workspace.path, 'lines.txt'), 0o755);
      symlinkSync('lines.txt', join(workspace.path, 'link'));
    });
    const workspace = await checkOut(await integrated([patch]));
    expect((await workspace.safeRead('image.bin')).equals(binary)).toBe(true);
    expect(Object.fromEntries((await workspace.listFiles()).map(({ path, kind }) => [path, kind]))).toEqual({
      '.gitignore': 'file',
      'READ ME.md': 'file',
      'image.bin': 'file',
      'lines.txt': 'executable',
      link: 'link',
    });
  });

  it('carries a tree to nothing and from nothing', async () => {
    const all = await patchOf((workspace) => {
      for (const name of readdirSync(workspace.path)) unlinkSync(join(workspace.path, name));
    });
    const result = await integrated([all]);
    const empty = await checkOut(result);
    expect(await empty.listFiles()).toEqual([]);
    expect((await createPatch(empty, 'Nothing')).files).toEqual([]);
    await empty.safeWrite('a', 'a');
    expect((await createPatch(empty, 'First')).files).toEqual(['a']);
  });

  it.each([
    [
      'out of the tree',
      'diff --git a/../evil b/../evil\nnew file mode 100644\n--- /dev/null\n+++ b/../evil\n@@ -0,0 +1 @@\n+x\n',
    ],
    [
      'into .git',
      'diff --git a/.git/hooks/x b/.git/hooks/x\nnew file mode 100755\n--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+x\n',
    ],
    [
      'through a link it makes',
      'diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/tmp\n\\ No newline at end of file\ndiff --git a/l/x b/l/x\nnew file mode 100644\n--- /dev/null\n+++ b/l/x\n@@ -0,0 +1 @@\n+x\n',
    ],
    ['that is none', '--- a\nnonsense\n'],
  ])('refuses a patch %s', async (_, text) => {
    const result = await integrated([toIntegrate(Buffer.from(text))]);
    expect(result).toMatchObject({ applied: [], commit: ref.base });
    expect(result.conflicts).toHaveLength(1);
  });

  it('names bundles that lack the commit', async () => {
    const repository = await cache.scratch(ref);
    const wrong = { gitDir: repository.gitDir, ref: { ...ref, base: 'b'.repeat(40) } };
    await expect(
      integrate({ repository: wrong, patches: [], runId: RUN, nowMs: 0, outFile: shelf.file('x') }),
    ).rejects.toMatchObject({ code: 'invalid_repository' });
  });
});
