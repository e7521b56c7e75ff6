import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describeWith } from '@devmesh/testing/peers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { root } from '../check/command.ts';
import { run, type Said } from './testing/programs.ts';
import { startSshServer, type SshServer } from './testing/ssh-server.ts';

const REGISTRY = 'registry.example.org/devmesh';

describeWith(['sshd'], 'a deployment to a droplet, which an SSH server with a scripted docker stands in for', () => {
  let server: SshServer;
  let clone: string;
  /** Of the stand-in: /opt/devmesh, and what its docker keeps. */
  let home: string;
  let docker: string;

  beforeAll(async () => {
    server = await startSshServer();
    cpSync(join(root, 'tools/deployment/fixtures/docker'), join(server.folder, 'bin/docker'));
    docker = join(server.folder, 'docker-state');
    home = join(server.folder, 'opt/devmesh');
    clone = mkdtempSync(join(tmpdir(), 'devmesh-clone-'));
    for (const folder of ['compose', 'monitoring']) mkdirSync(join(clone, folder));
    for (const name of ['docker-compose.yml', 'docker-compose.production.yml'])
      writeFileSync(join(clone, 'compose', name), 'services: {}\n');
    writeFileSync(join(clone, 'monitoring/rules.yml'), 'rules\n');
    mkdirSync(join(clone, 'deploy'));
    for (const name of ['deploy-to-droplet.sh', 'release-on-droplet.sh'])
      cpSync(join(root, 'deploy', name), join(clone, 'deploy', name));
    git('init', '--quiet');
  });
  afterAll(async () => {
    await server.stop();
    rmSync(clone, { recursive: true, force: true });
  });
  beforeEach(() => {
    for (const folder of [docker, join(home, 'shared')]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(home, 'shared/.env'), `IMAGE_REGISTRY=${REGISTRY}\n`);
  });
  afterEach(() => {
    for (const folder of [docker, home]) rmSync(folder, { recursive: true, force: true });
  });

  function git(...args: string[]): string {
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false'];
    return execFileSync('git', [...who, '-C', clone, ...args])
      .toString()
      .trim();
  }

  /** A new revision of the clone. */
  function commit(text: string): string {
    writeFileSync(join(clone, 'compose/docker-compose.yml'), `# ${text}\n`);
    git('add', '-A');
    git('commit', '--quiet', '-m', text);
    return git('rev-parse', 'HEAD');
  }

  function deploy(...args: string[]): Promise<Said> {
    const reach = ['--host', '127.0.0.1', '--port', `${server.port}`, '--user', server.user, '--home', home];
    const trust = ['--identity', server.identity, '--known-hosts', server.knownHosts];
    return run(join(clone, 'deploy/deploy-to-droplet.sh'), [...reach, ...trust, '--timeout', '1', ...args]);
  }

  const linked = (name: string): string | null =>
    existsSync(join(home, name)) ? basename(readlinkSync(join(home, name))) : null;
  const calls = (): string[] =>
    existsSync(join(docker, 'calls')) ? readFileSync(join(docker, 'calls'), 'utf8').trim().split('\n') : [];
  const did = (verb: string): string[] =>
    calls().flatMap((call) => (call.includes(` ${verb} `) ? [call.split(' ')[0] ?? ''] : []));

  test('brings the files of the revision, pulls, starts, and points to it; again does nothing', async () => {
    const revision = commit('one');
    writeFileSync(join(clone, 'compose/docker-compose.yml'), 'not committed');
    expect(await deploy()).toMatchObject({ code: 0, text: expect.stringContaining(`${revision} runs, all healthy`) });
    git('checkout', '--quiet', '.');
    expect(linked('current')).toBe(revision);
    expect(readFileSync(join(home, 'current/compose/docker-compose.yml'), 'utf8')).toBe('# one\n');
    expect(readdirSync(join(home, 'current')).toSorted()).toEqual(['compose', 'deploy', 'monitoring']);
    expect([did('pull'), did('up')]).toEqual([[revision], [revision]]);
    expect(calls().join('\n')).not.toMatch(/build(?!=)(?<!--no-build)/);
    expect(await deploy('--revision', revision)).toMatchObject({
      code: 0,
      text: expect.stringContaining('runs already, all healthy: nothing to do'),
    });
    expect(did('up')).toEqual([revision]);
  });

  test('goes back by itself from one that is not healthy, and shows the log of what ails', async () => {
    const good = commit('good');
    await deploy();
    const bad = commit('bad');
    writeFileSync(join(docker, `broken-${bad}`), '');
    const { code, text } = await deploy();
    expect(code).toBe(1);
    expect(text).toContain('orchestrator is not healthy');
    expect(text).toContain('last words of orchestrator');
    expect(text).not.toContain('last words of gateway');
    expect(text).toContain(`${good} runs again`);
    expect([linked('current'), linked('previous')]).toEqual([good, null]);
    expect(did('up')).toEqual([good, bad, good]);
    expect(readFileSync(join(docker, 'running'), 'utf8')).toBe(good);
  });

  test('a person goes back to the release before, and forth again', async () => {
    const one = commit('first');
    await deploy();
    const two = commit('second');
    await deploy();
    expect([linked('current'), linked('previous')]).toEqual([two, one]);
    expect((await deploy('--rollback')).code).toBe(0);
    expect([linked('current'), linked('previous')]).toEqual([one, two]);
    expect((await deploy('--rollback')).code).toBe(0);
    expect(linked('current')).toBe(two);
  });

  test('a first release that is not healthy stays, for a person to look at', async () => {
    const bad = commit('bad first');
    writeFileSync(join(docker, `broken-${bad}`), '');
    expect(await deploy()).toMatchObject({ code: 3, text: expect.stringContaining('no release before this one') });
    rmSync(join(docker, `broken-${bad}`));
    expect((await deploy()).code).toBe(0);
    expect(await deploy('--rollback')).toMatchObject({ code: 3 });
  });

  test('when neither is healthy any more, a person has to look', async () => {
    const good = commit('was good');
    await deploy();
    const bad = commit('is bad');
    for (const revision of [good, bad]) writeFileSync(join(docker, `broken-${revision}`), '');
    expect(await deploy()).toMatchObject({ code: 3, text: expect.stringContaining('is not healthy either') });
  });

  test('images that can not be pulled change nothing', async () => {
    const good = commit('pulled');
    await deploy();
    const missing = commit('never pushed');
    writeFileSync(join(docker, `unpullable-${missing}`), '');
    expect(await deploy()).toMatchObject({ code: 1, text: expect.stringContaining('nothing was changed') });
    expect([linked('current'), did('up')]).toEqual([good, [good]]);
  });

  test('--dry-run says what it would do, and does nothing', async () => {
    const good = commit('there');
    await deploy();
    const before = [calls().length, readdirSync(join(home, 'releases'))];
    const next = commit('next');
    const { code, text } = await deploy('--dry-run');
    expect([code, text]).toEqual([0, expect.stringContaining(`would bring the files of ${next}`)]);
    expect(text).toContain(`back to ${good}`);
    expect([calls().length, readdirSync(join(home, 'releases'))]).toEqual(before);
    rmSync(home, { recursive: true });
    expect((await deploy('--dry-run')).code).toBe(0);
    expect(existsSync(home)).toBe(false);
  });

  test('prunes old releases and their images, and nothing else', async () => {
    const revisions: string[] = [];
    const others = ['postgres:16', `${REGISTRY}/gateway:latest`, `${REGISTRY}/gateway:by-hand`];
    for (let at = 0; at < 4; at++) {
      const revision = commit(`release ${at}`);
      revisions.push(revision);
      writeFileSync(
        join(docker, 'images'),
        [...others, ...revisions.map((one) => `${REGISTRY}/gateway:${one}`)].map((one) => `${one}\n`).join(''),
      );
      // In order by time, whatever the resolution of the clock of files.
      if (at > 0)
        execFileSync('touch', ['-d', `2026-01-0${at} 00:00`, join(home, 'releases', revisions[at - 1] ?? '')]);
      expect((await deploy('--keep', '1')).code).toBe(0);
    }
    const [previous = '', current = ''] = revisions.slice(2);
    expect(new Set(readdirSync(join(home, 'releases')))).toEqual(new Set([previous, current]));
    expect(readFileSync(join(docker, 'images'), 'utf8').trim().split('\n')).toEqual([
      ...others,
      `${REGISTRY}/gateway:${previous}`,
      `${REGISTRY}/gateway:${current}`,
    ]);
  });

  test('one deployment at a time', async () => {
    const revision = commit('locked');
    const holder = execFileSync.bind(null, 'flock');
    const lock = join(home, 'shared/deploy.lock');
    writeFileSync(lock, '');
    const script = `"${join(clone, 'deploy/deploy-to-droplet.sh')}" "$@"; echo "code $?"`;
    const reach = ['--host', '127.0.0.1', '--port', `${server.port}`, '--user', server.user, '--home', home];
    const trust = ['--identity', server.identity, '--known-hosts', server.knownHosts];
    const said = holder([lock, 'bash', '-c', script, 'deploy', ...reach, ...trust], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(said.toString()).toContain('code 3');
    expect([linked('current'), did('up'), revision.length]).toEqual([null, [], 40]);
  });

  test('the token of the registry goes over standard input alone', async () => {
    commit('token');
    const file = join(server.folder, 'token');
    writeFileSync(file, 'never an argument');
    expect((await deploy('--registry-user', 'robot', '--registry-token-file', file)).code).toBe(0);
    expect(readFileSync(join(docker, 'login'), 'utf8')).toBe('never an argument');
    expect(calls()[0]).toBe('- login --username robot --password-stdin registry.example.org');
  });

  test.for([
    ['no host', [], 2, 'name the droplet'],
    ['an option that is none', ['--host', 'a', '--frob'], 2, 'what is --frob?'],
    ['a host that is a command', ['--host', '-oProxyCommand=touch x'], 2, 'is no host'],
    ['a folder that is a command', ['--host', 'a', '--home', '/opt/$(id)'], 2, 'is no folder'],
    ['a revision that is not there', ['--host', 'a', '--revision', 'frob'], 2, 'no such revision'],
  ] as const)('wrong use: %s', async ([, args, code, said]) => {
    commit(`use ${said}`);
    const found = await run(join(clone, 'deploy/deploy-to-droplet.sh'), args);
    expect(found).toMatchObject({ code, text: expect.stringContaining(said) });
  });

  test('a host key that is not known is not trusted', async () => {
    commit('strangers');
    const empty = join(server.folder, 'empty');
    writeFileSync(empty, '');
    expect(await deploy('--known-hosts', empty)).toMatchObject({
      code: 4,
      text: expect.stringContaining('is not reached'),
    });
    expect(calls()).toEqual([]);
  });
});
