import type { ComponentReport } from './component-report.js';
import {
  firstFile,
  healthPathOf,
  procfileCommand,
  resolver,
  runtimeOf,
  type ComponentSources,
} from './component-sources.js';
import { evidence, fact, lineOf, present, type Fact } from './evidence.js';
import { inFolder, relativeTo } from './manifest.js';
import { findPort } from './ports.js';
import type { PythonManifest } from './python-manifest.js';
import { resolveRoutes } from './routes.js';
import type { SourceFacts } from './source-facts.js';
import { environmentOf, importOf, servicesOfTests, usedServices } from './usage.js';

type Sources = ComponentSources<PythonManifest>;

/** Reads a component of Python. */
export function pythonComponent(sources: Sources): ComponentReport {
  const { tree, manifest, code, files, dockerfiles } = sources;
  const { root, dependencies } = manifest;
  const resolve = resolver(sources);
  const { packageManager, lockfile } = packageManagerOf(sources);
  const framework = frameworkOf(sources);
  const entryPoint = entryPointOf(sources, framework?.value);
  const entryFile = entryPoint && inFolder(root, entryPoint.value);
  const routes = resolveRoutes(code, resolve);
  const services = usedServices('python', code, dependencies);
  return {
    ecosystem: 'python',
    manifest,
    dependencies,
    lockfile,
    workspace: undefined,
    packageManagerVersion: undefined,
    environment: environmentOf(code),
    routes,
    healthPath: healthPathOf(routes),
    dockerfiles: dockerfiles.map(({ path }) => path),
    application: applicationOf(root, code),
    hasTests: files.some(({ test }) => test),
    testServices: servicesOfTests(
      'python',
      files,
      services.map(({ value }) => value),
      resolve,
    ),
    component: {
      root,
      name: (manifest.name ?? (root === '.' ? 'app' : (root.split('/').at(-1) ?? root))).slice(0, 214),
      language: 'python',
      services,
      ...present({
        runtime: runtimeOf(sources, 'python'),
        packageManager,
        framework,
        entryPoint,
        port: findPort({ tree, root, files: code, dockerfiles, entryFile, resolve }),
        startCommand: startCommandOf(sources, entryPoint),
        testCommand: testCommandOf(sources, packageManager?.value),
        lintCommand: lintCommandOf(sources, packageManager?.value),
      }),
    },
  };
}

function packageManagerOf({ tree, manifest }: Sources): {
  packageManager: Fact | undefined;
  lockfile: string | undefined;
} {
  const { root, tools, requirements } = manifest;
  const project = inFolder(root, 'pyproject.toml');
  for (const [value, lock, tool] of [
    ['uv', 'uv.lock', 'uv'],
    ['poetry', 'poetry.lock', 'poetry'],
    ['pipenv', 'Pipfile.lock', ''],
  ] as const) {
    const lockfile = firstFile(tree, root, [lock]);
    if (lockfile !== undefined)
      return { packageManager: fact(value, evidence(lockfile, `a lockfile of ${value}`)), lockfile };
    if (tools.has(tool)) {
      const line = lineOf(manifest.text, `[tool.${tool}`);
      return {
        packageManager: fact(value, evidence(project, `has a table [tool.${tool}]`, line)),
        lockfile: undefined,
      };
    }
  }
  if (firstFile(tree, root, ['Pipfile']) !== undefined) {
    return {
      packageManager: fact('pipenv', evidence(inFolder(root, 'Pipfile'), 'a manifest of pipenv')),
      lockfile: undefined,
    };
  }
  if (requirements !== undefined) {
    const says = evidence(requirements, 'lists requirements for pip');
    return { packageManager: fact('pip', says), lockfile: requirements };
  }
  const [first = project] = manifest.paths;
  const says = evidence(first, 'no lockfile and no table of another tool: pip, which comes with Python');
  return { packageManager: fact('pip', says), lockfile: undefined };
}

const FRAMEWORKS = ['fastapi', 'django', 'flask', 'starlette', 'quart', 'sanic', 'aiohttp', 'tornado'];

