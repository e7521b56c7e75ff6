import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inspectRepository } from './inspect.js';
import { asOrdinaryUser } from './testing/ordinary-user.js';
import { commitAll, makeRepository, removeAll, userGit, writeFiles } from './testing/sample-git.js';
import { treeChanges, treeDigest } from './testing/tree-digest.js';

const made: string[] = [];
const temporary = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'devmesh-inspect-'));
  made.push(dir);
  return dir;
};
let root: string;
beforeEach(() => {
  root = makeRepository([
    ['README.md', '# Sample\n'],
    ['src/a.ts', 'export const a = 1;\n'],
  ]);
  made.push(root);
});
afterEach(() => removeAll(...made.splice(0)));

/** Inspects, and asserts that nothing of the folder has changed and no view stays. */
async function inspected(path: string, ref?: string): ReturnType<typeof inspectRepository> {
  const before = await treeDigest(path);
  try {
    return await inspectRepository(path, ref);
  } finally {
    expect(treeChanges(before, await treeDigest(path))).toEqual([]);
  }
}

const codes = (found: { notices: readonly { code: string }[] }): string[] => found.notices.map(({ code }) => code);

describe('inspectRepository serves', () => {
  it('a plain repository, from any folder of it', async () => {
    const commit = userGit(root, ['rev-parse', 'HEAD']);
    const found = await inspected(root);
    expect(found).toMatchObject({
      root,
      commit,
      ref: 'main',
      detached: false,
      shallow: false,
      dirty: false,
      fileCount: 2,
      notices: [],
    });
    expect(found.largest).toEqual({ path: 'src/a.ts', size: 20 });
    expect((await inspectRepository(join(root, 'src'))).root).toBe(root);
    expect((await inspectRepository(join(root, '.git'))).root).toBe(root);
  });

  it('branches, packed refs, tags, remote branches, short ids and relatives', async () => {
    const first = userGit(root, ['rev-parse', 'HEAD']);
    userGit(root, ['tag', '-a', '-m', 'v1', 'v1']);
    userGit(root, ['update-ref', 'refs/remotes/origin/other', first]);
    userGit(root, ['pack-refs', '--all']);
    writeFiles(root, [['b', 'b']]);
    const second = commitAll(root, 'Second');
    expect(await inspected(root, 'main')).toMatchObject({ commit: second, ref: 'main' });
    expect(await inspected(root, 'v1')).toMatchObject({ commit: first, ref: 'v1' });
    expect(await inspected(root, 'origin/other')).toMatchObject({ commit: first, ref: 'origin/other' });
    expect(await inspected(root, first.slice(0, 9))).toMatchObject({ commit: first, ref: null });
    expect(await inspected(root, 'main~1')).toMatchObject({ commit: first, ref: null });
  });

  it('a dirty tree, on its HEAD, and says so', async () => {
    writeFiles(root, [
      ['src/a.ts', 'changed'],
      ['untracked.txt', 'x'],
    ]);
    const found = await inspected(root);
    expect(found.dirty).toBe(true);
    expect(found.notices).toEqual([
      {
        code: 'dirty_tree',
        message: expect.stringMatching(/1 uncommitted \(src\/a\.ts\), 1 untracked \(untracked\.txt\)/),
      },
    ]);
  });

  it('a change of the same size at once after the commit', async () => {
    writeFiles(root, [['src/a.ts', 'export const a = 2;\n']]);
    expect((await inspected(root)).dirty).toBe(true);
  });

  it('ignored files and a split index as clean', async () => {
    writeFiles(root, [
      ['.gitignore', 'dist/\n'],
      ['dist/x', 'x'],
    ]);
    commitAll(root, 'Ignore');
    writeFileSync(join(root, '.git', 'info', 'exclude'), 'mine\n');
    writeFiles(root, [['mine', 'x']]);
    for (let i = 0; i < 30; i++) {
      writeFiles(root, [[`many/${i}`, `${i}`]]);
      // Files as young as the index would be kept in both parts.
      utimesSync(join(root, `many/${i}`), 1_600_000_000, 1_600_000_000);
    }
    commitAll(root, 'Many');
    userGit(root, ['config', 'core.splitIndex', 'true']);
    userGit(root, ['update-index', '--split-index']);
    writeFiles(root, [['many/0', 'again']]);
    commitAll(root, 'One of many');
    expect(readdirSync(join(root, '.git')).some((name) => name.startsWith('sharedindex.'))).toBe(true);
    expect(await inspected(root)).toMatchObject({ dirty: false, notices: [] });
  });

  it('line ends as this disk keeps them as clean', async () => {
    userGit(root, ['config', 'core.autocrlf', 'true']);
    unlinkSync(join(root, 'README.md'));
    userGit(root, ['checkout', '--quiet', '.']);
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toBe('# Sample\r\n');
    // Another time stamp, so that only the content can tell.
    utimesSync(join(root, 'README.md'), 1_600_000_000, 1_600_000_000);
    expect((await inspected(root)).dirty).toBe(false);
  });

  it('a damaged index, and says that it could not compare', async () => {
    writeFileSync(join(root, '.git', 'index'), 'nonsense');
    expect((await inspected(root)).notices).toEqual([
      { code: 'dirty_tree', message: expect.stringContaining('could not be compared') },
    ]);
  });

  it('a detached head', async () => {
    userGit(root, ['checkout', '--quiet', '--detach']);
    const found = await inspected(root);
    expect(found).toMatchObject({ detached: true, ref: null, dirty: false });
    expect(codes(found)).toEqual(['detached_head']);
  });

  it('a shallow clone', async () => {
    writeFiles(root, [['b', 'b']]);
    commitAll(root, 'Second');
    const clone = join(temporary(), 'clone');
    userGit(root, ['clone', '--quiet', '--depth=1', `file://${root}`, clone]);
    const found = await inspected(clone);
    expect(found).toMatchObject({ shallow: true, ref: 'main', fileCount: 3 });
    expect(codes(found)).toEqual(['shallow']);
  });

  it('a linked worktree, also of a bare repository', async () => {
    const work = join(temporary(), 'work');
    userGit(root, ['worktree', 'add', '--quiet', '-b', 'side', work]);
    expect(await inspected(work)).toMatchObject({ root: work, ref: 'side', dirty: false });
    const bare = join(temporary(), 'bare.git');
    userGit(root, ['clone', '--quiet', '--bare', root, bare]);
    const ofBare = join(temporary(), 'work');
    userGit(bare, ['worktree', 'add', '--quiet', '-b', 'side2', ofBare]);
    expect(await inspected(ofBare)).toMatchObject({ ref: 'side2', dirty: false });
  });

  it('a submodule as a repository of its own, and leaves those inside a repository alone', async () => {
    const outer = makeRepository([['x', 'x']]);
    made.push(outer);
    userGit(outer, ['-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', root, 'vendor/sub']);
    commitAll(outer, 'Add');
    const found = await inspected(outer);
    expect(found.notices).toEqual([{ code: 'submodules', message: 'submodules are left alone: vendor/sub' }]);
    expect(await inspected(join(outer, 'vendor/sub'))).toMatchObject({ root: join(outer, 'vendor/sub'), ref: 'main' });
  });

  it('LFS pointers, links that leave the tree, odd names and large files, and names them', async () => {
    writeFiles(root, [
      ['art.psd', 'version https://git-lfs.github.com/spec/v1\noid sha256:' + '4'.repeat(64) + '\nsize 12345\n'],
      ['not-a-pointer.txt', 'x'.repeat(130)],
      [Buffer.from([0x6c, 0xe4, 0x6c]), 'latin1 name'],
      ['new\nline "quoted"', 'odd'],
      ['big.bin', Buffer.alloc(10 * 1024 ** 2, 7)],
    ]);
    symlinkSync('../../etc/passwd', join(root, 'src/up'));
    symlinkSync('/etc/passwd', join(root, 'absolute'));
    symlinkSync('../README.md', join(root, 'src/inside'));
    commitAll(root, 'Odd');
    const found = await inspected(root);
    expect(Object.fromEntries(found.notices.map(({ code, message }) => [code, message]))).toEqual({
      lfs_pointers: expect.stringMatching(/: art\.psd$/),
      outside_links: expect.stringMatching(/: absolute, src\/up$/),
      non_utf8_names: expect.stringContaining('"l\ufffdl"'),
      large_files: expect.stringMatching(/: big\.bin$/),
    });
    expect(found.largest).toEqual({ path: 'big.bin', size: 10 * 1024 ** 2 });
  });

  it('objects that lie in alternates, also of odd names', async () => {
    const lines = join(temporary(), 'two\nlines');
    userGit(root, ['clone', '--quiet', '--no-local', root, lines]);
    expect(await inspected(lines)).toMatchObject({ fileCount: 2, dirty: false });
    const odd = join(temporary(), 'a "quoted":name #');
    userGit(root, ['clone', '--quiet', '--no-local', root, odd]);
    const clone = join(temporary(), 'clone');
    userGit(root, ['clone', '--quiet', '--shared', odd, clone]);
    expect(await inspected(clone)).toMatchObject({ fileCount: 2, dirty: false });
    expect(await inspected(odd)).toMatchObject({ fileCount: 2, dirty: false });
  });

  it('a SHA-256 repository', async () => {
    const other = makeRepository([['a', 'a']], ['--object-format=sha256']);
    made.push(other);
    const found = await inspected(other);
    expect(found.commit).toMatch(/^[0-9a-f]{64}$/);
    expect(found.dirty).toBe(false);
  });
});

