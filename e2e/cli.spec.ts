import type { SystemStatus } from '@devmesh/contracts/system-status';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Devmesh, type RunResult } from './support/devmesh.js';

// What the command itself promises; what a run brings forth is tested beside this.
let devmesh: Devmesh;

beforeAll(async () => {
  devmesh = await Devmesh.make(inject('clone'));
  expect(await devmesh.run(['up', '--quiet'])).toMatchObject({ code: 0, stdout: '' });
});

afterAll(async () => {
  expect(await devmesh.run(['down'])).toMatchObject({ code: 0, stdout: '✔ the mesh is down; no process is left\n' });
  expect(await devmesh.run(['down'])).toMatchObject({ code: 0, stdout: '✔ the mesh was not up; no process is left\n' });
  await devmesh.remove();
});

describe('a run that is left', () => {
  it('with Ctrl-C goes on, and is followed to its end', async () => {
    const { child, ended, said } = devmesh.start(['run']);
    await said(/understand/);
    child.kill('SIGINT');
    const left = await ended;
    expect(left.code).toBe(130);
    expect(left.stderr).toMatch(
      /^left; the run goes on\n +follow +\S+ show [0-9a-f]{8} --follow\n +cancel +\S+ cancel [0-9a-f]{8}\n$/,
    );
    const id = /show ([0-9a-f]{8})/.exec(left.stderr)?.[1] ?? '';
    const followed = await devmesh.run(['show', id, '--follow']);
    expect(followed.code).toBe(0);
    expect(followed.stdout).toMatch(/ branch +devmesh\//);
  });

  it('at once, with --detach, prints its id', async () => {
    const { code, stdout } = await devmesh.run(['run', '--detach', '--quiet']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    const followed = await devmesh.json<RunResult>(['show', stdout.trim(), '--follow']);
    expect(followed.data).toMatchObject({ exitCode: 0, run: { id: stdout.trim(), verdict: 'passed' } });
  });
});

describe('wrong use', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['an unknown workflow', ['run', '--workflow', 'nope'], /nope/],
    ['a missing ref', ['run', '--ref', 'no-such-branch'], /no-such-branch.*\[invalid_repository\]/],
    ['a run that is not there', ['show', 'deadbeef'], /no run is called deadbeef: .*\[not_found\]/],
    ['a clone URL of a kind that is not allowed', ['run', '--repo', 'file:///etc'], /file/],
  ])('%s is told in one line and ends with 2', async (_, args, culprit) => {
    const { code, stdout, stderr } = await devmesh.run(args);
    expect(stderr).toMatch(culprit);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('a workflow with a cycle is told by line and column', async () => {
    const file = join(devmesh.folder, 'cycle.yaml');
    const step = (id: string, needs: string): string =>
      `  - id: ${id}\n    action: code-review/review\n    needs: ${needs}\n`;
    writeFileSync(file, `name: cycle\nversion: 1\nsteps:\n${step('a', 'b')}${step('b', 'a')}`);
    const { code, stderr } = await devmesh.run(['run', '--workflow', file]);
    expect(stderr).toMatch(/steps wait for each other: a -> b -> a/);
    expect(stderr).toMatch(/line 4, column 5/);
    expect(code).toBe(2);
  });
});

it('says that the key is wrong', async () => {
  const file = join(devmesh.home, 'api-key');
  const key = readFileSync(file);
  writeFileSync(file, 'dm_wrong\n');
  try {
    const { code, stderr } = await devmesh.run(['runs']);
    expect(stderr).toMatch(/\[unauthenticated\]/);
    expect(code).toBe(1);
  } finally {
    writeFileSync(file, key);
  }
});

describe('what there is', () => {
  it('is all well by status and by doctor', async () => {
    const { code, data } = await devmesh.json<{
      healthy: boolean;
      system: SystemStatus;
      services: { memoryBytes: number; version: string }[];
    }>(['status']);
    expect([code, data.healthy, data.services.length]).toEqual([0, true, 9]);
    expect(data.system).toMatchObject({ state: 'healthy', rules: [] });
    expect(data.system.breakers).toContainEqual({
      caller: 'orchestrator',
      callee: 'code-review',
      state: 'closed',
    });
    for (const service of data.services)
      expect(service).toMatchObject({ health: 'ok', version: '0.1.0', memoryBytes: expect.any(Number) as number });
    expect(await devmesh.run(['doctor'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('is held to more before it serves in production, by what the services were started with', async () => {
    const { code, data } = await devmesh.json<{ checks: { name: string; state: string }[] }>([
      'doctor',
      '--production',
    ]);
    expect(code).toBe(1);
    const states = Object.fromEntries(data.checks.map(({ name, state }) => [name, state]));
    expect(states).toMatchObject({ version: 'ok', addresses: 'ok', secrets: 'ok', backups: 'bad', debugging: 'ok' });
  });

  it('can be listed', async () => {
    expect((await devmesh.run(['runs'])).stdout).toContain('deliver');
    expect((await devmesh.run(['agents'])).stdout).toContain('code-review/review');
    expect((await devmesh.run(['workflows'])).stdout).toContain('feature_implementation');
    expect((await devmesh.run(['events', 'last'])).stdout).toMatch(/1 +\S+ s +RunCreated/);
    expect((await devmesh.run(['logs', 'last'])).stdout).toContain('run ended');
    expect((await devmesh.run(['diff', 'last', '--stat'])).stdout).toMatch(/files changed/);
  });
});
