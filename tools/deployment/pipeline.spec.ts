import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SERVICE_NAMES } from '@devmesh/contracts/services';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { root } from '../check/command.ts';

interface Job {
  readonly needs?: string | readonly string[];
  readonly environment?: { readonly name: string };
  readonly strategy?: { readonly matrix: { readonly service: readonly string[] } };
  readonly steps?: readonly { readonly name?: string; readonly uses?: string; readonly run?: string }[];
}
interface Workflow {
  readonly permissions?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = join(root, '.github/workflows');
const read = (name: string): Workflow => parse(readFileSync(join(folder, name), 'utf8')) as Workflow;
const deploy = read('deploy.yml');

/** Every job that must have ended before this one begins. */
function before(name: string): string[] {
  const needs = [deploy.jobs[name]?.needs ?? []].flat();
  return needs.flatMap((one) => [one, ...before(one)]);
}

test('an image is built of every service, and of nothing else', () => {
  expect(deploy.jobs['images']?.strategy?.matrix.service).toEqual([...SERVICE_NAMES]);
});

test('nothing reaches production but through tests, comparison, images and staging', () => {
  expect(new Set(before('production'))).toEqual(new Set(['staging', 'images', 'performance', 'test']));
  expect(deploy.jobs['production']?.environment?.name).toBe('production');
  expect(deploy.jobs['staging']?.environment?.name).toBe('staging');
});

test('an image gets the tag of its revision after it was scanned and signed, and its bill of materials attested', () => {
  const names = (deploy.jobs['images']?.steps ?? []).flatMap(({ name }) => name ?? []);
  expect(names).toEqual(['Build', 'Scan', 'Sign', 'Attest the bill of materials', 'Push by git revision']);
});

test('each workflow says what it may do, and nothing that others write becomes a command', () => {
  for (const name of readdirSync(folder)) {
    const workflow = read(name);
    expect([name, workflow.permissions]).toEqual([name, expect.anything()]);
    for (const step of Object.values(workflow.jobs).flatMap(({ steps }) => steps ?? []))
      expect(step.run ?? '').not.toContain('${{');
  }
  const action = parse(readFileSync(join(root, '.github/actions/release/action.yml'), 'utf8')) as { runs: Job };
  for (const step of action.runs.steps ?? []) expect(step.run ?? '').not.toContain('${{');
});
