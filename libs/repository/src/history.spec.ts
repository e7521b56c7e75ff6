import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HISTORY_LIMITS, RepositoryHistory } from '@devmesh/contracts/repository';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packRepository } from './pack.js';
import { commitAll, makeRepository, removeAll, userGit } from './testing/sample-git.js';

let root: string;
let outDir: string;
beforeEach(() => {
  root = makeRepository([['a.txt', 'a']]);
  outDir = mkdtempSync(join(tmpdir(), 'devmesh-history-'));
});
afterEach(() => removeAll(root, outDir));

async function historyOf(path: string, ref?: string): Promise<RepositoryHistory> {
  const packed = await packRepository(path, { outFile: join(outDir, 'bundle'), ...(ref === undefined ? {} : { ref }) });
  return RepositoryHistory.parse(packed.history);
}

it('tells commits from the latest back, with tags of both kinds, merges, and what the mesh made', async () => {
  userGit(root, ['tag', 'v1']);
  userGit(root, ['switch', '--quiet', '--create', 'side']);
  commitAll(root, 'fix: the side\n\nDevmesh-Run: 0190\nDevmesh-Step: implement');
  userGit(root, ['switch', '--quiet', 'main']);
  userGit(root, ['merge', '--quiet', '--no-ff', '-m', 'Merge side', 'side']);
  userGit(root, ['tag', '--annotate', '-m', 'two', 'v2']);
  const { commits, complete } = await historyOf(root);
  expect(commits.map(({ title, tags, isMerge, byMesh }) => ({ title, tags, isMerge, byMesh }))).toEqual([
    { title: 'Merge side', tags: ['v2'], isMerge: true, byMesh: false },
    { title: 'fix: the side', tags: [], isMerge: false, byMesh: true },
    { title: 'First', tags: ['v1'], isMerge: false, byMesh: false },
  ]);
  expect(complete).toBe(true);
  expect((await historyOf(root, 'HEAD~1')).commits.map(({ title }) => title)).toEqual(['First']);
});

it('ends at the boundary of a shallow clone, and says that there was more', async () => {
  commitAll(root, 'Second');
  const clone = join(outDir, 'clone');
  userGit(outDir, ['clone', '--quiet', '--depth=1', `file://${root}`, clone]);
  const { commits, complete } = await historyOf(clone);
  expect(commits.map(({ title }) => title)).toEqual(['Second']);
  expect(complete).toBe(false);
});

it('ends at its limits, of commits and of the characters of a title', async () => {
  const lines = Array.from({ length: HISTORY_LIMITS.commits }, (_, n) =>
    ['commit refs/heads/main', 'committer A <a@example.com> 1700000000 +0000', 'data 2', `${n % 10}`, ''].join('\n'),
  );
  userGit(root, ['fast-import', '--quiet', '--force'], `${lines.join('\n')}\n`);
  userGit(root, ['reset', '--quiet', '--hard']);
  commitAll(root, 'x'.repeat(HISTORY_LIMITS.text + 1));
  const { commits, complete } = await historyOf(root);
  expect(commits).toHaveLength(HISTORY_LIMITS.commits);
  expect(commits[0]?.title).toHaveLength(HISTORY_LIMITS.text);
  expect(complete).toBe(false);
});

it('keeps a title with whatever is in it on one entry', async () => {
  const title = 'fix: "quotes", tabs\tand \u{1f600}';
  commitAll(root, title);
  expect((await historyOf(root)).commits[0]?.title).toBe(title);
});
