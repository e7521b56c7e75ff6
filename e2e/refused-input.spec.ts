import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startGitHttpServer } from '@devmesh/repository/testing/git-http-server';
import { makeRepository, removeAll, userGit } from '@devmesh/repository/testing/sample-git';
import { treeChanges, treeDigest } from '@devmesh/repository/testing/tree-digest';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { DEFECT, refuse, serve } from './support/cases.js';
import { Devmesh, type RunResult } from './support/devmesh.js';
import { fullDisk } from './support/faults.js';
import { processesOf } from './support/leftovers.js';

let devmesh: Devmesh;
const made: string[] = [];
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  devmesh = await Devmesh.make(inject('clone'), {
    DEVMESH_CLONE_PROTOCOLS: '["http","file"]',
    DEVMESH_CLONE_TIMEOUT_MS: '1500',
  });
  expect(await devmesh.run(['up', '--quiet'])).toEqual({ code: 0, stdout: '', stderr: '' });
});

afterEach(async () => {
  removeAll(...made.splice(0));
  await Promise.all(closers.splice(0).map((close) => close()));
});

afterAll(async () => {
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  expect(left).toEqual([]);
});

function repositoryOf(...files: (readonly [string, string])[]): string {
  const repository = makeRepository([['src/token.ts', DEFECT], ...files]);
  made.push(repository);
  return repository;
}

function folderOf(name: string): string {
  const folder = join(devmesh.folder, name);
  mkdirSync(folder);
  made.push(folder);
  return folder;
}

describe('a repository', () => {
  it('that is none', async () => {
    const folder = folderOf('just a folder');
    writeFileSync(join(folder, 'a.ts'), DEFECT);
    const says = [`${folder} is not in a git repository`, 'run "git init" and commit there'];
    await refuse(devmesh, ['run', '--repo', folder], { exitCode: 2, code: 'invalid_repository', says }, { folder });
  });

  it('that is not there', async () => {
    const path = join(devmesh.folder, 'nowhere');
    const says = [path, 'does not exist: check the path'];
    await refuse(devmesh, ['run', '--repo', path], { exitCode: 2, code: 'invalid_repository', says });
  });

  it('that is bare', async () => {
    const bare = join(devmesh.folder, 'bare.git');
    made.push(bare);
    userGit(devmesh.folder, ['clone', '--quiet', '--bare', repositoryOf(), bare]);
    const says = [bare, 'is a bare repository', `git clone`, 'and give the clone'];
    await refuse(devmesh, ['run', '--repo', bare], { exitCode: 2, code: 'invalid_repository', says }, { folder: bare });
  });

  it('that has no commit yet', async () => {
    const empty = folderOf('empty');
    userGit(empty, ['init', '--quiet', '--initial-branch=main']);
    const says = [empty, 'has no commit yet on its branch "main"', 'make a first commit'];
    await refuse(
      devmesh,
      ['run', '--repo', empty],
      { exitCode: 2, code: 'invalid_repository', says },
      { folder: empty },
    );
  });

  it('on a branch that has no commit yet', async () => {
    const repository = repositoryOf();
    userGit(repository, ['switch', '--quiet', '--orphan', 'unborn']);
    const says = ['has no commit yet on its branch "unborn"', 'or name a ref that has one'];
    await refuse(
      devmesh,
      ['run', '--repo', repository],
      { exitCode: 2, code: 'invalid_repository', says },
      { folder: repository },
    );
  });

  it('without the ref that is asked for', async () => {
    const repository = repositoryOf();
    const says = [repository, 'has no branch, tag or commit "v9"', 'git branch --all'];
    await refuse(
      devmesh,
      ['run', '--repo', repository, '--ref', 'v9'],
      { exitCode: 2, code: 'invalid_repository', says },
      { folder: repository },
    );
  });
});

