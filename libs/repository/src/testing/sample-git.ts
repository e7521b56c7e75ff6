import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const IDENTITY = {
  GIT_AUTHOR_NAME: 'A Developer',
  GIT_AUTHOR_EMAIL: 'dev@example.com',
  GIT_AUTHOR_DATE: '@1700000000 +0000',
  GIT_COMMITTER_NAME: 'A Developer',
  GIT_COMMITTER_EMAIL: 'dev@example.com',
  GIT_COMMITTER_DATE: '@1700000000 +0000',
};

/** Plain git as a user runs it, with a fixed identity and time and no settings of the machine. Returns what it printed, trimmed. */
export function userGit(cwd: string, args: readonly string[], input?: Buffer | string): string {
  return execFileSync('git', args, {
    cwd,
    input,
    maxBuffer: 256 * 1024 ** 2,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      LC_ALL: 'C',
      ...IDENTITY,
    },
  })
    .toString()
    .trim();
}

/** A new folder with a repository on branch `main`, each item of `files` written and committed. Names may be bytes. */
export function makeRepository(
  files: Iterable<readonly [string | Buffer, string | Buffer]>,
  init: readonly string[] = [],
): string {
  const root = mkdtempSync(join(tmpdir(), 'devmesh test '));
  userGit(root, ['init', '--quiet', '--initial-branch=main', ...init]);
  writeFiles(root, files);
  commitAll(root, 'First');
  return root;
}

export function writeFiles(root: string, files: Iterable<readonly [string | Buffer, string | Buffer]>): void {
  for (const [name, content] of files) {
    const path = Buffer.concat([Buffer.from(`${root}/`), typeof name === 'string' ? Buffer.from(name) : name]);
    mkdirSync(Buffer.from(dirname(path.toString('latin1')), 'latin1'), { recursive: true });
    writeFileSync(path, content);
  }
}

export function commitAll(root: string, message: string): string {
  userGit(root, ['add', '--all']);
  userGit(root, ['commit', '--quiet', '--allow-empty', '--no-verify', '-m', message]);
  return userGit(root, ['rev-parse', 'HEAD']);
}

/** Adds a commit of `count` small files to `main` through `git fast-import`: a second for 20,000. */
export function importManyFiles(root: string, count: number): string {
  const lines = [
    `commit refs/heads/main\ncommitter A Developer <dev@example.com> 1700000001 +0000\ndata 4\nMany\nfrom refs/heads/main^0\n`,
  ];
  for (let i = 0; i < count; i++) {
    const content = `export const value${i} = ${i};\n`;
    lines.push(`M 100644 inline src/d${i % 200}/f${i}.ts\ndata ${content.length}\n${content}\n`);
  }
  userGit(root, ['fast-import', '--quiet'], lines.join(''));
  userGit(root, ['reset', '--quiet', '--hard', 'main']);
  return userGit(root, ['rev-parse', 'HEAD']);
}

const HOOKS = [
  'post-checkout',
  'pre-commit',
  'post-commit',
  'reference-transaction',
  'post-index-change',
  'pre-auto-gc',
  'fsmonitor-watchman',
  'post-merge',
  'pre-push',
  'update',
];

/**
 * Makes a repository hostile: every setting, hook and attribute by which git can be led to run a program gets one that leaves a file in the folder
 * returned. The folder is empty as long as nothing of the repository ran.
 */
export function makeHostile(root: string): string {
  const proofs = mkdtempSync(join(tmpdir(), 'devmesh-proofs-'));
  const script = (name: string): string => {
    const file = join(root, '.git', `evil-${name}.sh`);
    writeFileSync(file, `#!/bin/sh\necho ran >> '${proofs}/${name}'\ncat\n`);
    chmodSync(file, 0o755);
    return `"${file}"`;
  };
  const settings: readonly (readonly [string, string])[] = [
    ['core.fsmonitor', script('fsmonitor')],
    ['core.sshCommand', script('sshCommand')],
    ['core.gitProxy', script('gitProxy')],
    ['core.pager', script('pager')],
    ['core.editor', script('editor')],
    ['core.askPass', script('askPass').slice(1, -1)],
    ['core.alternateRefsCommand', script('alternateRefs')],
    ['core.hooksPath', join(root, '.git', 'evil-hooks')],
    ...['status', 'bundle', 'rev-parse', 'ls-tree', 'read-tree', 'update-ref', 'config', 'st'].map(
      (verb) => [`alias.${verb}`, `!${script(`alias-${verb}`)}`] as const,
    ),
    ...['smudge', 'clean'].map((kind) => [`filter.evil.${kind}`, script(`filter-${kind}`)] as const),
    ['filter.evilprocess.process', script('filter-process')],
    ['filter.lfs.smudge', script('lfs-smudge')],
    ['filter.lfs.clean', script('lfs-clean')],
    ['diff.external', script('diff-external')],
    ['diff.evil.command', script('diff-command')],
    ['diff.evil.textconv', script('diff-textconv')],
    ['merge.evil.driver', script('merge-driver')],
    ['uploadpack.packObjectsHook', script('packObjectsHook')],
    ['credential.helper', `!${script('credential')}`],
    ['gpg.program', script('gpg')],
    ['commit.gpgSign', 'true'],
    ['log.showSignature', 'true'],
    ['sequence.editor', script('sequence-editor')],
    ['pager.status', script('pager-status')],
    ['protocol.ext.allow', 'always'],
    ['url.ext::sh -c touch% /nowhere.insteadOf', 'https://'],
    ['remote.origin.url', 'ext::sh -c true'],
    ['remote.origin.uploadpack', script('remote-uploadpack')],
    ['remote.origin.vcs', 'evil'],
    ['remote.origin.promisor', 'true'],
    ['trailer.sign.command', script('trailer')],
    ['interactive.diffFilter', script('diffFilter')],
  ];
  for (const [key, value] of settings)
    userGit(root, ['-c', 'core.fsmonitor=false', 'config', '--file', join(root, '.git', 'config'), key, value]);
  const included = join(root, '.git', 'included-config');
  writeFileSync(included, `[core]\n\tfsmonitor = ${JSON.stringify(script('include'))}\n`);
  userGit(root, ['config', '--file', join(root, '.git', 'config'), '--add', 'include.path', included]);
  for (const folder of ['evil-hooks', 'hooks']) {
    mkdirSync(join(root, '.git', folder), { recursive: true });
    for (const hook of HOOKS) {
      const file = join(root, '.git', folder, hook);
      writeFileSync(file, `#!/bin/sh\necho ran >> '${proofs}/${folder}-${hook}'\n`);
      chmodSync(file, 0o755);
    }
  }
  mkdirSync(join(root, '.git', 'info'), { recursive: true });
  writeFileSync(
    join(root, '.git', 'info', 'attributes'),
    '* filter=evil diff=evil merge=evil\n*.md filter=evilprocess\n',
  );
  return proofs;
}

/** Names of the programs that ran, by their proof files. */
export function proofsLeft(proofs: string): string[] {
  return readdirSync(proofs).sort();
}

export function removeAll(...folders: readonly string[]): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
