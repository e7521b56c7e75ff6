import { treeChanges, treeDigest } from '@devmesh/repository/testing/tree-digest';
import { expect } from 'vitest';
import type { CallOptions, Devmesh, RunResult, Said } from './devmesh.js';
import { strayProcesses, temporaryFiles } from './leftovers.js';
import { otherChanges } from './repositories.js';

/** A file with a defect that has a safe fix, so that there is a result; and how the fixed one begins. */
export const DEFECT = 'export const token = (): string => Math.random().toString(36).slice(2);\n';

function nothingLeft(devmesh: Devmesh): void {
  expect(temporaryFiles(devmesh)).toEqual([]);
  expect(strayProcesses(devmesh)).toEqual([]);
}

/** Delivers a repository, asserts that it passed, that nothing of the repository changed but the new branch, and that nothing is left. */
export async function serve(devmesh: Devmesh, repository: string, args: readonly string[] = []): Promise<RunResult> {
  const before = await treeDigest(repository);
  const said = await devmesh.json<RunResult>(['run', '--repo', repository, ...args]);
  const after = await treeDigest(repository);
  expect(said).toMatchObject({ code: 0, stderr: '', data: { run: { verdict: 'passed' } } });
  expect(otherChanges(before, after)).toEqual([]);
  expect(treeChanges(before, after)).toContain(`+.git/refs/heads/devmesh/${said.data.run.id}`);
  nothingLeft(devmesh);
  return said.data;
}

/** What the notices of a run say, by their codes. */
export function noticesOf({ run }: RunResult): Record<string, string> {
  return Object.fromEntries((run.repository?.notices ?? []).map(({ code, message }) => [code, message]));
}

export interface Refusal {
  readonly exitCode: number;
  readonly code: string;
  /** Culprit and cure, as they stand in the text. */
  readonly says: readonly string[];
}

/** Makes a call that is refused, asserts how, that `folder` (when there is one) is as before, and that nothing is left. */
export async function refuse(
  devmesh: Devmesh,
  args: readonly string[],
  refusal: Refusal,
  options: CallOptions & { readonly folder?: string } = {},
): Promise<Said> {
  const { folder, ...call } = options;
  const before = folder === undefined ? null : await treeDigest(folder);
  const said = await devmesh.run(args, call);
  for (const text of refusal.says) expect(said.stderr).toContain(text);
  expect(said.stderr.trimEnd().endsWith(`[${refusal.code}]`), said.stderr).toBe(true);
  expect(said.stderr).not.toMatch(/\n {4}at /);
  expect(said).toMatchObject({ code: refusal.exitCode, stdout: '' });
  if (folder !== undefined && before !== null) expect(treeChanges(before, await treeDigest(folder))).toEqual([]);
  nothingLeft(devmesh);
  return said;
}