describe('a repository by URL', () => {
  const tries = async (url: string, exitCode: number, code: string, says: readonly string[]): Promise<void> => {
    await refuse(devmesh, ['run', '--repo', url], { exitCode, code, says });
  };

  it('that hangs', async () => {
    const server = await startGitHttpServer();
    closers.push(() => server.close());
    await tries(`${server.url}/shop.git`, 1, 'clone_timeout', [
      `${server.url}/shop.git`,
      'did not answer completely within 1500 ms',
      'allow more time',
    ]);
    expect(server.requests.length).toBeGreaterThan(0);
  });

  it('that asks for a password', async () => {
    const server = await startGitHttpServer({ root: repositoryOf(), user: 'dev', password: 'a-real-password' });
    closers.push(() => server.close());
    await tries(`${server.url}/.git`, 2, 'clone_failed', [
      `${server.url}/.git asks for a password or key`,
      'give a URL with a token',
    ]);
    const wrong = new URL(`${server.url}/.git`);
    wrong.username = 'dev';
    wrong.password = 'guessed-in-vain';
    await tries(wrong.href, 2, 'clone_failed', ['asks for a password or key']);
    expect(devmesh.heard.join('\n')).not.toContain('guessed-in-vain');
  });

  it('that nobody answers at, and one of a protocol that is not allowed', async () => {
    await tries('http://127.0.0.1:9/shop.git', 2, 'clone_failed', ["http://127.0.0.1:9/shop.git can't be cloned"]);
    await tries('ssh://git@127.0.0.1/shop.git', 2, 'clone_failed', ['ssh']);
  });

  it('is served when it answers, and handed over as a bundle', async () => {
    const server = await startGitHttpServer({ root: repositoryOf() });
    closers.push(() => server.close());
    const said = await devmesh.json<RunResult>(['run', '--repo', `${server.url}/.git`]);
    expect(said).toMatchObject({ code: 0, data: { run: { verdict: 'passed' }, delivered: { branch: null } } });
    const text = await devmesh.run(['show', said.data.run.id, '--fetch']);
    expect(text.stdout).toMatch(/^ {2}bundle {4}\/.*git fetch it: devmesh\//m);
  });
});

describe('a task, a workflow, a key', () => {
  it('2 MB of task', async () => {
    const repository = repositoryOf();
    const input = 'Fix it. '.repeat(262_144);
    const says = ['the task has 2.0 MB', 'a task has at most 1.0 MB', 'shorten it'];
    await refuse(
      devmesh,
      ['run', '--repo', repository, '-'],
      { exitCode: 2, code: 'payload_too_large', says },
      { input, folder: repository },
    );
    const reply = await devmesh.request('/v1/runs', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ task: input }),
    });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ code: 'invalid_request', errors: [{ pointer: '/task' }] });
  });

  it.each([
    {
      about: 'a cycle',
      steps: [
        '  - { id: a, action: code-review/review, needs: b }',
        '  - { id: b, action: code-review/review, needs: a }',
      ],
      says: ['line 3, column 5: ', 'a -> b -> a'],
    },
    {
      about: 'an unknown action',
      steps: ['  - { id: a, action: code-review/dance }'],
      says: ['line 3, column 14: ', 'code-review/dance', 'use one of'],
    },
    {
      about: 'an unknown agent',
      steps: ['  - agent: dancer'],
      says: ['line 3, column 5: ', 'dancer', 'use one of'],
    },
    {
      about: 'an unbounded loop',
      steps: [
        '  - { id: a, action: feature-dev/implement }',
        '  - id: b',
        '    action: code-review/review',
        '    needs: a',
        '    on_rejection: { action: retry, target: a }',
      ],
      says: ['line 7, column 5: ', 'max_attempts', '1 to 100'],
    },
    { about: 'what is no YAML', steps: ['  - { id: a'], says: ['line ', 'column '] },
  ])('a workflow with $about, told by line and column', async ({ steps, says }) => {
    const repository = repositoryOf();
    const file = join(devmesh.folder, 'mine.yaml');
    made.push(file);
    writeFileSync(file, ['name: mine', 'steps:', ...steps, ''].join('\n'));
    await refuse(
      devmesh,
      ['run', '--repo', repository, '--workflow', file],
      { exitCode: 2, code: 'invalid_workflow', says: [file, ...says] },
      { folder: repository },
    );
  });

  it('a workflow that there is not', async () => {
    const says = ['there is no workflow delivery', 'use one of deliver-pr, deliver, feature_implementation, review'];
    await refuse(devmesh, ['run', '--repo', repositoryOf(), '--workflow', 'delivery'], {
      exitCode: 2,
      code: 'invalid_workflow',
      says,
    });
  });

  it('a wrong key', async () => {
    const repository = repositoryOf();
    await refuse(
      devmesh,
      ['run', '--repo', repository],
      { exitCode: 1, code: 'unauthenticated', says: ['API key'] },
      { folder: repository, env: { DEVMESH_API_KEY: `dm_${'0'.repeat(43)}` } },
    );
    expect(devmesh.heard.join('\n')).not.toContain('0'.repeat(43));
  });
});