describe('inspectRepository refuses', () => {
  const refused = async (path: string, message: RegExp, ref?: string): Promise<void> => {
    await expect(inspectRepository(path, ref)).rejects.toMatchObject({
      code: 'invalid_repository',
      message: expect.stringMatching(message),
    });
  };

  it('what is no repository', async () => {
    const plain = temporary();
    await refused(plain, new RegExp(`${plain} is not in a git repository: run "git init"`));
    await refused(join(plain, 'none'), /none does not exist: check the path/);
    writeFileSync(join(plain, 'file'), '');
    await refused(join(plain, 'file'), /file is not a folder/);
    mkdirSync(join(plain, 'w'));
    writeFileSync(join(plain, 'w/.git'), 'gitdir: ../gone\n');
    await refused(join(plain, 'w'), /points to .*gone, which is not a git folder: run "git worktree repair"/);
  });

  it('a bare one', async () => {
    const bare = join(temporary(), 'bare.git');
    userGit(root, ['clone', '--quiet', '--bare', root, bare]);
    await refused(bare, /bare\.git is a bare repository .*: clone it/);
    userGit(root, ['config', 'core.bare', 'true']);
    await refused(root, /marked as a bare repository/);
  });

  it('an empty one, a branch without a commit, a missing ref', async () => {
    const empty = temporary();
    userGit(empty, ['init', '--quiet', '--initial-branch=trunk']);
    await refused(empty, /has no commit yet on its branch "trunk": make a first commit/);
    userGit(root, ['checkout', '--quiet', '--orphan', 'fresh']);
    await refused(root, /no commit yet on its branch "fresh"/);
    await refused(root, /has no branch, tag or commit "nope": see "git branch --all"/, 'nope');
    await refused(root, /is not a name/, '--upload-pack=x');
    await refused(root, /is not a name/, 'a\nb');
    expect((await inspectRepository(root, 'main')).ref).toBe('main');
  });

  it('one whose objects are missing', async () => {
    const blob = userGit(root, ['rev-parse', 'HEAD:src/a.ts']);
    unlinkSync(join(root, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    await refused(root, /lacks objects .*src\/a\.ts.*"git fsck"/);
    userGit(root, ['config', 'remote.origin.promisor', 'true']);
    await refused(root, /is a partial clone .*"git fetch --refetch --no-filter"/);
    rmSync(join(root, '.git/objects'), { recursive: true });
    mkdirSync(join(root, '.git/objects'));
    await refused(root, /is a partial clone and objects are missing \(branch main is at/);
  });

  it('one that this user may not read', async () => {
    const parent = temporary();
    execFileSync('chmod', ['-R', 'a+rX', root, parent]);
    await asOrdinaryUser(async () => expect((await inspectRepository(root)).fileCount).toBe(2));
    execFileSync('chmod', ['0', join(root, '.git/objects')]);
    await asOrdinaryUser(() => refused(root, /objects\S* may not be read: give this user read access/));
    execFileSync('chmod', ['0', root]);
    await asOrdinaryUser(() => refused(root, /may not be read: give this user/));
    execFileSync('chmod', ['-R', 'u+rwX', root]);
  });

  it('formats that it cannot read', async () => {
    userGit(root, ['config', 'core.repositoryformatversion', '1']);
    userGit(root, ['config', 'extensions.frobnicate', 'true']);
    await refused(root, /git extension "frobnicate"/);
  });

  it('pipes in the place of git files, without waiting', async () => {
    unlinkSync(join(root, '.git/config'));
    execFileSync('mkfifo', [join(root, '.git/config')]);
    await refused(root, /config is not a file of at most/);
    unlinkSync(join(root, '.git/config'));
    execFileSync('mkfifo', [join(root, '.git/packed-refs')]);
    await refused(root, /packed-refs is not a regular file/);
  });
});
