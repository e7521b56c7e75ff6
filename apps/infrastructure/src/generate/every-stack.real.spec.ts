import { spawnSync } from 'node:child_process';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import { STACK_TREES } from '@devmesh/analysis/testing/stack-trees';
import { tempTree, type TempTree } from '@devmesh/analysis/testing/temp-tree';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { describeWith } from '@devmesh/testing/peers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { proposeFiles } from './propose-files.js';

/** Everything that is written for every tree, each in a folder of its own. */
let written: TempTree;
const paths: string[] = [];
beforeAll(async () => {
  written = tempTree({});
  for (const [kind, files] of Object.entries(STACK_TREES)) {
    const tree = tempTree(files);
    const source = await SourceTree.open(tree.path);
    const proposal = proposeFiles(source, await detectStack(source), ['kubernetes', 'terraform']);
    tree.remove();
    for (const [path, content] of proposal.files) {
      const at = `${kind.replaceAll(' ', '-')}/${path}`;
      written.write(at, content);
      paths.push(at);
    }
  }
});
afterAll(() => written.remove());

function said(program: string, ...args: string[]): { code: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: written.path, encoding: 'utf8' });
  return { code: status, text: status === 0 ? '' : `${stdout}${stderr}`.slice(-5_000) };
}

const named = (pattern: RegExp): string[] => paths.filter((path) => pattern.test(path));

describeWith(['hadolint'], 'hadolint', () => {
  test('finds nothing of level warning in any image', () => {
    const images = named(/Dockerfile$/);
    expect(images.length).toBeGreaterThan(12);
    expect(said('hadolint', '--failure-threshold', 'warning', ...images)).toEqual({ code: 0, text: '' });
  });
});

describeWith(['tofu'], 'OpenTofu', () => {
  test('finds all Terraform formatted', () => {
    expect(named(/\.tf$/).length).toBeGreaterThan(12);
    expect(said('tofu', 'fmt', '-check', '-diff', '-recursive')).toEqual({ code: 0, text: '' });
  });
});

/** What can't hold for every repository, with the reason. */
const NOT_HELD_TO = [
  'CKV_DOCKER_2', // A HEALTHCHECK is written only for a route that the code has.
  'CKV_K8S_8', // Probes want a port, which some components don't open.
  'CKV_K8S_9',
  'CKV_K8S_35', // The code reads its secrets from the environment, so that is where they must be.
  'CKV_K8S_43', // The digest of an image is known when it has been pushed; kustomization.yaml says where it goes.
];

describeWith(['checkov'], 'checkov', () => {
  test('finds nothing in images, manifests and Terraform', { timeout: 300_000 }, () => {
    const args = ['--directory', '.', '--quiet', '--compact', '--skip-download', '--skip-check', NOT_HELD_TO.join(',')];
    expect(said('checkov', ...args, '--framework', 'dockerfile', 'kubernetes', 'terraform')).toEqual({
      code: 0,
      text: '',
    });
  });
});
