import { runRules } from '@devmesh/analysis/findings/run-rules';
import { parseDockerfile } from '@devmesh/analysis/parse/dockerfile';
import { RULES } from '@devmesh/analysis/rules/catalogue';
import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import { STACK_TREES } from '@devmesh/analysis/testing/stack-trees';
import { tempTree, type TempTree } from '@devmesh/analysis/testing/temp-tree';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';
import type { Evidence, StackComponent } from '@devmesh/contracts/stack';
import { afterEach, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { proposeFiles, type Proposal } from './propose-files.js';

let tree: TempTree | undefined;
afterEach(() => tree?.remove());

async function propose(path: string): Promise<Proposal & { components: readonly StackComponent[] }> {
  const source = await SourceTree.open(path);
  const report = await detectStack(source);
  return { ...proposeFiles(source, report, ['kubernetes', 'terraform']), components: report.stack.components };
}

function evidenceOf(component: StackComponent): Evidence[] {
  return Object.values(component)
    .flatMap((value) => (Array.isArray(value) ? value : [value]))
    .flatMap((value) => (typeof value === 'object' && 'evidence' in value ? value.evidence : []));
}

/** Components by name with their framework, port, services and health; what a person reads in the tree. */
const TOLD: Readonly<Record<string, readonly (readonly [string, string | undefined, string | undefined, string])[]>> = {
  'express with npm': [['sample', 'express', '3000', 'postgres']],
  'fastify with pnpm': [['sample', 'fastify', '8080', '']],
  'nest with yarn': [['sample', 'nest', '3000', '']],
  next: [['sample', 'next', '3000', '']],
  'static vite': [['sample', 'vite', undefined, '']],
  'library of node': [['sample', undefined, undefined, '']],
  'flask with pip': [['app', 'flask', undefined, 'redis']],
  'fastapi with uv': [['orders', 'fastapi', undefined, '']],
  'django with poetry': [['site', 'django', undefined, '']],
  'go with gin': [['api', 'gin', '8080', 'postgres']],
  'go workspace': [
    ['api', 'net/http', '9000', ''],
    ['lib', undefined, undefined, ''],
  ],
  'spring boot with maven modules': [['web', 'spring-boot', '8081', 'postgres']],
  'spring boot with gradle': [['billing', 'spring-boot', '8080', '']],
  'mixed languages': [
    ['api', 'express', '4000', ''],
    ['tool', undefined, undefined, ''],
    ['worker', 'flask', undefined, ''],
  ],
  'pnpm workspace': [
    ['core', undefined, undefined, ''],
    ['web', 'express', '3001', ''],
  ],
};

describe.each(Object.entries(STACK_TREES))('%s', (kind, files) => {
  test('is told with evidence that is there, written soundly, and not a second time', async () => {
    tree = tempTree(files);
    const { path, write } = tree;
    const first = await propose(path);
    expect(
      first.components.map(({ name, framework, port, services }) => [
        name,
        framework?.value,
        port?.value,
        services.map(({ value }) => value).join(' '),
      ]),
    ).toEqual(TOLD[kind]);
    for (const component of first.components) {
      const all = evidenceOf(component);
      expect(all.length).toBeGreaterThan(0);
      for (const { path: file, line } of all) {
        const text = files[file];
        expect(text, file).toBeDefined();
        if (line !== undefined) expect(text?.split('\n')[line - 1]?.trim(), `${file}:${line}`).toBeTruthy();
      }
    }
    for (const [file, content] of first.files) {
      if (file.endsWith('Dockerfile')) {
        expect(parseDockerfile(content).valid).toBe(true);
        expect(runRules(RULES, 'dockerfile', content).hits).toEqual([]);
      }
      if (file.endsWith('.yaml')) {
        for (const document of parseAllDocuments(content)) expect('errors' in document && document.errors).toEqual([]);
      }
      write(file, content);
    }
    const second = await propose(path);
    expect([...second.files.keys()]).toEqual([]);
    expect(second.edited).toEqual([]);
  });
});

describe('manifests for Kubernetes', () => {
  test('refer to secrets, never hold them, and ask the real route', async () => {
    tree = tempTree(STACK_TREES['express with npm'] ?? {});
    const content = (await propose(tree.path)).files.get('kubernetes/sample.yaml') ?? '';
    const [deployment] = parseAllDocuments(content).map((document) => document.toJS() as Deployment);
    const [container] = deployment?.spec.template.spec.containers ?? [];
    expect(container?.env).toEqual([
      { name: 'DATABASE_URL', valueFrom: { secretKeyRef: { name: 'sample-secrets', key: 'DATABASE_URL' } } },
    ]);
    expect(container?.readinessProbe).toMatchObject({ httpGet: { path: '/healthz' } });
    expect(container?.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
  });

  test('let a component reach the one that it calls, and no other', async () => {
    tree = tempTree(STACK_TREES['mixed languages'] ?? {});
    const { files } = await propose(tree.path);
    expect(files.get('kubernetes/worker.yaml')).toContain('value: http://api:4000');
    const api = parseAllDocuments(files.get('kubernetes/api.yaml') ?? '')
      .at(-1)
      ?.toJS() as { spec: { ingress: unknown } };
    expect(api.spec.ingress).toEqual([
      {
        from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/name': 'worker' } } }],
        ports: [{ protocol: 'TCP', port: 4000 }],
      },
    ]);
  });
});

interface Deployment {
  spec: { template: { spec: { containers: { env: unknown; readinessProbe: unknown; securityContext: unknown }[] } } };
}
