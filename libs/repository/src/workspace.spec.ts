import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  chmodSync,
  readdirSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packRepository } from './pack.js';
import { BundleShelf } from './testing/bundle-shelf.js';
import { commitAll, makeRepository, removeAll, userGit, writeFiles } from './testing/sample-git.js';
import { treeChanges, treeDigest } from './testing/tree-digest.js';

let root: string;
let shelf: BundleShelf;
beforeEach(() => {
  root = makeRepository([
    ['README.md', '# Sample\n'],
    ['src/a.ts', 'export const a = 1;\n'],
  ]);
  shelf = new BundleShelf();
});
afterEach(() => {
  shelf.remove();
  removeAll(root);
});

/** The tree of a folder without `.git`, times left out. */
async function contents(folder: string): Promise<Map<string, string>> {
  const all = await treeDigest(folder);
  return new Map(
    [...all]
      .filter(([path]) => path !== '.git' && !path.startsWith('.git/'))
      .map(([path, value]) => [path, value.replace(/ \d+ /, ' ')]),
  );
}

describe('a packed repository', () => {
  it('arrives as it is, byte for byte, and leaves the user nothing', async () => {
    writeFiles(root, [
      ['crlf.txt', 'one\r\ntwo\r\n'],
      ['mixed.txt', 'one\r\ntwo\n'],
      ['.gitattributes', '* text=auto eol=crlf ident filter=evil working-tree-encoding=UTF-16\n*.bin -text\n'],
      ['ident.txt', '$Id$\n'],
      ['with space', 'x'],
      ['quote"and\\slash', 'x'],
      ['new\nline', 'x'],
      [Buffer.from([0x66, 0xff, 0xfe]), 'x'],
      [Buffer.from([0xe4, 0x2f, 0xf6]), 'x'],
      ['binary', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7) % 256))],
      ['empty', ''],
    ]);
    writeFiles(root, [['run.sh', '#!/bin/sh\n']]);
    chmodSync(join(root, 'run.sh'), 0o755);
    symlinkSync('/etc/passwd', join(root, 'outside'));
    symlinkSync('README.md', join(root, 'inside'));
    // Recorded as it lies there: attributes must not change it on its way into the commit.
    writeFileSync(join(root, '.git/info/attributes'), '* -text !eol -ident -filter !working-tree-encoding\n');
    commitAll(root, 'Odd');
    const before = await treeDigest(root);
    const { ref } = await shelf.submit(root);
    expect(treeChanges(before, await treeDigest(root))).toEqual([]);

    const workspace = await shelf.cache().workspace(ref);
    expect(await contents(workspace.path)).toEqual(await contents(root));
    expect(existsSync(join(workspace.path, '.git'))).toBe(false);
    const files = await workspace.listFiles();
    expect(files.filter(({ utf8 }) => !utf8).map(({ bytes }) => [...bytes])).toEqual([
      [0x66, 0xff, 0xfe],
      [0xe4, 0x2f, 0xf6],
    ]);
    expect(files.find(({ path }) => path === 'run.sh')?.kind).toBe('executable');
    expect(files.find(({ path }) => path === 'new\nline')).toMatchObject({ kind: 'file', size: 1, utf8: true });
    await workspace.dispose();
    expect(shelf.leftovers()).toEqual([]);
  });

  it('holds one commit without history, and its boundary only where there is one', async () => {
    const { ref: first } = await shelf.submit(root);
    expect(first.shallow).toEqual([]);
    writeFiles(root, [['secret.txt', 'removed later']]);
    commitAll(root, 'Second');
    const removed = userGit(root, ['rev-parse', 'HEAD:secret.txt']);
    unlinkSync(join(root, 'secret.txt'));
    const third = commitAll(root, 'Third');
    const { ref, packed } = await shelf.submit(root);
    expect(ref).toMatchObject({ commit: third, base: third, shallow: [third] });
    expect(packed.notices).toEqual([]);
    const workspace = await shelf.cache().workspace(ref);
    expect(userGit(workspace.gitDir, ['rev-list', '--all', third]).split('\n')).toEqual([third]);
    expect(() => userGit(workspace.gitDir, ['cat-file', '-e', removed])).toThrow();
    expect(userGit(workspace.gitDir, ['cat-file', '-t', third])).toBe('commit');
  });

  it('may be asked for with paths relative to this process', async () => {
    const here = (path: string): string => relative(process.cwd(), path);
    const { packed, ref } = await shelf.submit(here(root));
    const again = await packRepository(here(root), { outFile: here(shelf.file('again')) });
    expect(existsSync(shelf.file('again'))).toBe(true);
    expect(again.commit).toBe(packed.commit);
    const workspace = await shelf.cache({ root: here(join(shelf.folder, 'cache')) }).workspace(ref);
    expect((await workspace.safeRead('README.md')).toString()).toBe('# Sample\n');
  });

  it('is the named ref, whatever is checked out', async () => {
    userGit(root, ['branch', 'old']);
    writeFiles(root, [['README.md', 'new']]);
    commitAll(root, 'Second');
    const { ref } = await shelf.submit(root, 'old');
    const workspace = await shelf.cache().workspace(ref);
    expect(readFileSync(join(workspace.path, 'README.md'), 'utf8')).toBe('# Sample\n');
  });

  it.each([
    ['a shallow clone', (clone: string) => userGit(root, ['clone', '--quiet', '--depth=1', `file://${root}`, clone])],
    ['a linked worktree', (clone: string) => userGit(root, ['worktree', 'add', '--quiet', '-b', 'side', clone])],
    ['a clone with alternates', (clone: string) => userGit(root, ['clone', '--quiet', '--shared', root, clone])],
  ])('can be %s', async (_, make) => {
    writeFiles(root, [['b', 'b']]);
    const commit = commitAll(root, 'Second');
    const clone = join(shelf.folder, 'clone');
    make(clone);
    const { ref } = await shelf.submit(clone);
    expect(ref.commit).toBe(commit);
    const workspace = await shelf.cache().workspace(ref);
    expect(await contents(workspace.path)).toEqual(await contents(root));
  });

  it('can be of SHA-256', async () => {
    const other = makeRepository([['a', 'a']], ['--object-format=sha256']);
    writeFiles(other, [['b', 'b']]);
    commitAll(other, 'Second');
    const { ref } = await shelf.submit(other);
    const workspace = await shelf.cache().workspace(ref);
    expect(await contents(workspace.path)).toEqual(await contents(other));
    removeAll(other);
  });

  it('leaves no half-written bundle where objects are missing', async () => {
    const tree = userGit(root, ['rev-parse', 'HEAD:src']);
    unlinkSync(join(root, '.git/objects', tree.slice(0, 2), tree.slice(2)));
    await expect(packRepository(root, { outFile: shelf.file('x') })).rejects.toMatchObject({
      code: 'invalid_repository',
    });
    expect(readdirSync(shelf.folder)).toEqual([]);
  });
});

