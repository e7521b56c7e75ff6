import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import type { SourceTree } from '../tree/source-tree.js';
import { lineOf } from './evidence.js';
import { inFolder, type Dependency, type Manifest, type Script } from './manifest.js';
import { readSetup } from './setup-py.js';

const Table = z.record(z.string(), z.unknown()).catch({});
const Requirements = z.array(z.unknown()).catch([]);
const Text = z.string().optional().catch(undefined);

const PyProject = z.object({
  project: z
    .object({
      name: Text,
      description: Text,
      'requires-python': Text,
      dependencies: Requirements,
      'optional-dependencies': z.record(z.string(), Requirements).catch({}),
      scripts: Table,
    })
    .optional()
    .catch(undefined),
  'dependency-groups': z.record(z.string(), Requirements).catch({}),
  tool: Table,
});

const Poetry = z
  .object({
    name: Text,
    description: Text,
    dependencies: Table,
    'dev-dependencies': Table,
    group: z.record(z.string(), z.object({ dependencies: Table }).catch({ dependencies: {} })).catch({}),
    scripts: Table,
  })
  .optional()
  .catch(undefined);

export interface PythonManifest extends Manifest {
  readonly ecosystem: 'python';
  /** Names of the `[tool.*]` tables of pyproject.toml. */
  readonly tools: ReadonlySet<string>;
  /** Whether pyproject.toml says how the folder is built into a package. */
  readonly hasProject: boolean;
  readonly requirements: string | undefined;
  readonly text: string;
}

