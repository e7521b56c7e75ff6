import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fetchResult } from './deliver.js';
import { inspectRepository } from './inspect.js';
import { integrate } from './integrate.js';
import { createPatch } from './patch.js';
import { BundleShelf } from './testing/bundle-shelf.js';
import {
  commitAll,
  makeHostile,
  makeRepository,
  proofsLeft,
  removeAll,
  userGit,
  writeFiles,
} from './testing/sample-git.js';
import { treeChanges, treeDigest } from './testing/tree-digest.js';
import { join } from 'node:path';

let root: string;
let proofs: string;
let shelf: BundleShelf;
beforeEach(() => {
  root = makeRepository([
    ['README.md', '# Sample\n'],
    ['.gitattributes', '* filter=evil diff=evil merge=evil\n*.md filter=evilprocess\n*.psd filter=lfs\n'],
    ['art.psd', 'x'.repeat(200)],
  ]);
  writeFiles(root, [['b', 'b']]);
  commitAll(root, 'Second');
  proofs = makeHostile(root);
  shelf = new BundleShelf();
});
afterEach(() => {
  shelf.remove();
  removeAll(root, proofs);
});

/** Folders of this library in the machine's temporary folder. */
const temporaries = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('devmesh-view-'));

it('nothing of a hostile repository runs on the whole way there and back', async () => {
  // Content that only a filter could compare, a time stamp that makes git look, and a change to find.
  writeFileSync(join(root, 'README.md'), '# Sbmple\n');
  const before = await treeDigest(root);
  const views = temporaries();

  expect((await inspectRepository(root)).dirty).toBe(true);
  const { ref } = await shelf.submit(root);
  const workspace = await shelf.cache().workspace(ref);
  await workspace.safeWrite('README.md', '# Changed\n');
  await workspace.safeWrite('art.psd', 'y'.repeat(200));
  const patch = await createPatch(workspace, 'Change');
  expect(patch.files).toEqual(['README.md', 'art.psd']);
  const outFile = shelf.file('result');
  const digest = createHash('sha256').update(patch.bytes).digest('hex');
  const runId = '01900000-0000-7000-8000-000000000000';
  const result = await integrate({
    repository: workspace,
    patches: [{ ...patch, digest, step: 'implement', agent: 'feature-dev' }],
    runId,
    nowMs: 1_700_000_100_000,
    outFile,
  });
  await fetchResult(root, outFile, { branch: `devmesh/${runId}`, commit: result.commit });

  expect(proofsLeft(proofs)).toEqual([]);
  expect(
    treeChanges(before, await treeDigest(root)).map((change) => change.replace(/pack-[0-9a-f]+/, 'pack-x')),
  ).toEqual([
    '+.git/objects/pack/pack-x.idx',
    '+.git/objects/pack/pack-x.pack',
    '+.git/refs/heads/devmesh',
    `+.git/refs/heads/devmesh/${runId}`,
  ]);
  expect(temporaries().filter((name) => !views.includes(name))).toEqual([]);
});

it('the same repository runs its programs for a git that reads its settings', () => {
  writeFileSync(join(root, 'README.md'), '# Changed\n');
  const run = (...args: string[]): void => void spawnSync('git', args, { cwd: root, stdio: 'ignore', timeout: 10_000 });
  run('status');
  run('diff', 'HEAD~1', 'HEAD');
  run('add', 'README.md');
  run('branch', 'x');
  run('checkout', '-f', 'HEAD~1');
  const left = proofsLeft(proofs);
  // The include comes last and replaces the first monitor.
  expect(left).toEqual(
    expect.arrayContaining([
      'include',
      'diff-command',
      'evil-hooks-reference-transaction',
      'filter-clean',
      'filter-process',
      'filter-smudge',
    ]),
  );
  expect(userGit(root, ['config', '--get', 'gpg.program'])).toContain('evil-gpg');
});
