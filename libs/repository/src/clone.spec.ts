import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RepositoryRef } from '@devmesh/contracts/repository';
import { cloneRepository, redactUrl, type CloneOptions } from './clone.js';
import { BundleShelf } from './testing/bundle-shelf.js';
import { commandLines, startGitHttpServer, type GitHttpServer } from './testing/git-http-server.js';
import { commitAll, makeRepository, removeAll, userGit, writeFiles } from './testing/sample-git.js';

let root: string;
let outDir: string;
let commit: string;
let server: GitHttpServer | undefined;
beforeEach(() => {
  root = makeRepository([['README.md', '# Sample\n']]);
  writeFiles(root, [['src/a.ts', 'export const a = 1;\n']]);
  commit = commitAll(root, 'Second');
  outDir = mkdtempSync(join(tmpdir(), 'devmesh-clone-'));
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  removeAll(root, outDir);
});

const address = (credentials = ''): string =>
  `${(server?.url ?? '').replace('://', `://${credentials}`)}/${encodeURIComponent(basename(root))}/.git`;

async function refused(url: string, options: Partial<CloneOptions>, code: string, message: RegExp): Promise<void> {
  await expect(cloneRepository(url, { outDir, ...options })).rejects.toMatchObject({
    code,
    message: expect.stringMatching(message),
  });
  expect(readdirSync(outDir)).toEqual([]);
}

describe('cloneRepository', () => {
  it('gives the same shape as packing, which a cache can use', async () => {
    server = await startGitHttpServer({ root: tmpdir() });
    const cloned = await cloneRepository(address(), { outDir });
    expect(cloned).toEqual({
      file: join(outDir, 'repository.bundle'),
      base: commit,
      commit,
      shallow: [commit],
      notices: [],
      fileCount: 2,
      history: undefined,
    });
    expect(readdirSync(outDir)).toEqual(['repository.bundle']);
    const shelf = new BundleShelf();
    const workspace = await shelf
      .cache()
      .workspace(RepositoryRef.parse({ ...cloned, bundles: [shelf.put(cloned.file)] }));
    expect((await workspace.safeRead('src/a.ts')).toString()).toBe('export const a = 1;\n');
    shelf.remove();
  });

  it('tells what led to the commit, of a server that hands out commits without their content', async () => {
    userGit(root, ['config', 'uploadpack.allowFilter', 'true']);
    userGit(root, ['tag', 'v1.0.0', 'HEAD~1']);
    server = await startGitHttpServer({ root: tmpdir() });
    const { history } = await cloneRepository(address(), { outDir });
    expect(history).toEqual({
      version: 1,
      complete: true,
      commits: [
        { commit, at: 1_700_000_000_000, title: 'Second', tags: [], isMerge: false, byMesh: false },
        expect.objectContaining({ title: 'First', tags: ['v1.0.0'] }),
      ],
    });
  });

  it('takes a branch, a tag or a commit', async () => {
    server = await startGitHttpServer({ root: tmpdir() });
    const first = userGit(root, ['rev-parse', 'HEAD~1']);
    userGit(root, ['branch', 'old', first]);
    userGit(root, ['tag', '-a', '-m', 'v1', 'v1', first]);
    for (const ref of ['old', 'v1', first]) {
      expect(await cloneRepository(address(), { outDir, ref }), ref).toMatchObject({
        commit: first,
        shallow: [],
        fileCount: 1,
      });
    }
  });

  it('takes SHA-256 repositories, and files where they are allowed', async () => {
    const other = makeRepository([['a', 'a']], ['--object-format=sha256']);
    expect((await cloneRepository(`file://${other}`, { outDir, allowProtocols: ['file'] })).commit).toMatch(
      /^[0-9a-f]{64}$/,
    );
    removeAll(other);
  });

  it('uses a password of the URL and shows it nowhere', async () => {
    server = await startGitHttpServer({ root: tmpdir(), user: 'me', password: 's3:cret@' });
    const seen: string[] = [];
    const timer = setInterval(() => seen.push(...commandLines()), 5);
    const cloned = await cloneRepository(address('me:s3%3Acret%40@'), { outDir }).finally(() => clearInterval(timer));
    expect(cloned.commit).toBe(commit);
    expect(seen.filter((line) => line.includes('s3%3A') || line.includes('s3:cret'))).toEqual([]);
    const error = await cloneRepository(address('me:wr0ng@'), { outDir: join(outDir, 'second') }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'clone_failed', message: expect.stringContaining('asks for a password') });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/wr0ng|d3Iwbmc/);
  });

  it('refuses a URL that asks for a password, with the cure', async () => {
    server = await startGitHttpServer({ root: tmpdir(), user: 'me', password: 'x' });
    await refused(
      address(),
      {},
      'clone_failed',
      /^http:\/\/127\S+ asks for a password or key, .*: give a URL with a token, .*or clone it yourself/,
    );
  });

  it('ends a URL that hangs, with every process', async () => {
    server = await startGitHttpServer();
    const { url } = server;
    await refused(address(), { timeoutMs: 500 }, 'clone_timeout', /did not answer completely within 500 ms: check/);
    await vi.waitFor(() => expect(commandLines().filter((line) => line.includes(url))).toEqual([]));
  });

  it('ends when it is cancelled', async () => {
    server = await startGitHttpServer();
    const controller = new AbortController();
    const { requests } = server;
    const running = refused(address(), { signal: controller.signal }, 'execution_cancelled', /cancelled/);
    await vi.waitFor(() => expect(requests.length).toBeGreaterThan(0));
    controller.abort();
    await running;
  });

  it('refuses refs that are not there and repositories without a commit', async () => {
    server = await startGitHttpServer({ root: tmpdir() });
    await refused(address(), { ref: 'nope' }, 'invalid_repository', /has no branch, tag or commit "nope"/);
    await refused(address(), { ref: '--upload-pack=x' }, 'invalid_repository', /is not a name/);
    const empty = mkdtempSync(join(tmpdir(), 'devmesh-empty-'));
    userGit(empty, ['init', '--quiet']);
    await refused(`${server.url}/${basename(empty)}/.git`, {}, 'invalid_repository', /is empty: push a first commit/);
    removeAll(empty);
    await refused(`${server.url}/none`, {}, 'clone_failed', /can't be cloned: .*check the address/s);
  });

  it.each([
    ['/etc', /file is not among the allowed protocols/],
    ['../x', /file is not among the allowed protocols/],
    ['file:///etc', /file is not among/],
    ['git://host/x', /git is not among/],
    ['ftp://host/x', /ftp is not among/],
    ['ext::sh -c true', /helper program/],
    ['https://ho st/x', /not a valid URL/],
    ['--upload-pack=true', /not a URL/],
    ['https://host/a\nb', /not a URL/],
    ['ssh://me:secret@host/x', /^ssh:\/\/host\/x can't be cloned: a password in a URL of ssh is not used/],
    ['', /not a URL/],
  ])('refuses %j', async (url, message) => {
    await refused(url, {}, 'clone_failed', message);
  });

  it('redacts every form of a URL', () => {
    expect(redactUrl('https://user:p@ss@host/x@y')).toBe('https://host/x@y');
    expect(redactUrl('user@host:path')).toBe('host:path');
    expect(redactUrl('/a/b@c')).toBe('/a/b@c');
  });
});