describe('a workspace', () => {
  it('reads files and links inside, and refuses what leads out', async () => {
    symlinkSync('/etc/passwd', join(root, 'outside'));
    symlinkSync('/etc', join(root, 'updir'));
    symlinkSync('README.md', join(root, 'inside'));
    symlinkSync('loop', join(root, 'loop'));
    commitAll(root, 'Links');
    const { ref } = await shelf.submit(root);
    const workspace = await shelf.cache().workspace(ref);
    expect(readlinkSync(join(workspace.path, 'outside'))).toBe('/etc/passwd');
    expect((await workspace.safeRead('inside')).toString()).toBe('# Sample\n');
    expect((await workspace.safeRead(Buffer.from('src/a.ts'))).toString()).toBe('export const a = 1;\n');
    for (const path of ['outside', 'updir/passwd', '../git/HEAD', 'loop', 'src']) {
      await expect(workspace.safeRead(path), path).rejects.toMatchObject({ code: 'forbidden' });
    }
    await expect(workspace.safeRead('none')).rejects.toMatchObject({ code: 'not_found' });
    await expect(workspace.safeRead('/etc/passwd')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(workspace.safeRead('README.md', 3)).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  it('writes files inside, and through no link', async () => {
    const target = join(shelf.folder, 'target');
    mkdirSync(target);
    symlinkSync(target, join(root, 'outdir'));
    symlinkSync(join(target, 'file'), join(root, 'outfile'));
    commitAll(root, 'Links');
    const { ref } = await shelf.submit(root);
    const workspace = await shelf.cache().workspace(ref);
    await workspace.safeWrite('new/deep/file.txt', 'hello');
    expect((await workspace.safeRead('new/deep/file.txt')).toString()).toBe('hello');
    for (const path of ['outdir/x', 'outfile', '../x', '.git/hooks/x', 'src']) {
      await expect(workspace.safeWrite(path, 'evil'), path).rejects.toMatchObject({ code: 'forbidden' });
    }
    expect(readdirSync(target)).toEqual([]);
  });

  it('is private: what one does, no other sees, and disposal takes all of it', async () => {
    const { ref } = await shelf.submit(root);
    const cache = shelf.cache();
    const [one, two] = await Promise.all([cache.workspace(ref), cache.workspace(ref)]);
    writeFileSync(join(one.path, 'README.md'), 'changed');
    expect(readFileSync(join(two.path, 'README.md'), 'utf8')).toBe('# Sample\n');
    mkdirSync(join(one.path, 'locked'));
    writeFileSync(join(one.path, 'locked/file'), '');
    chmodSync(join(one.path, 'locked'), 0o500);
    await one.dispose();
    await one.dispose();
    expect(lstatSync(two.path).isDirectory()).toBe(true);
    await two.dispose();
    expect(shelf.leftovers()).toEqual([]);
  });
});
