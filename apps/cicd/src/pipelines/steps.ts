import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import { nodeInstallation } from '@devmesh/analysis/stack/installation';
import { inFolder } from '@devmesh/analysis/stack/manifest';
import { PYTHON_TOOLS } from '@devmesh/analysis/stack/python-tools';
import { chooseRuntime } from '@devmesh/analysis/stack/runtime-versions';
import { Scalar } from 'yaml';
import { PINNED_ACTIONS, type PinnedAction } from './pinned-actions.js';

export interface Step {
  readonly name?: string;
  readonly uses?: Scalar<string>;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
  readonly 'working-directory'?: string;
}

function uses(action: PinnedAction): Scalar<string> {
  const scalar = new Scalar(`${action.name}@${action.commit}`);
  scalar.comment = ` ${action.version}`;
  return scalar;
}

/**
 * Steps that build and test a component, with `matrix` on each version of the job's matrix; undefined when it has no command to run, or nothing says how it is
 * installed.
 */
export function stepsFor(report: ComponentReport, matrix: boolean): Step[] | undefined {
  const version = matrix ? '${{ matrix.version }}' : chooseRuntime(report).version;
  const install = installSteps(report, version);
  const commands = commandSteps(report);
  if (!install || commands.length === 0) return undefined;
  const checkout = { uses: uses(PINNED_ACTIONS.checkout), with: { 'persist-credentials': false } };
  return [checkout, ...install, ...commands];
}

function installSteps(report: ComponentReport, version: string): Step[] | undefined {
  switch (report.ecosystem) {
    case 'node':
      return nodeSteps(report, version);
    case 'python':
      return pythonSteps(report, version);
    case 'go':
      return [
        {
          uses: uses(PINNED_ACTIONS.setupGo),
          with: {
            'go-version': version,
            ...(report.lockfile === undefined ? { cache: false } : { 'cache-dependency-path': report.lockfile }),
          },
        },
      ];
    case 'java': {
      const cache = report.component.packageManager?.value === 'gradle' ? 'gradle' : 'maven';
      const [path = ''] = report.manifest.paths;
      return [
        {
          uses: uses(PINNED_ACTIONS.setupJava),
          with: { distribution: 'temurin', 'java-version': version, cache, 'cache-dependency-path': path },
        },
      ];
    }
  }
}

function commandSteps({ component, ecosystem }: ComponentReport): Step[] {
  const steps = [
    { name: 'Lint', run: component.lintCommand?.value },
    { name: 'Build', run: component.buildCommand?.value },
    // As a module it also finds the packages beside the tests.
    {
      name: 'Test',
      run:
        ecosystem === 'python'
          ? component.testCommand?.value.replace(/(?<![\w-])pytest\b/, 'python -m pytest')
          : component.testCommand?.value,
    },
  ];
  return steps.flatMap(({ name, run }) => (run === undefined ? [] : [{ name, run }]));
}

function nodeSteps(report: ComponentReport, version: string): Step[] | undefined {
  const install = nodeInstallation(report);
  if (!install) return undefined;
  const steps: Step[] = [];
  if (install.manager === 'pnpm') {
    // With a packageManager member the action takes the version from there, and refuses a second one.
    const fetched = report.packageManagerVersion === undefined ? { version: install.fetch } : {};
    const manifest = { package_json_file: inFolder(install.folder, 'package.json') };
    steps.push({ uses: uses(PINNED_ACTIONS.setupPnpm), with: { ...fetched, ...manifest } });
  }
  const cache =
    report.lockfile === undefined
      ? { 'package-manager-cache': false }
      : { cache: install.manager, 'cache-dependency-path': report.lockfile };
  steps.push({
    uses: uses(PINNED_ACTIONS.setupNode),
    with: { 'node-version': version, ...cache },
  });
  if (install.modern) steps.push({ name: 'Yarn', run: 'corepack enable' });
  const elsewhere = install.folder === report.component.root ? {} : { 'working-directory': install.folder };
  steps.push({ name: 'Install', run: install.all, ...elsewhere });
  return steps;
}

function pythonSteps(report: ComponentReport, runtime: string): Step[] | undefined {
  const { component, lockfile, manifest } = report;
  const version = { 'python-version': runtime };
  const manager = component.packageManager?.value;
  const setup = (cache: Record<string, unknown>): Step => ({
    uses: uses(PINNED_ACTIONS.setupPython),
    with: { ...version, ...cache },
  });
  const cached = lockfile === undefined ? {} : { 'cache-dependency-path': lockfile };
  switch (manager) {
    case 'poetry':
      return [
        { name: 'Poetry', run: pipx('poetry') },
        setup(lockfile === undefined ? {} : { cache: 'poetry', ...cached }),
        { name: 'Install', run: 'poetry install --no-interaction --all-extras' },
      ];
    case 'uv':
      return [
        setup({}),
        { name: 'uv', run: pipx('uv') },
        { name: 'Install', run: `uv sync --all-extras${lockfile === undefined ? '' : ' --frozen'}` },
      ];
    case 'pipenv':
      return [
        { name: 'Pipenv', run: pipx('pipenv') },
        setup(lockfile === undefined ? {} : { cache: 'pipenv', ...cached }),
        { name: 'Install', run: lockfile === undefined ? 'pipenv install --dev' : 'pipenv sync --dev' },
      ];
    default: {
      const files = manifest.paths.filter((path) => /requirements.*\.txt$|-requirements\.txt$/.test(path));
      const names = files.map((path) => path.slice(path.lastIndexOf('/') + 1));
      const packages = names.map((name) => `--requirement ${name}`);
      if (packages.length === 0 && manifest.paths.some((path) => /(pyproject\.toml|setup\.py)$/.test(path)))
        packages.push('.');
      packages.push(...toolsToInstall(report, files));
      if (packages.length === 0) return undefined;
      const paths = files.length > 0 ? files : manifest.paths.slice(0, 1);
      return [
        setup({ cache: 'pip', 'cache-dependency-path': paths.join('\n') }),
        { name: 'Install', run: `python -m pip install ${packages.join(' ')}` },
      ];
    }
  }
}

function pipx(tool: keyof typeof PYTHON_TOOLS): string {
  return `pipx install ${tool}==${PYTHON_TOOLS[tool]}`;
}

/** Tools that the commands need and that the installed files don't bring, with the versions that the manifest asks for. */
function toolsToInstall({ component, dependencies }: ComponentReport, installed: readonly string[]): string[] {
  const commands = `${component.testCommand?.value ?? ''} ${component.lintCommand?.value ?? ''}`;
  return ['pytest', 'ruff', 'flake8'].flatMap((tool) => {
    if (!new RegExp(`\\b${tool}\\b`).test(commands)) return [];
    const declared = dependencies.get(tool);
    if (declared && installed.includes(declared.path)) return [];
    const version = declared?.version ?? '';
    return [/^[\w.,<>=!~ *-]+$/.test(version) ? `"${tool}${version}"` : tool];
  });
}
