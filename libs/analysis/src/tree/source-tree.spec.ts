import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { tempTree, type TempTree } from '../testing/temp-tree.js';
import { SourceTree } from './source-tree.js';
import { writeTreeFile } from './write-file.js';

const trees: TempTree[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) tree.remove();
});

function treeOf(files: Record<string, string | Uint8Array>): TempTree {
  const tree = tempTree(files);
  trees.push(tree);
  return tree;
}

describe('SourceTree', () => {
  it('lists regular files in order, without vendored folders and without following links', async () => {
    const { path } = treeOf({ 'b.txt': 'b', 'a/c.txt': 'c', 'node_modules/x.js': 'x', '.git/config': 'x' });
    symlinkSync('/etc/hostname', join(path, 'out'));
    symlinkSync('..', join(path, 'up'));
    symlinkSync('nowhere', join(path, 'broken'));
    execFileSync('mkfifo', [join(path, 'pipe')]);
    const tree = await SourceTree.open(path);
    expect(tree.files.map((file) => file.path)).toEqual(['a/c.txt', 'b.txt']);
    expect(['out', 'up', 'broken', 'pipe', 'b.txt', 'a', 'none'].map((name) => tree.exists(name))).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(tree.text('out')).toBeUndefined();
  });

  it('does not follow a file that became a link after it was listed', async () => {
    const { path } = treeOf({ 'a.txt': 'a' });
    const tree = await SourceTree.open(path);
    rmSync(join(path, 'a.txt'));
    symlinkSync('/etc/hostname', join(path, 'a.txt'));
    expect(tree.read('a.txt')).toBeUndefined();
  });

  it('has text of UTF-8 alone, without its byte order mark, and within the limit', async () => {
    const { path } = treeOf({
      'a.txt': '\uFEFFä',
      'b.txt': new Uint8Array([0x61, 0xff]),
      'c.txt': 'a\0b',
      'd.txt': 'x'.repeat(11),
    });
    const tree = await SourceTree.open(path);
    expect(tree.text('a.txt')).toBe('ä');
    expect(tree.text('b.txt')).toBeUndefined();
    expect(tree.text('c.txt')).toBeUndefined();
    expect(tree.text('d.txt', 10)).toBeUndefined();
    expect(tree.text('d.txt', 11)).toHaveLength(11);
  });

  it('reads names with spaces, newlines and bytes that are not UTF-8', async () => {
    const { path } = treeOf({ 'a b\n"c".txt': '1' });
    writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0x66, 0xff])]), '2');
    const tree = await SourceTree.open(path);
    expect(tree.files.map((file) => [file.path, file.utf8, tree.text(file)])).toEqual([
      ['a b\n"c".txt', true, '1'],
      ['f\ufffd', false, '2'],
    ]);
    expect(tree.exists('f\ufffd')).toBe(false);
  });

  it('says when there were more files than it takes, when it is no folder, and when it is told to stop', async () => {
    const { path } = treeOf({ a: '', b: '' });
    expect(await SourceTree.open(path, { maxFiles: 1 })).toMatchObject({
      truncated: true,
      files: [{ path: expect.any(String) as string }],
    });
    await expect(SourceTree.open(join(path, 'a'))).rejects.toMatchObject({ code: 'invalid_repository' });
    await expect(SourceTree.open(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'execution_cancelled',
    });
  });
});

describe('writeTreeFile', () => {
  it('makes a new file with its folders, and replaces one', async () => {
    const { path } = treeOf({});
    await writeTreeFile(path, 'a/b/c.txt', 'one', 'new');
    await expect(writeTreeFile(path, 'a/b/c.txt', 'two', 'new')).rejects.toMatchObject({ code: 'conflict' });
    await writeTreeFile(path, 'a/b/c.txt', '2', 'replace');
    expect(readFileSync(join(path, 'a/b/c.txt'), 'utf8')).toBe('2');
  });

  it('writes neither outside nor through links', async () => {
    const outside = treeOf({ 'kept.txt': 'kept' });
    const { path } = treeOf({});
    symlinkSync(outside.path, join(path, 'folder'));
    symlinkSync(join(outside.path, 'kept.txt'), join(path, 'file.txt'));
    mkdirSync(join(path, 'real'));
    for (const name of ['folder/x.txt', 'file.txt', '../x', '/x', 'a/../x', '.git/config', 'real', '']) {
      await expect(writeTreeFile(path, name, 'x', 'replace')).rejects.toMatchObject({ code: 'forbidden' });
    }
    await expect(writeTreeFile(path, 'file.txt', 'x', 'new')).rejects.toMatchObject({ code: 'conflict' });
    expect(readFileSync(join(outside.path, 'kept.txt'), 'utf8')).toBe('kept');
  });
});
