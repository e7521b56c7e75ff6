import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { fetchResult } from './deliver.js';
import { integrate, type Integration } from './integrate.js';
import { createPatch } from './patch.js';
import { BundleShelf } from './testing/bundle-shelf.js';
import { asOrdinaryUser } from './testing/ordinary-user.js';
import { commitAll, makeRepository, removeAll, userGit, writeFiles } from './testing/sample-git.js';
import { treeChanges, treeDigest } from './testing/tree-digest.js';

const RUN = '01900000-0000-7000-8000-000000000000';
const BRANCH = `devmesh/${RUN}`;

let root: string;
let shelf: BundleShelf;
beforeEach(() => {
  root = makeRepository([['README.md', '# Sample\n']]);
  writeFiles(root, [['src/a.ts', 'export const a = 1;\n']]);
  commitAll(root, 'Second');
  shelf = new BundleShelf();
});
afterEach(() => {
  shelf.remove();
  removeAll(root);
});

/** A result with one commit on what `ref` names. */
async function resultOf(ref: RepositoryRef, content = '# Changed\n'): Promise<Integration & { bundleFile: string }> {
  const workspace = await shelf.cache().workspace(ref);
  await workspace.safeWrite('README.md', content);
  const { bytes, title, body } = await createPatch(workspace, 'Change');
  const digest = createHash('sha256').update(bytes).digest('hex');
  const outFile = shelf.file(`result-${digest}`);
  const patches = [{ bytes, title, body, digest, step: 'implement', agent: 'feature-dev' }];
  const result = await integrate({ repository: workspace, patches, runId: RUN, nowMs: 1_700_000_100_000, outFile });
  await workspace.dispose();
  return { ...result, bundleFile: outFile };
}

const expectedChanges = [
  expect.stringMatching(/^\+\.git\/objects\/pack\/pack-[0-9a-f]+\.idx$/),
  expect.stringMatching(/^\+\.git\/objects\/pack\/pack-[0-9a-f]+\.pack$/),
  '+.git/refs/heads/devmesh',
  `+.git/refs/heads/${BRANCH}`,
];