describe('a data folder', () => {
  /** The environment of a mesh beside the one that is up. */
  const beside = (home: string, portBase = devmesh.portBase): Record<string, string> => ({
    DEVMESH_HOME: home,
    DEVMESH_PORT_BASE: String(portBase),
  });

  it('of a newer version', async () => {
    const home = folderOf('newer');
    writeFileSync(join(home, 'version'), '99\n');
    const says = [home, 'was made by a newer Devmesh (its format is 99', 'update this clone, or set DEVMESH_HOME'];
    for (const args of [['up'], ['run'], ['down'], ['runs']])
      await refuse(devmesh, args, { exitCode: 1, code: 'conflict', says }, { env: beside(home), folder: home });
  });

  it('on a disk without space', async () => {
    const home = join(devmesh.folder, 'full');
    const says = [`no space left for the data folder ${home}`, 'free some, or set DEVMESH_HOME'];
    const env = { ...beside(home), ...fullDisk(home) };
    await refuse(devmesh, ['run'], { exitCode: 1, code: 'storage_full', says }, { env });
  });

  it('that may not be written by who calls', async () => {
    const home = folderOf('not mine');
    chmodSync(home, 0o555);
    const says = [`may not write to the data folder ${home}`, 'run this as the folder', 'or set DEVMESH_HOME'];
    const ordinary = process.geteuid?.() === 0 ? { uid: 65_534 } : {};
    await refuse(
      devmesh,
      ['run'],
      { exitCode: 1, code: 'forbidden', says },
      { env: beside(home), folder: home, ...ordinary },
    );
  });

  it('whose ports are taken: by whom, and which are free', async () => {
    const home = join(devmesh.folder, 'second');
    made.push(home);
    const said = await refuse(
      devmesh,
      ['up', '--quiet'],
      {
        exitCode: 1,
        code: 'conflict',
        says: [
          `port ${devmesh.portBase} on 127.0.0.1 (for gateway, held by process `,
          'choose other ports with --port-base ',
        ],
      },
      { env: beside(home) },
    );
    expect(said.stderr).toContain('are taken');
  });

  it('that is up is not started a second time on other ports', async () => {
    const says = ['the mesh is up already', `./devmesh down`];
    await refuse(devmesh, ['up', '--port-base', '9900'], { exitCode: 1, code: 'conflict', says });
  });
});

describe('a result that can not be brought home', () => {
  it('for want of space: nothing of the repository changes, and it is fetched when there is some', async () => {
    const repository = repositoryOf();
    const before = await treeDigest(repository);
    const said = await devmesh.run(['run', '--repo', repository], { env: fullDisk(join(repository, '.git')) });
    expect(said.code).toBe(1);
    expect(said.stderr).toMatch(/no space left[^]*\[storage_full\]\n$/);
    expect(treeChanges(before, await treeDigest(repository))).toEqual([]);
    const fetched = await devmesh.json<RunResult>(['show', 'last', '--fetch']);
    expect(fetched.data.delivered?.branch).toBe(`devmesh/${fetched.data.run.id}`);
    expect(userGit(repository, ['rev-parse', `devmesh/${fetched.data.run.id}`])).toBe(fetched.data.run.result?.commit);
  });
});

describe('an ordinary user', () => {
  it('has a mesh of its own, and is told when a repository may be read but not written', async () => {
    const user = process.geteuid?.() === 0 ? 65_534 : undefined;
    const mesh = await Devmesh.make(inject('clone'), {}, user);
    try {
      const own = makeRepository([['src/token.ts', DEFECT]]);
      made.push(own);
      if (user !== undefined) mesh.give(own);
      await serve(mesh, own);
      const foreign = repositoryOf();
      // For root nothing is forbidden; for who is not, its own folders have to be closed.
      userGit(foreign, ['config', 'core.sharedRepository', 'umask']);
      for (const path of ['', '.git', '.git/objects', '.git/refs', '.git/refs/heads'])
        chmodSync(join(foreign, path), 0o555);
      const before = await treeDigest(foreign);
      const said = await mesh.run(['run', '--repo', foreign]);
      expect(said.code).toBe(1);
      expect(said.stderr).toMatch(/may not be written|may not write/);
      expect(said.stderr).toContain(foreign);
      expect(treeChanges(before, await treeDigest(foreign))).toEqual([]);
      for (const path of ['', '.git', '.git/objects', '.git/refs', '.git/refs/heads'])
        chmodSync(join(foreign, path), 0o755);
    } finally {
      await mesh.down();
      expect(processesOf(mesh.folder)).toEqual([]);
      await mesh.remove();
    }
  });
});
