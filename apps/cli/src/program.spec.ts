import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DevmeshError, type ErrorCode } from '@devmesh/contracts/errors';
import { afterEach, describe, expect, it } from 'vitest';
import { exitCodeOfRun } from './commands/watch.js';
import { exitCodeOf, showError } from './errors.js';
import { runCli } from './program.js';
import { fakeContext, type FakeContext } from './testing/fake-context.js';

const COMMANDS = [
  'run',
  'up',
  'down',
  'status',
  'runs',
  'show',
  'logs',
  'events',
  'diff',
  'cancel',
  'resume',
  'prove',
  'prune',
  'backup',
  'restore',
  'agents',
  'workflows',
  'doctor',
];

let made: FakeContext[] = [];
function context(options: Parameters<typeof fakeContext>[0] = {}): FakeContext {
  const one = fakeContext(options);
  made.push(one);
  return one;
}
afterEach(() => {
  for (const { home } of made) rmSync(home.root, { recursive: true, force: true });
  made = [];
});

describe('help', () => {
  it.each(COMMANDS)('%s has help with examples', async (name) => {
    const cli = context();
    expect(await runCli(cli, [name, '--help'])).toBe(0);
    expect(cli.out.text()).toContain('Examples:');
    expect(cli.out.text()).toContain(`./devmesh ${name}`);
    expect(cli.err.text()).toBe('');
  });

  it('lists every command', async () => {
    const cli = context();
    expect(await runCli(cli, ['--help'])).toBe(0);
    for (const name of COMMANDS) expect(cli.out.text()).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });

  it('is what a call without a command gets, as wrong use', async () => {
    const cli = context();
    expect(await runCli(cli, [])).toBe(2);
    expect(cli.err.text()).toContain('Commands:');
  });
});

describe('wrong use ends with 2, names the culprit and where to look', () => {
  it.each<[readonly string[], string]>([
    [['frob'], "unknown command 'frob'"],
    [['run', '--frob'], "unknown option '--frob'"],
    [['up', '--port-base', 'many'], "'many' is invalid"],
    [['up', '--port-base', '80'], 'whole number from 1024'],
    [['runs', '-n', '0'], 'whole number from 1'],
    [['show'], "missing required argument 'run'"],
    [['cancel'], "missing required argument 'run'"],
    [['status', 'me'], 'too many arguments'],
  ])('%j', async (args, culprit) => {
    const cli = context();
    expect(await runCli(cli, args)).toBe(2);
    expect(cli.err.text()).toContain(`devmesh: `);
    expect(cli.err.text()).toContain(culprit);
    expect(cli.err.text()).toContain('--help');
    expect(cli.out.text()).toBe('');
  });
});

describe('run', () => {
  it('refuses a task over the limit before anything is started, naming the limit', async () => {
    const cli = context({ stdin: 'x'.repeat(2 * 1024 ** 2) });
    expect(await runCli(cli, ['run', '-'])).toBe(2);
    expect(cli.err.text()).toContain('the task has 2.0 MB, and a task has at most 1.0 MB');
    expect(cli.err.text()).toContain('[payload_too_large]');
  });

  it('refuses a folder that is no repository before anything is started', async () => {
    const cli = context();
    expect(await runCli(cli, ['run', '--repo', cli.home.root])).toBe(2);
    expect(cli.err.text()).toContain('is not in a git repository');
    expect(cli.err.text()).toContain('[invalid_repository]');
  });

  it('refuses a workflow file that is not there', async () => {
    const cli = context();
    expect(await runCli(cli, ['run', '--workflow', 'gone.yaml'])).toBe(2);
    expect(cli.err.text()).toContain("gone.yaml can't be read (ENOENT)");
  });

  it('refuses an empty --repo', async () => {
    const cli = context();
    expect(await runCli(cli, ['run', '--repo', ''])).toBe(2);
    expect(cli.err.text()).toContain('--repo is empty');
  });
});

