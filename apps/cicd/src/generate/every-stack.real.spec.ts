import { spawnSync } from 'node:child_process';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import { STACK_TREES } from '@devmesh/analysis/testing/stack-trees';
import { tempTree, type TempTree } from '@devmesh/analysis/testing/temp-tree';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { describeWith } from '@devmesh/testing/peers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writtenPipeline } from './written-pipeline.js';

let written: TempTree;
const workflows: string[] = [];
beforeAll(async () => {
  written = tempTree({});
  for (const [kind, files] of Object.entries(STACK_TREES)) {
    const tree = tempTree(files);
    const source = await SourceTree.open(tree.path);
    const { components } = await detectStack(source);
    for (const provider of ['github', 'gitlab'] as const) {
      const pipeline = writtenPipeline(source, components, provider);
      const at = `${kind.replaceAll(' ', '-')}/${pipeline?.path ?? ''}`;
      if (pipeline) written.write(at, pipeline.content);
      if (pipeline && provider === 'github') workflows.push(at);
    }
    tree.remove();
  }
});
afterAll(() => written.remove());

function said(program: string, ...args: string[]): { code: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: written.path, encoding: 'utf8' });
  return { code: status, text: status === 0 ? '' : `${stdout}${stderr}`.slice(-5_000) };
}

describeWith(['actionlint'], 'actionlint', () => {
  test('finds nothing in any workflow', () => {
    expect(workflows.length).toBeGreaterThanOrEqual(12);
    expect(said('actionlint', '-shellcheck=', ...workflows)).toEqual({ code: 0, text: '' });
  });
});

describeWith(['checkov'], 'checkov', () => {
  test('finds nothing in pipelines of GitHub and GitLab', { timeout: 300_000 }, () => {
    const args = ['--directory', '.', '--quiet', '--compact', '--skip-download'];
    expect(said('checkov', ...args, '--framework', 'github_actions', 'gitlab_ci')).toEqual({ code: 0, text: '' });
  });
});
