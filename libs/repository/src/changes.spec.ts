import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { changesBetween, changesOfWorkTree } from './changes.js';
import {
  commitAll,
  makeHostile,
  makeRepository,
  proofsLeft,
  removeAll,
  userGit,
  writeFiles,
} from './testing/sample-git.js';

const LINES = Array.from({ length: 12 }, (_, i) => `line ${i + 1}\n`);
const MAX = 1024 ** 2;

let root: string;
let base: string;
beforeEach(() => {
  root = makeRepository([
    ['a.txt', LINES.join('')],
    ['old name.txt', LINES.join('')],
    ['gone.txt', 'x\n'],
    ['ümlaut "q".txt', 'one\ntwo\n'],
    ['.gitattributes', '* -diff\n*.txt binary\n'],
  ]);
  base = userGit(root, ['rev-parse', 'HEAD']);
});
afterEach(() => removeAll(root));

function change(): void {
  writeFiles(root, [
    ['a.txt', LINES.toSpliced(2, 1, 'three\n').toSpliced(5, 2).toSpliced(9, 0, 'new\n', '-- a\n', '++ b\n').join('')],
    ['ümlaut "q".txt', 'one\n   two\nthree\n'],
    ['sub/added.txt', 'new\n'],
  ]);
  renameSync(join(root, 'old name.txt'), join(root, 'new name.txt'));
  rmSync(join(root, 'gone.txt'));
}

const byPath = (files: readonly { path: string | null; basePath: string | null }[]) =>
  Object.fromEntries(files.map((file) => [file.path ?? `-${file.basePath}`, file]));

const EXPECTED = {
  'a.txt': {
    path: 'a.txt',
    basePath: 'a.txt',
    hunks: [
      { baseStart: 3, baseLines: 1, start: 3, lines: 1 },
      { baseStart: 6, baseLines: 2, start: 5, lines: 0 },
      { baseStart: 11, baseLines: 0, start: 10, lines: 3 },
    ],
  },
  'new name.txt': { path: 'new name.txt', basePath: 'old name.txt', hunks: [] },
  '-gone.txt': { path: null, basePath: 'gone.txt', hunks: [] },
  'ümlaut "q".txt': {
    path: 'ümlaut "q".txt',
    basePath: 'ümlaut "q".txt',
    hunks: [{ baseStart: 2, baseLines: 0, start: 3, lines: 1 }],
  },
  'sub/added.txt': { path: 'sub/added.txt', basePath: null },
};

describe('the difference of two commits', () => {
  it('follows renames and lines, whatever the names are and the tree says of itself', async () => {
    change();
    const head = commitAll(root, 'Change');
    const { files, baseContents } = await changesBetween(join(root, '.git'), base, head, MAX);
    expect(byPath(files)).toMatchObject(EXPECTED);
    expect(baseContents.get('old name.txt')?.toString()).toBe(LINES.join(''));
    expect([...baseContents.keys()].sort()).toEqual(['a.txt', 'gone.txt', 'old name.txt', 'ümlaut "q".txt']);
  });

  it('leaves contents over the limit out', async () => {
    change();
    const head = commitAll(root, 'Change');
    const { baseContents } = await changesBetween(join(root, '.git'), base, head, 10);
    expect([...baseContents.keys()].sort()).toEqual(['gone.txt', 'ümlaut "q".txt']);
  });
});

describe('the difference of a working tree', () => {
  it('is what is not committed and not tracked too, from where the branches parted', async () => {
    userGit(root, ['switch', '--quiet', '-c', 'topic']);
    change();
    userGit(root, ['add', '--all', '--intent-to-add', 'new name.txt']);
    userGit(root, ['add', 'new name.txt', 'old name.txt']);
    userGit(root, ['switch', '--quiet', 'main']);
    userGit(root, ['stash', '--include-untracked']);
    writeFiles(root, [['other.txt', 'y\n']]);
    commitAll(root, 'Elsewhere');
    userGit(root, ['switch', '--quiet', 'topic']);
    userGit(root, ['stash', 'pop', '--index']);
    mkdirSync(join(root, 'deep'));
    const found = await changesOfWorkTree(join(root, 'deep'), 'main', MAX);
    expect(found.base).toBe(base);
    const files = byPath(found.files);
    expect(files).toMatchObject(EXPECTED);
    expect(Object.keys(files)).not.toContain('-other.txt');
  });

  it('names a base that is not there', async () => {
    await expect(changesOfWorkTree(root, 'nowhere', MAX)).rejects.toThrow(/no branch, tag or commit "nowhere"/);
    await expect(changesOfWorkTree(root, '--output=x', MAX)).rejects.toThrow(/no branch, tag or commit/);
  });

  it('runs nothing of a hostile repository', async () => {
    const proofs = makeHostile(root);
    writeFileSync(join(root, 'a.txt'), 'changed\n');
    await changesOfWorkTree(root, 'HEAD', MAX);
    expect(proofsLeft(proofs)).toEqual([]);
    removeAll(proofs);
  });
});