describe('a mesh that is not up', () => {
  it.each(['runs', 'agents', 'workflows'])('%s says so and the cure', async (name) => {
    const cli = context();
    expect(await runCli(cli, [name])).toBe(1);
    expect(cli.err.text()).toMatch(/^devmesh: the mesh is not up .*: start it with .\/devmesh up \[unavailable\]\n$/);
  });

  it('is told by status, as JSON too', async () => {
    const cli = context();
    expect(await runCli(cli, ['status', '--json'])).toBe(1);
    expect(JSON.parse(cli.out.text())).toEqual({ up: false, healthy: false, system: null, mesh: null, services: [] });
  });

  it('is brought down gladly', async () => {
    const cli = context();
    expect(await runCli(cli, ['down'])).toBe(0);
    expect(cli.out.text()).toContain('was not up; no process is left');
  });

  it('has no logs', async () => {
    const cli = context();
    expect(await runCli(cli, ['logs'])).toBe(2);
    expect(cli.err.text()).toContain('they begin with ./devmesh up');
  });
});

describe('a data folder of a newer Devmesh', () => {
  it.each(['up', 'down', 'status', 'runs'])('is refused by %s', async (name) => {
    const cli = context();
    writeFileSync(join(cli.home.root, 'version'), '99\n');
    expect(await runCli(cli, [name])).toBe(1);
    expect(cli.err.text()).toContain('was made by a newer Devmesh');
    expect(cli.err.text()).toContain('DEVMESH_HOME');
  });
});

describe('errors', () => {
  it('are one line on stderr, and data on stdout with --json', async () => {
    const cli = context();
    expect(await runCli(cli, ['runs', '--json'])).toBe(1);
    expect(JSON.parse(cli.out.text())).toMatchObject({ error: { code: 'unavailable' } });
    expect(cli.err.text().trim().split('\n')).toHaveLength(1);
  });

  it('show a stack only when it is asked for', () => {
    const quiet = context();
    showError(quiet, new TypeError('boom'), false);
    expect(quiet.err.text()).not.toContain('    at ');
    expect(quiet.err.text()).toContain('DEVMESH_DEBUG=1');
    const loud = context({ env: { DEVMESH_DEBUG: '1' } });
    showError(loud, new TypeError('boom'), false);
    expect(loud.err.text()).toContain('    at ');
  });

  it.each<[ErrorCode, number]>([
    ['invalid_repository', 2],
    ['payload_too_large', 2],
    ['not_found', 2],
    ['clone_failed', 2],
    ['unavailable', 1],
    ['conflict', 1],
    ['unauthenticated', 1],
    ['internal', 1],
  ])('%s ends with %i', (code, exit) => expect(exitCodeOf(new DevmeshError(code, 'x'))).toBe(exit));
});

describe('the exit code of a run', () => {
  it.each([
    ['ended', 'passed', 0],
    ['ended', 'rejected', 1],
    ['ended', 'failed', 1],
    ['ended', 'cancelled', 130],
    ['stuck', null, 3],
    ['running', null, null],
  ] as const)('%s, %s: %s', (status, verdict, code) => expect(exitCodeOfRun({ status, verdict })).toBe(code));
});

describe('prove', () => {
  it('says where a workflow is wrong, and proves nothing', async () => {
    const cli = context();
    const file = join(cli.home.root, 'mine.yaml');
    writeFileSync(file, 'name: mine\nsteps:\n  - { id: a, action: nope/nope }\n');
    expect(await runCli(cli, ['prove', file])).toBe(2);
    expect(cli.err.text()).toMatch(/line 3, column 14: no agent has an action nope\/nope/);
    expect(cli.out.text()).toBe('');
  });

  it('names the workflows there are', async () => {
    const cli = context();
    expect(await runCli(cli, ['prove', 'nowhere'])).toBe(2);
    expect(cli.err.text()).toMatch(/no workflow nowhere: name one of .*deliver.*purchase/);
  });
});