/** PEP 503. */
export function normalisePackage(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/** Name and version of a requirement line; undefined for options, addresses and comments. */
export function parseRequirement(line: string): { name: string; version: string } | undefined {
  const match = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*([^;#@]*)/.exec(line);
  return match?.[1] === undefined ? undefined : { name: normalisePackage(match[1]), version: (match[2] ?? '').trim() };
}

const DEVELOPMENT_GROUP = /^(dev|develop|development|test|tests|testing|lint|docs?|typing|ci)$/i;

/** Reads what manifests of Python there are in `root`; undefined when none says anything. */
export function readPythonManifest(tree: SourceTree, root: string, notices: string[]): PythonManifest | undefined {
  const paths: string[] = [];
  const dependencies = new Map<string, Dependency>();
  const scripts = new Map<string, Script>();
  const add = (text: string, path: string, requirement: unknown, development: boolean): void => {
    const parsed = typeof requirement === 'string' ? parseRequirement(requirement) : undefined;
    if (!parsed || dependencies.has(parsed.name)) return;
    const line = lineOf(text, new RegExp(`(?<![\\w.-])${parsed.name.replaceAll('-', '[-_.]+')}(?![\\w-])`, 'i'));
    dependencies.set(parsed.name, { version: parsed.version, development, path, line });
  };
  let name: string | undefined;
  let description: string | undefined;
  let runtime: Manifest['runtime'];
  let tools: ReadonlySet<string> = new Set();
  let hasProject = false;

  const projectPath = inFolder(root, 'pyproject.toml');
  const projectText = tree.text(projectPath);
  const toml = projectText === undefined ? undefined : readToml(projectPath, projectText, notices);
  if (projectText !== undefined && toml !== undefined) {
    const content = PyProject.parse(toml);
    const poetry = Poetry.parse(content.tool['poetry']);
    tools = new Set(Object.keys(content.tool));
    hasProject = content.project !== undefined || poetry !== undefined;
    if (hasProject) paths.push(projectPath);
    name = content.project?.name ?? poetry?.name;
    description = content.project?.description ?? poetry?.description;
    for (const one of content.project?.dependencies ?? []) add(projectText, projectPath, one, false);
    const groups = { ...content.project?.['optional-dependencies'], ...content['dependency-groups'] };
    for (const [group, list] of Object.entries(groups)) {
      for (const one of list) add(projectText, projectPath, one, DEVELOPMENT_GROUP.test(group));
    }
    for (const one of Object.keys(poetry?.dependencies ?? {}))
      if (one !== 'python') add(projectText, projectPath, one, false);
    for (const one of Object.keys(poetry?.['dev-dependencies'] ?? {})) add(projectText, projectPath, one, true);
    for (const group of Object.values(poetry?.group ?? {})) {
      for (const one of Object.keys(group.dependencies)) add(projectText, projectPath, one, true);
    }
    for (const [script, target] of Object.entries({ ...content.project?.scripts, ...poetry?.scripts })) {
      if (typeof target === 'string') scripts.set(script, { command: target, line: lineOf(projectText, target) });
    }
    const asked = content.project?.['requires-python'] ?? poetry?.dependencies['python'];
    if (typeof asked === 'string') runtime = { range: asked, path: projectPath, line: lineOf(projectText, asked) };
  }

  const requirements = inFolder(root, 'requirements.txt');
  for (const file of [
    'requirements.txt',
    'requirements.in',
    'requirements-dev.txt',
    'requirements_dev.txt',
    'dev-requirements.txt',
    'requirements-test.txt',
    // A setup.py that reads its requirements from a folder.
    ...['base', 'default', 'main', 'prod', 'production', 'dev', 'test'].map((one) => `requirements/${one}.txt`),
  ]) {
    const path = inFolder(root, file);
    const text = tree.text(path);
    if (text === undefined) continue;
    paths.push(path);
    for (const line of text.split('\n')) {
      if (!/^\s*(#|-|$)/.test(line)) add(text, path, line, /dev|test/.test(file));
    }
  }

  const pipfile = inFolder(root, 'Pipfile');
  const pipfileText = tree.text(pipfile);
  const pip = pipfileText === undefined ? undefined : readToml(pipfile, pipfileText, notices);
  if (pipfileText !== undefined && pip !== undefined) {
    paths.push(pipfile);
    for (const one of Object.keys(Table.parse(pip['packages']))) add(pipfileText, pipfile, one, false);
    for (const one of Object.keys(Table.parse(pip['dev-packages']))) add(pipfileText, pipfile, one, true);
    const asked = Table.parse(pip['requires'])['python_version'];
    if (typeof asked === 'string')
      runtime ??= { range: asked, path: pipfile, line: lineOf(pipfileText, 'python_version') };
  }
  const setupPath = inFolder(root, 'setup.py');
  const setupText = tree.text(setupPath);
  if (setupText !== undefined) {
    const setup = readSetup(setupText);
    name ??= setup.name;
    for (const one of setup.requirements) add(setupText, setupPath, one, false);
    for (const [extra, one] of setup.extras) if (DEVELOPMENT_GROUP.test(extra)) add(setupText, setupPath, one, true);
    if (setup.python !== undefined)
      runtime ??= { range: setup.python, path: setupPath, line: lineOf(setupText, 'python_requires') };
  }
  for (const file of ['setup.py', 'setup.cfg']) {
    const path = inFolder(root, file);
    if (tree.file(path)) paths.push(path);
  }
  if (paths.length === 0) return undefined;
  return {
    ecosystem: 'python',
    root,
    paths,
    name,
    description,
    dependencies,
    scripts,
    runtime: readVersionFile(tree, root) ?? runtime,
    tools,
    hasProject,
    requirements: tree.file(requirements) ? requirements : undefined,
    text: projectText ?? '',
  };
}

function readToml(path: string, text: string, notices: string[]): Record<string, unknown> | undefined {
  try {
    return parseToml(text);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    notices.push(`${path} was skipped: it is not valid TOML (${why.slice(0, 120)})`);
    return undefined;
  }
}

function readVersionFile(tree: SourceTree, root: string): Manifest['runtime'] {
  const path = inFolder(root, '.python-version');
  const version = tree.text(path, 1024)?.trim();
  return version !== undefined && /^3\.\d+(\.\d+)?$/.test(version) ? { range: version, path, line: 1 } : undefined;
}