function frameworkOf({ manifest, code }: Sources): Fact | undefined {
  for (const name of FRAMEWORKS) {
    const declared = manifest.dependencies.get(name);
    const used = declared && importOf('python', code, [name]);
    if (!declared || !used) continue;
    const says = evidence(declared.path, `depends on ${name} ${declared.version}`.trim(), declared.line);
    return fact(name, says, evidence(used.path, `imports ${used.module}`, used.line));
  }
  return undefined;
}

/** The module that a command runs, as a path: `shop_worker` of `python -m shop_worker`, `app.main` of `uvicorn app.main:app`. */
function fileOfCommand(sources: Sources, command: string): string | undefined {
  const resolve = resolver(sources);
  const { root } = sources.manifest;
  const here = inFolder(root, 'x.py');
  const module =
    /\b(?:uvicorn|gunicorn|hypercorn|waitress-serve|granian)\b.*?\s([A-Za-z_][\w.]*):\w+/.exec(command)?.[1] ??
    /\bflask\b.*--app[\s=]([A-Za-z_][\w.]*)/.exec(command)?.[1];
  if (module !== undefined) return resolve(here, module);
  const asModule = /\bpython3?\s+(?:-\w\s+)*-m\s+([A-Za-z_][\w.]*)/.exec(command)?.[1];
  if (asModule !== undefined) return resolve(here, `${asModule}.__main__`) ?? resolve(here, asModule);
  const file = /\bpython3?\s+(?:-u\s+)?([\w./-]+\.py)\b/.exec(command)?.[1];
  const path = file === undefined ? undefined : inFolder(root, file.replace(/^\.\//, ''));
  return path !== undefined && sources.tree.file(path) ? path : undefined;
}

function entryPointOf(sources: Sources, framework: string | undefined): Fact | undefined {
  const { tree, manifest, code, dockerfiles } = sources;
  const { root } = manifest;
  const at = (path: string, because: ReturnType<typeof evidence>): Fact => fact(relativeTo(root, path), because);
  const procfile = procfileCommand(tree, root);
  const said = [
    ...dockerfiles.flatMap(({ path, command }) =>
      command
        ? [{ command: command.value.join(' '), because: evidence(path, command.value.join(' '), command.line) }]
        : [],
    ),
    ...(procfile
      ? [{ command: procfile.value, because: procfile.evidence[0] ?? evidence('Procfile', procfile.value) }]
      : []),
  ];
  for (const { command, because } of said) {
    const path = fileOfCommand(sources, command);
    if (path !== undefined) return at(path, because);
  }
  const manage = firstFile(tree, root, ['manage.py']);
  if (framework === 'django' && manage !== undefined) return at(manage, evidence(manage, 'manage.py of Django'));
  const runnable = code.filter(({ path }) => path.endsWith('/__main__.py'));
  if (runnable.length === 1 && runnable[0]) {
    return at(runnable[0].path, evidence(runnable[0].path, 'the only __main__.py: what python -m runs'));
  }
  const serving = code.filter(({ ports, runsAsMain }) => runsAsMain && ports.length > 0);
  if (serving.length === 1 && serving[0]) {
    return at(
      serving[0].path,
      evidence(serving[0].path, 'the only file that opens a port when it is run', serving[0].ports[0]?.line),
    );
  }
  const applications = code.filter((file) => file.applications.some(({ factory }) => isApplication(factory)));
  const [holder] = applications;
  if (holder && applications.length === 1) {
    const made = holder.applications.find(({ factory }) => isApplication(factory));
    return at(
      holder.path,
      evidence(holder.path, `the only file that makes a ${made?.factory ?? ''} application`, made?.line),
    );
  }
  const mains = code.filter(({ runsAsMain, path }) => runsAsMain && !/(^|\/)(setup|conftest)\.py$/.test(path));
  if (mains.length === 1 && mains[0])
    return at(mains[0].path, evidence(mains[0].path, 'the only file that is meant to be run'));
  return undefined;
}

function isApplication(factory: string): boolean {
  return /^(Flask|FastAPI|Starlette|Quart|Sanic)$/.test(factory);
}

function moduleOf(root: string, path: string): string {
  return relativeTo(root, path)
    .replace(/^src\//, '')
    .replace(/(\/__init__)?\.py$/, '')
    .replaceAll('/', '.');
}

function applicationOf(root: string, code: readonly SourceFacts[]): ComponentReport['application'] {
  const found = code.flatMap((file) =>
    file.applications
      .filter(({ factory }) => isApplication(factory))
      .map(({ name, factory }) => ({ file, name, factory })),
  );
  const [only] = found;
  if (!only || found.length > 1) return undefined;
  return { module: moduleOf(root, only.file.path), name: only.name, kind: only.factory };
}

function startCommandOf(sources: Sources, entryPoint: Fact | undefined): Fact | undefined {
  const { tree, manifest, dockerfiles } = sources;
  const procfile = procfileCommand(tree, manifest.root);
  if (procfile) return procfile;
  for (const { path, command } of dockerfiles) {
    if (command) return fact(command.value.join(' '), evidence(path, command.value.join(' '), command.line));
  }
  if (entryPoint?.value.endsWith('/__main__.py') !== true) return undefined;
  const path = inFolder(manifest.root, entryPoint.value);
  const module = moduleOf(manifest.root, path).replace(/\.__main__$/, '');
  return fact(`python -m ${module}`, evidence(path, `the package ${module} has a __main__.py`));
}

function runBy(packageManager: string | undefined, command: string): string {
  return packageManager === 'poetry' || packageManager === 'uv' || packageManager === 'pipenv'
    ? `${packageManager} run ${command}`
    : command;
}

function testCommandOf({ manifest, files, tree }: Sources, packageManager: string | undefined): Fact | undefined {
  const { root, tools, dependencies, text } = manifest;
  const tests = files.filter(({ test, path }) => test && /(^|\/)(test_[^/]*|[^/]*_test|tests)\.py$/.test(path));
  const [first] = tests;
  if (!first) return undefined;
  const declared = dependencies.get('pytest');
  const config = firstFile(tree, root, ['pytest.ini', 'conftest.py']);
  const because = [
    ...(declared ? [evidence(declared.path, `depends on pytest ${declared.version}`.trim(), declared.line)] : []),
    ...(tools.has('pytest')
      ? [evidence(inFolder(root, 'pyproject.toml'), 'configures pytest', lineOf(text, '[tool.pytest'))]
      : []),
    ...(config === undefined ? [] : [evidence(config, 'configures pytest')]),
  ];
  const used = files.find(({ test, imports }) => test && imports.some(({ module }) => module === 'pytest'));
  if (because.length === 0 && used) because.push(evidence(used.path, 'imports pytest'));
  if (because.length > 0) return fact(runBy(packageManager, 'pytest'), ...because, evidence(first.path, 'holds tests'));
  const manage = firstFile(tree, root, ['manage.py']);
  if (manage !== undefined && dependencies.has('django')) {
    return fact(
      runBy(packageManager, 'python manage.py test'),
      evidence(manage, 'manage.py of Django'),
      evidence(first.path, 'holds tests'),
    );
  }
  const unit = tests.find(({ imports }) => imports.some(({ module }) => module === 'unittest'));
  return unit && fact(runBy(packageManager, 'python -m unittest discover'), evidence(unit.path, 'imports unittest'));
}

function lintCommandOf({ manifest, tree }: Sources, packageManager: string | undefined): Fact | undefined {
  const { root, tools, dependencies, text } = manifest;
  for (const [tool, command, configs] of [
    ['ruff', 'ruff check .', ['ruff.toml', '.ruff.toml']],
    ['flake8', 'flake8 .', ['.flake8']],
  ] as const) {
    const declared = dependencies.get(tool);
    const config = firstFile(tree, root, configs);
    const because = [
      ...(declared ? [evidence(declared.path, `depends on ${tool} ${declared.version}`.trim(), declared.line)] : []),
      ...(tools.has(tool)
        ? [evidence(inFolder(root, 'pyproject.toml'), `configures ${tool}`, lineOf(text, `[tool.${tool}`))]
        : []),
      ...(config === undefined ? [] : [evidence(config, `configures ${tool}`)]),
    ];
    if (because.length > 0) return fact(runBy(packageManager, command), ...because);
  }
  return undefined;
}
