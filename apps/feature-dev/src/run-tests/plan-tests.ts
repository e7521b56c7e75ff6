import { detectStack } from '@devmesh/analysis/stack/detect-stack';
import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import type { Manifest } from '@devmesh/analysis/stack/manifest';
import { SourceTree } from '@devmesh/analysis/tree/source-tree';

/** A command that runs tests of a repository. */
export interface PlannedTests {
  /** Folder below the root, "." for the root. */
  readonly root: string;
  /** As people call it. */
  readonly shown: string;
  /** Where the repository says so. */
  readonly because: string;
  /** What the sandbox runs; null when that can't be. */
  readonly command: readonly string[] | null;
  readonly env: Readonly<Record<string, string>>;
  /** Why there is no command. */
  readonly why: string;
}

const MAX_SUITES = 5;
const NODE_TEST = /['"]node:test['"]/;
const NODE_TEST_FILE = /(^|\/)([^/]*[.-](test|spec)|test(-[^/]*)?)\.[cm]?[jt]s$|(^|\/)test\/[^/]+\.[cm]?[jt]s$/;

const GO_ENV = {
  GOPROXY: 'off',
  GOTOOLCHAIN: 'local',
  GOFLAGS: '-buildvcs=false',
  GOCACHE: '/tmp/go/cache',
  GOPATH: '/tmp/go/path',
  CGO_ENABLED: '0',
};

/** The tests of a tree, by what its manifests say. Reads only. */
export async function planTests(root: string, signal: AbortSignal): Promise<PlannedTests[]> {
  const tree = await SourceTree.open(root, { signal });
  const { components } = await detectStack(tree, signal);
  const suites = components.flatMap((one) => suiteOf(one) ?? []);
  const isJavaScript = components.some(({ ecosystem }) => ecosystem === 'node');
  if (suites.length === 0 && (isJavaScript || components.length === 0)) suites.push(...nodeSuite(tree));
  return suites.slice(0, MAX_SUITES);
}

function suiteOf(report: ComponentReport): PlannedTests | undefined {
  const { component, manifest, ecosystem } = report;
  const { testCommand: fact, root } = component;
  if (!fact) return undefined;
  const [evidence] = fact.evidence;
  const at = evidence?.line === undefined ? (evidence?.path ?? '') : `${evidence.path}:${evidence.line}`;
  const common = {
    root,
    shown: fact.value,
    because: `${at} says ${evidence?.says ?? ''}`.slice(0, 300),
    env: {},
    why: '',
  };
  switch (ecosystem) {
    case 'node':
      return { ...common, command: ['sh', '-c', nodeScript(root, manifest, fact.value)] };
    case 'python':
      return { ...common, command: pythonCommand(fact.value), env: { PYTHONDONTWRITEBYTECODE: '1' } };
    case 'go':
      return { ...common, command: ['go', 'test', './...'], env: GO_ENV };
    case 'java':
      return {
        ...common,
        command: null,
        why: 'its build fetches plugins and libraries from the network, and the sandbox has none',
      };
  }
}

/** What npm, pnpm and yarn do for a script, without any of them: what is before and behind it, and the programs of packages on the PATH. */
function nodeScript(root: string, { scripts }: Manifest, shown: string): string {
  const name = shown.split(' ').at(-1) ?? 'test';
  const commands = [`pre${name}`, name, `post${name}`].flatMap((one) => scripts.get(one)?.command ?? []);
  const top = root === '.' ? '.' : root.replace(/[^/]+/g, '..');
  return [
    `export PATH="$PWD/node_modules/.bin:$PWD/${top}/node_modules/.bin:$PATH"`,
    commands.map((one) => `( ${one}\n)`).join(' && '),
  ].join('\n');
}

/** As the stack has it, without the package manager, whose environments are not there. */
function pythonCommand(shown: string): string[] {
  const [program = '', ...rest] = shown.replace(/^(poetry|uv|pipenv) run /, '').split(' ');
  return program === 'python' ? ['python3', ...rest] : ['python3', '-m', program, ...rest];
}

/** Tests of Node.js's own runner, which need no manifest. */
function nodeSuite(tree: SourceTree): PlannedTests[] {
  const file = tree.files.find(({ path }) => NODE_TEST_FILE.test(path) && NODE_TEST.test(tree.text(path) ?? ''));
  if (!file) return [];
  const because = `${file.path} imports node:test`;
  return [{ root: '.', shown: 'node --test', because, command: ['node', '--test'], env: {}, why: '' }];
}