describe('fetchResult', () => {
  it('makes the branch and touches nothing else; again it does nothing', async () => {
    const { ref } = await shelf.submit(root);
    const result = await resultOf(ref);
    writeFiles(root, [['README.md', 'dirty']]);
    const before = await treeDigest(root);
    expect(await fetchResult(root, result.bundleFile, { branch: BRANCH, commit: result.commit })).toEqual({
      ref: `refs/heads/${BRANCH}`,
      created: true,
    });
    const after = await treeDigest(root);
    expect(treeChanges(before, after)).toEqual(expectedChanges);
    expect(userGit(root, ['rev-list', `main..${BRANCH}`])).toBe(result.commit);
    expect(userGit(root, ['show', `${BRANCH}:README.md`])).toBe('# Changed');
    expect(userGit(root, ['fsck', '--full', '--strict'])).toBe('');
    const again = await treeDigest(root);
    expect(await fetchResult(root, result.bundleFile, { branch: BRANCH, commit: result.commit })).toMatchObject({
      created: false,
    });
    expect(treeChanges(again, await treeDigest(root))).toEqual([]);
  });

  it('works for a shallow, detached repository', async () => {
    const clone = join(shelf.folder, 'clone');
    userGit(root, ['clone', '--quiet', '--depth=1', `file://${root}`, clone]);
    userGit(clone, ['checkout', '--quiet', '--detach']);
    const result = await resultOf((await shelf.submit(clone)).ref);
    const before = await treeDigest(clone);
    await fetchResult(clone, result.bundleFile, { branch: BRANCH, commit: result.commit });
    expect(treeChanges(before, await treeDigest(clone))).toEqual(expectedChanges);
    expect(userGit(clone, ['log', '--format=%s', BRANCH])).toBe('Change\nSecond');
    userGit(clone, ['fsck', '--full']);
  });

  it('works from a linked worktree, with packed refs', async () => {
    const work = join(shelf.folder, 'work');
    userGit(root, ['worktree', 'add', '--quiet', '-b', 'side', work]);
    userGit(root, ['pack-refs', '--all']);
    const result = await resultOf((await shelf.submit(work)).ref);
    const before = await treeDigest(root);
    await fetchResult(work, result.bundleFile, { branch: BRANCH, commit: result.commit });
    expect(treeChanges(before, await treeDigest(root))).toEqual(expectedChanges);
    expect(userGit(work, ['rev-parse', BRANCH])).toBe(result.commit);
  });

  it('works when the user has gone on, and for SHA-256', async () => {
    const other = makeRepository([['README.md', 'a']], ['--object-format=sha256']);
    const result = await resultOf((await shelf.submit(other)).ref);
    writeFiles(other, [['b', 'b']]);
    commitAll(other, 'Later');
    await fetchResult(other, result.bundleFile, { branch: BRANCH, commit: result.commit });
    expect(userGit(other, ['merge-base', 'main', BRANCH])).toBe(result.base);
    removeAll(other);
  });

  describe('refuses, and leaves the repository as it was,', () => {
    let result: Integration & { bundleFile: string };
    beforeEach(async () => {
      result = await resultOf((await shelf.submit(root)).ref);
    });
    const refused = async (
      path: string,
      file: string,
      code: string,
      message: RegExp,
      branch = BRANCH,
    ): Promise<void> => {
      const before = await treeDigest(path);
      await expect(fetchResult(path, file, { branch, commit: result.commit })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
      expect(treeChanges(before, await treeDigest(path))).toEqual([]);
    };

    it('a branch that is elsewhere, or in the way', async () => {
      userGit(root, ['branch', BRANCH]);
      await refused(
        root,
        result.bundleFile,
        'conflict',
        /branch devmesh\/\S+ of .* is at [0-9a-f]{40} and not at [0-9a-f]{40}: rename it/,
      );
      userGit(root, ['branch', '-m', BRANCH, `${BRANCH}/deeper`]);
      await refused(root, result.bundleFile, 'conflict', /deeper of .* is in the way/);
      userGit(root, ['branch', '-m', `${BRANCH}/deeper`, 'devmesh']);
      userGit(root, ['pack-refs', '--all']);
      await refused(root, result.bundleFile, 'conflict', /branch devmesh of .* is in the way/);
    });

    it('names that are none', async () => {
      for (const branch of ['../../x', 'a b', 'x.lock', '-x', ''])
        await refused(root, result.bundleFile, 'invalid_input', /not a name/, branch);
    });

    it('another repository, another commit, a damaged or incomplete bundle', async () => {
      const other = makeRepository([['x', 'x']]);
      await refused(
        other,
        result.bundleFile,
        'invalid_repository',
        /lacks commit [0-9a-f]{40}, which the result builds on/,
      );
      removeAll(other);
      const elsewhere = await resultOf((await shelf.submit(root)).ref, '# Other\n');
      await refused(root, elsewhere.bundleFile, 'invalid_repository', /does not hold commit/);
      const bytes = readFileSync(result.bundleFile);
      writeFileSync(shelf.file('cut'), bytes.subarray(0, bytes.length - 40));
      await refused(root, shelf.file('cut'), 'invalid_repository', /not a git bundle that can be used/);
      const packStart = bytes.indexOf('\n\n') + 2;
      const commitOnly = execFileSync('git', ['pack-objects', '--stdout'], {
        cwd: root,
        input: '',
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      writeFileSync(shelf.file('hollow'), Buffer.concat([bytes.subarray(0, packStart), commitOnly]));
      await refused(root, shelf.file('hollow'), 'invalid_repository', /is incomplete/);
    });

    it('a ref that somebody else has locked', async () => {
      const ref = join(root, '.git/refs/heads/devmesh');
      execFileSync('mkdir', ['-p', ref]);
      writeFileSync(join(ref, `${RUN}.lock`), '');
      await expect(
        fetchResult(root, result.bundleFile, { branch: BRANCH, commit: result.commit }),
      ).rejects.toMatchObject({ code: 'conflict' });
      unlinkSync(join(ref, `${RUN}.lock`));
      expect(await fetchResult(root, result.bundleFile, { branch: BRANCH, commit: result.commit })).toMatchObject({
        created: true,
      });
    });

    it('a folder that may not be written', async () => {
      execFileSync('chmod', ['-R', 'a+rX,a-w', root]);
      execFileSync('chmod', ['-R', 'a+rX', shelf.folder]);
      await asOrdinaryUser(() =>
        refused(root, result.bundleFile, 'invalid_repository', /may not be written.*: give this user write access/),
      );
      execFileSync('chmod', ['-R', 'u+w', root]);
    });
  });
});
