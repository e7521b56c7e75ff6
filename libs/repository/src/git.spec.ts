import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { git, GitFailure, splitNul } from './git.js';
import { writeGitDir } from './git-dir.js';
import { removeAll, userGit } from './testing/sample-git.js';

let dir: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'devmesh-git-'));
  await writeGitDir(join(dir, 'r.git'), { objectFormat: 'sha1', head: 'ref: refs/heads/none' });
});
afterEach(() => {
  vi.unstubAllEnvs();
  removeAll(dir);
});

const gitDir = (): string => join(dir, 'r.git');

/** Puts a program named git first on PATH. */
function fakeGit(body: string): void {
  const bin = join(dir, 'bin');
  execFileSync('mkdir', ['-p', bin]);
  writeFileSync(join(bin, 'git'), `#!/bin/sh\n${body}\n`);
  chmodSync(join(bin, 'git'), 0o755);
  vi.stubEnv('PATH', `${bin}:${process.env['PATH'] ?? ''}`);
}

describe('git', () => {
  it('passes nothing of the caller on but what it needs', async () => {
    vi.stubEnv('GIT_DIR', '/elsewhere');
    vi.stubEnv('GIT_EXTERNAL_DIFF', '/evil');
    vi.stubEnv('GIT_CONFIG_PARAMETERS', "'core.pager=evil'");
    vi.stubEnv('GIT_OBJECT_DIRECTORY', '/elsewhere');
    vi.stubEnv('https_proxy', 'http://user:password@proxy');
    fakeGit('env');
    const { stdout } = await git(['status'], { gitDir: gitDir() });
    const seen = new Map(
      stdout
        .toString()
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
    );
    expect(seen.get('GIT_DIR')).toBe(gitDir());
    expect(seen.get('GIT_ALLOW_PROTOCOL')).toBe('none');
    expect(seen.get('LC_ALL')).toBe('C');
    for (const name of ['GIT_EXTERNAL_DIFF', 'GIT_CONFIG_PARAMETERS', 'GIT_OBJECT_DIRECTORY', 'https_proxy'])
      expect(seen.has(name)).toBe(false);
    expect(Object.fromEntries(seen)).toMatchObject({
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: 'false',
    });
  });

  it('tells what git said and how it ended', async () => {
    const failed = await git(['cat-file', '-p', 'HEAD'], { gitDir: gitDir() }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(GitFailure);
    expect(failed).toMatchObject({ exitCode: 128, code: 'internal', stderr: expect.stringContaining('HEAD') });
  });

  it('ends a command with all its children when its time is up', async () => {
    fakeGit(`sleep 1000 & echo $! > ${dir}/child; wait`);
    await expect(git(['status'], { gitDir: gitDir(), timeoutMs: 300 })).rejects.toMatchObject({
      code: 'deadline_exceeded',
    });
    const child = Number(execFileSync('cat', [join(dir, 'child')]).toString());
    await vi.waitFor(() =>
      expect(existsSync(`/proc/${child}/cmdline`) && execFileSync('cat', [`/proc/${child}/cmdline`]).length > 0).toBe(
        false,
      ),
    );
  });

  it('ends a command that is cancelled, and begins none that was', async () => {
    fakeGit(`echo started; exec sleep 1000`);
    const controller = new AbortController();
    const running = git(['status'], { gitDir: gitDir(), signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'execution_cancelled' });
    await expect(git(['status'], { gitDir: gitDir(), signal: controller.signal })).rejects.toMatchObject({
      code: 'execution_cancelled',
    });
  });

  it('ends a command that writes more than it may', async () => {
    fakeGit('exec yes');
    await expect(git(['log'], { gitDir: gitDir(), maxBytes: 10_000 })).rejects.toMatchObject({
      code: 'output_too_large',
    });
  });

  it('names a full disk and a missing git', async () => {
    fakeGit('echo "fatal: write error: No space left on device" >&2; exit 128');
    await expect(git(['index-pack'], { gitDir: gitDir() })).rejects.toMatchObject({ code: 'storage_full' });
    vi.stubEnv('PATH', join(dir, 'nothing'));
    await expect(git(['status'], { gitDir: gitDir() })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('install git'),
    });
  });

  it('runs no alias, pager or hook even of its own git directory', async () => {
    const tree = userGit(gitDir(), ['mktree'], '');
    const commit = userGit(gitDir(), ['commit-tree', tree, '-m', 'x']);
    for (const [key, value] of [
      ['core.hooksPath', dir],
      ['core.pager', `touch ${dir}/proof`],
      ['core.fsmonitor', `touch ${dir}/proof`],
    ] as const) {
      userGit(gitDir(), ['config', key, value]);
    }
    writeFileSync(join(dir, 'reference-transaction'), `#!/bin/sh\ntouch ${dir}/proof\n`);
    chmodSync(join(dir, 'reference-transaction'), 0o755);
    await git(['update-ref', 'refs/heads/x', commit], { gitDir: gitDir() });
    await git(['log', 'x'], { gitDir: gitDir() });
    expect(existsSync(join(dir, 'proof'))).toBe(false);
    userGit(gitDir(), ['update-ref', 'refs/heads/y', commit]);
    expect(existsSync(join(dir, 'proof'))).toBe(true);
  });
});

describe('splitNul', () => {
  it('keeps bytes, and what follows the last separator', () => {
    expect(splitNul(Buffer.from([0xff, 0, 0x0a, 0x22, 0])).map((part) => [...part])).toEqual([[0xff], [0x0a, 0x22]]);
    expect(splitNul(Buffer.from('a\0b')).map(String)).toEqual(['a', 'b']);
  });
});
