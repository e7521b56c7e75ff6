import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pushBranch, remoteBranch } from './push.js';
import { commandLines, serveGit } from './testing/git-http-server.js';
import { makeRepository, removeAll, userGit } from './testing/sample-git.js';

let folder = '';
let bare = '';
let work = '';
let base = '';
let made = '';
const TOKEN = 'Bearer token-of-a-test';
const seen: (string | undefined)[] = [];

const server = createServer((request, response) => {
  seen.push(request.headers.authorization);
  if (request.headers.authorization !== TOKEN) response.writeHead(401, { 'www-authenticate': 'Basic realm="t"' }).end();
  else serveGit(folder, request, response, true);
});
let url = '';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/shop.git`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
  if (work !== '') removeAll(work);
  folder = mkdtempSync(join(tmpdir(), 'push-'));
  bare = join(folder, 'shop.git');
  work = makeRepository([['a.txt', 'one\n']]);
  base = userGit(work, ['rev-parse', 'HEAD']);
  execFileSync('git', ['clone', '--quiet', '--bare', work, bare]);
  userGit(work, ['commit', '--quiet', '--allow-empty', '-m', 'change']);
  made = userGit(work, ['rev-parse', 'HEAD']);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  removeAll(work);
});

const remote = () => ({ url, authorization: TOKEN, allowProtocols: ['http', 'file'] });
const gitDir = () => join(work, '.git');
const at = (branch: string) => remoteBranch(remote(), { gitDir: gitDir(), branch, timeoutMs: 10_000 });
const push = (over: object = {}) =>
  pushBranch(remote(), {
    gitDir: gitDir(),
    commit: made,
    branch: 'devmesh/x',
    expected: null,
    timeoutMs: 10_000,
    ...over,
  });

describe('a push', () => {
  it('makes one branch, and moves it only from where it was left', async () => {
    expect(await at('devmesh/x')).toBeNull();
    await push();
    expect(await at('devmesh/x')).toBe(made);
    await push({ expected: made });
    await push({ commit: base, expected: made });
    expect(await at('devmesh/x')).toBe(base);
    expect(
      execFileSync('git', ['-C', bare, 'for-each-ref', '--format=%(refname)']).toString().split('\n').sort(),
    ).toEqual(['', 'refs/heads/devmesh/x', 'refs/heads/main'].sort());
  });

  it('is refused by the remote when somebody else was there, and changes nothing', async () => {
    execFileSync('git', ['-C', bare, 'branch', 'devmesh/x', base]);
    await expect(push()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('absent') as string,
    });
    await expect(push({ expected: made })).rejects.toMatchObject({ code: 'conflict' });
    expect(await at('devmesh/x')).toBe(base);
  });

  it('of a checkout of one commit reaches a remote that has moved on', async () => {
    const other = makeRepository([['b.txt', 'x\n']]);
    const shallow = join(folder, 'shallow');
    execFileSync('git', ['clone', '--quiet', '--depth=1', `file://${bare}`, shallow]);
    userGit(shallow, [
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@example.org',
      'commit',
      '--quiet',
      '--allow-empty',
      '-m',
      'mine',
    ]);
    const mine = userGit(shallow, ['rev-parse', 'HEAD']);
    execFileSync('git', ['-C', work, 'push', '--quiet', bare, 'HEAD:main']);
    await pushBranch(remote(), {
      gitDir: join(shallow, '.git'),
      commit: mine,
      branch: 'devmesh/y',
      expected: null,
      timeoutMs: 20_000,
    });
    expect(await at('devmesh/y')).toBe(mine);
    removeAll(other);
  });

  it('shows its token to the remote alone', async () => {
    seen.length = 0;
    let lines: string[] = [];
    const watch = setInterval(() => (lines = [...lines, ...commandLines()]), 5);
    await push();
    clearInterval(watch);
    expect(seen).toContain(TOKEN);
    expect(lines.filter((line) => line.includes('token-of-a-test'))).toEqual([]);
  });

  it('says what is wrong: nobody let in, no remote, a protocol that is not allowed', async () => {
    const options = { gitDir: gitDir(), commit: made, branch: 'b', expected: null, timeoutMs: 10_000 };
    await expect(pushBranch({ ...remote(), authorization: 'Bearer wrong' }, options)).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('token') as string,
    });
    await expect(pushBranch({ ...remote(), url: 'http://127.0.0.1:9/x.git' }, options)).rejects.toMatchObject({
      code: 'unavailable',
    });
    await expect(pushBranch({ url }, options)).rejects.toMatchObject({ code: 'forbidden' });
  });
});
