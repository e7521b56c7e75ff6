import { plainWords } from '@devmesh/analysis/stack/commands';
import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import { GENERATED_MARK } from '@devmesh/analysis/stack/containers';
import { inFolder, isInside, relativeTo } from '@devmesh/analysis/stack/manifest';
import { PYTHON_TOOLS } from '@devmesh/analysis/stack/python-tools';
import { chooseRuntime } from '@devmesh/analysis/stack/runtime-versions';
import type { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { healthProbe } from './health-probe.js';
import { DOCKERIGNORE_COMMON, type Image, type NoImage } from './image.js';

/** Writes the image of a component of Python. */
export function pythonImage(tree: SourceTree, report: ComponentReport): Image | NoImage {
  const { component } = report;
  const command = startCommand(tree, report);
  if (command === undefined) return { reason: 'nothing says how it is started' };
  const install = installLines(tree, report);
  if (install === undefined) return { reason: 'nothing says what to install' };
  const runtime = chooseRuntime(report);
  const base = `python:${runtime.version}-slim-bookworm`;
  const usesSrc = tree.files.some(
    ({ path }) => isInside(inFolder(component.root, 'src'), path) && path.endsWith('.py'),
  );
  const lines = [
    `# ${GENERATED_MARK}. Base: ${runtime.because}. Yours to change: it is never written over.`,
    `FROM ${base} AS build`,
    'WORKDIR /app',
    'RUN python -m venv /opt/venv',
    'ENV PATH=/opt/venv/bin:$PATH VIRTUAL_ENV=/opt/venv',
    ...install,
    '',
    `FROM ${base}`,
    `ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1${usesSrc ? ' PYTHONPATH=/app/src' : ''}`,
    'WORKDIR /app',
    'RUN useradd --create-home --uid 10001 app',
    'COPY --from=build /opt/venv /opt/venv',
    'COPY --chown=app:app . .',
    'USER 10001',
  ];
  const port = portOf(report);
  if (port !== undefined) lines.push(`EXPOSE ${port}`);
  if (port !== undefined && report.healthPath !== undefined) {
    lines.push(healthProbe('python', port, report.healthPath));
  }
  lines.push(`CMD ${JSON.stringify(command)}`);
  const ignored = [
    ...DOCKERIGNORE_COMMON,
    '**/__pycache__',
    '**/*.pyc',
    '**/.venv',
    '**/venv',
    '**/.pytest_cache',
    '**/.ruff_cache',
  ];
  return {
    dockerfile: inFolder(component.root, 'Dockerfile'),
    content: `${lines.join('\n')}\n`,
    context: component.root,
    port,
    dockerignore: `# ${GENERATED_MARK}.\n${ignored.join('\n')}\n`,
  };
}

/** What the code opens; for an application that a server is started for here, the server's usual port. */
function portOf({ component, application }: ComponentReport): string | undefined {
  if (component.port) return component.port.value;
  return application && component.startCommand === undefined ? '8000' : undefined;
}

function startCommand(tree: SourceTree, report: ComponentReport): string[] | undefined {
  const { component, application, dependencies } = report;
  const said = plainWords(component.startCommand?.value ?? '');
  if (said) return said;
  const port = portOf(report) ?? '8000';
  const target = application && `${application.module}:${application.name}`;
  const isAsync = application && /^(FastAPI|Starlette|Quart)$/.test(application.kind);
  if (target !== undefined && isAsync && dependencies.has('uvicorn')) {
    return ['uvicorn', target, '--host', '0.0.0.0', '--port', port];
  }
  if (target !== undefined && !isAsync && dependencies.has('gunicorn')) {
    return ['gunicorn', '--bind', `0.0.0.0:${port}`, target];
  }
  if (component.framework?.value === 'django' && dependencies.has('gunicorn')) {
    const wsgi = tree.files.filter(({ path }) => path.endsWith('/wsgi.py') && isInside(component.root, path));
    const [only] = wsgi;
    if (only && wsgi.length === 1) {
      const module = relativeTo(component.root, only.path).replace(/\.py$/, '').replaceAll('/', '.');
      return ['gunicorn', '--bind', `0.0.0.0:${port}`, `${module}:application`];
    }
  }
  // A file is started by hand only when it opens a port itself; a module that merely makes an application would end at once.
  const entry = component.entryPoint;
  return entry && component.port && component.framework?.value !== 'django' ? ['python', entry.value] : undefined;
}

function installLines(tree: SourceTree, { component, lockfile, manifest }: ComponentReport): string[] | undefined {
  const { root } = component;
  const has = (name: string): boolean => tree.file(inFolder(root, name)) !== undefined;
  const copied = (...names: readonly string[]): string => `COPY ${names.filter(has).join(' ')} ./`;
  switch (component.packageManager?.value) {
    case 'uv':
      return [
        `RUN pip install --no-cache-dir uv==${PYTHON_TOOLS.uv}`,
        copied('pyproject.toml', 'uv.lock'),
        `RUN uv sync --active${lockfile === undefined ? '' : ' --frozen'} --no-dev --no-install-project`,
      ];
    case 'poetry':
      return [
        `RUN pip install --no-cache-dir poetry==${PYTHON_TOOLS.poetry}`,
        copied('pyproject.toml', 'poetry.lock'),
        'RUN poetry install --only main --no-root --no-interaction',
      ];
    case 'pipenv':
      return [
        `RUN pip install --no-cache-dir pipenv==${PYTHON_TOOLS.pipenv}`,
        copied('Pipfile', 'Pipfile.lock'),
        `RUN pipenv ${lockfile === undefined ? 'install' : 'sync'}`,
      ];
    default:
      if (has('requirements.txt')) {
        return [copied('requirements.txt'), 'RUN pip install --no-cache-dir --requirement requirements.txt'];
      }
      if (manifest.paths.some((path) => /(pyproject\.toml|setup\.py)$/.test(path))) {
        return ['COPY . .', 'RUN pip install --no-cache-dir .'];
      }
      return undefined;
  }
}
