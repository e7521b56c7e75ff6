import type { RunListItem } from '@devmesh/contracts/run';
import type { EffectRecord } from '@devmesh/contracts/effect';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Devmesh } from './support/devmesh.js';
import { processesOf } from './support/leftovers.js';

interface Shown {
  readonly run: RunView;
  readonly artifacts: readonly unknown[];
  readonly effects: readonly EffectRecord[];
}

let devmesh: Devmesh;
let repository: string;
/** A run whose detail was removed, as it was shown before. */
let before: Shown;

beforeAll(async () => {
  devmesh = await Devmesh.make(inject('clone'));
  repository = makeRepository([['README.md', 'hello\n']]);
  const { data } = await devmesh.json<{ run: RunView }>(['run', '--repo', repository, '--workflow', 'review']);
  before = (await devmesh.json<Shown>(['show', data.run.id])).data;
  const counted = await devmesh.json<{ runs: number }>(['prune', '--older-than', '0s', '--dry-run']);
  expect(counted.data.runs).toBe(1);
  expect(await devmesh.run(['prune', '--older-than', '0s', '--yes'])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  removeAll(repository);
  expect(left).toEqual([]);
});

describe('a run whose detail was removed', () => {
  it('is still listed and shown, with how it ended', async () => {
    expect(before.artifacts.length).toBeGreaterThan(0);
    const { data } = await devmesh.json<Shown>(['show', before.run.id]);
    const { verdict, reason } = before.run;
    expect(data.run).toMatchObject({ status: 'ended', verdict, reason, steps: [] });
    expect(data.run.prunedAt).toBeDefined();
    expect(data.artifacts).toEqual([]);
    const { runs } = (await devmesh.json<{ runs: RunListItem[] }>(['runs'])).data;
    expect(runs).toMatchObject([{ id: before.run.id, prunedAt: data.run.prunedAt }]);
    expect((await devmesh.run(['show', 'last'])).stdout).toMatch(/detail +removed on \d{4}-\d\d-\d\d.*\n +cure/);
  });

  it.each([
    ['events', []],
    ['export', []],
    ['diff', []],
    ['graph', []],
    ['show', ['--at', '1']],
    ['show', ['--fetch']],
    ['rerun', ['--from', 'review']],
  ])('answers %s in words, with the cure', async (verb, options) => {
    const { code, stderr } = await devmesh.run([verb, before.run.id, ...options]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^devmesh: .*removed.* \[gone\]\n$/)]);
  });

  it('leaves the mesh as useful as it was: the same repository again is a new run', async () => {
    const { data } = await devmesh.json<{ run: RunView }>(['run', '--repo', repository, '--workflow', 'review']);
    expect(data.run).toMatchObject({ status: 'ended', verdict: before.run.verdict });
    expect((await devmesh.json<Shown>(['show', data.run.id])).data.artifacts).toHaveLength(before.artifacts.length);
  });
});
