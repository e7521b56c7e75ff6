import { plainWords } from '@devmesh/analysis/stack/commands';
import type { ComponentReport } from '@devmesh/analysis/stack/component-report';
import { GENERATED_MARK } from '@devmesh/analysis/stack/containers';
import { nodeInstallation, type NodeInstallation } from '@devmesh/analysis/stack/installation';
import { inFolder, relativeTo } from '@devmesh/analysis/stack/manifest';
import { chooseRuntime } from '@devmesh/analysis/stack/runtime-versions';
import type { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { healthProbe } from './health-probe.js';
import { DOCKERIGNORE_COMMON, type Image, type NoImage } from './image.js';

/** Serves built pages as an ordinary user, on 8080. */
const STATIC_SERVER = 'nginxinc/nginx-unprivileged:1.29-alpine';

/** Writes the image of a component of Node.js; `members` are the components of the same workspace. */
export function nodeImage(
  tree: SourceTree,
  report: ComponentReport,
  members: readonly ComponentReport[],
): Image | NoImage {
  const { component } = report;
  const install = nodeInstallation(report);
  if (!install) {
    const manager = component.packageManager?.value;
    return { reason: manager === undefined ? 'no package manager could be told' : `${manager} is not supported yet` };
  }
  const command = startCommand(report);
  const isStatic =
    command === undefined && component.framework?.value === 'vite' && component.buildCommand !== undefined;
  if (command === undefined && !isStatic) return { reason: 'nothing says how it is started' };

  const runtime = chooseRuntime(report);
  const base = `node:${runtime.version}-bookworm-slim`;
  const isMember = install.folder !== component.root;
  const home = isMember ? `/app/${relativeTo(install.folder, component.root)}` : '/app';
  const build = component.buildCommand === undefined ? undefined : buildCommand(report, install, isMember);
  const lines = [
    `# ${GENERATED_MARK}. Base: ${runtime.because}. Yours to change: it is never written over.`,
    `FROM ${base} AS build`,
    'WORKDIR /app',
    ...toolLines(install),
    ...manifestCopies(tree, report, install, members),
  ];
  if (!install.frozen) lines.push('# No lockfile: versions may differ from build to build.');
  if (build !== undefined) {
    const prunes = !isStatic && !needsDevelopmentPackages(report) && install.prune !== undefined;
    lines.push(
      `RUN ${withoutCache(install, install.all)}`,
      'COPY . .',
      `RUN ${build}${prunes ? ` && ${withoutCache(install, install.prune ?? '')}` : ''}`,
    );
  } else {
    lines.push(
      `RUN ${withoutCache(install, needsDevelopmentPackages(report) ? install.all : install.productionOnly)}`,
      'COPY . .',
    );
  }
  lines.push('');
  if (isStatic) {
    lines.push(
      `FROM ${STATIC_SERVER}`,
      `COPY --from=build ${home}/dist /usr/share/nginx/html`,
      'USER 101',
      'EXPOSE 8080',
    );
    lines.push('CMD ["nginx", "-g", "daemon off;"]');
  } else {
    lines.push(`FROM ${base}`, 'ENV NODE_ENV=production', `WORKDIR ${home}`);
    // By number, so that a cluster can tell that it isn't root: `node` of the base image.
    lines.push('COPY --from=build --chown=node:node /app /app', 'USER 1000');
    const { port } = component;
    if (port) lines.push(`EXPOSE ${port.value}`);
    if (port && report.healthPath !== undefined) {
      lines.push(healthProbe('node', port.value, report.healthPath));
    }
    lines.push(`CMD ${JSON.stringify(command)}`);
  }
  const outputs = build === undefined ? [] : ['**/dist', '**/.next'];
  return {
    dockerfile: inFolder(component.root, 'Dockerfile'),
    content: `${lines.join('\n')}\n`,
    context: install.folder,
    port: isStatic ? '8080' : component.port?.value,
    dockerignore: `# ${GENERATED_MARK}.\n${[...DOCKERIGNORE_COMMON, '**/node_modules', ...outputs, '**/coverage', '**/npm-debug.log*'].join('\n')}\n`,
  };
}

/** The program itself rather than its package manager, so that it gets the signals; npm runs what needs a shell. */
function startCommand({ component, manifest }: ComponentReport): string[] | undefined {
  const script = /^\w+ run (.+)$/.exec(component.startCommand?.value ?? '')?.[1];
  if (script !== undefined) {
    const words = plainWords(manifest.scripts.get(script)?.command ?? '');
    return words?.[0] === 'node' ? words : ['npm', 'run', script];
  }
  const entry = component.entryPoint?.value;
  return entry !== undefined && component.port !== undefined && /\.[cm]?js$/.test(entry) ? ['node', entry] : undefined;
}

/** Whether the start script runs a tool that is only there for development (`tsx src/server.ts`). */
function needsDevelopmentPackages({ component, manifest, dependencies }: ComponentReport): boolean {
  const script = /^\w+ run (.+)$/.exec(component.startCommand?.value ?? '')?.[1] ?? '';
  const words = manifest.scripts.get(script)?.command.split(/\s+/) ?? [];
  const named = words.find((word) => !word.includes('=') && word !== 'node' && word !== 'cross-env') ?? '';
  const aliases: Readonly<Record<string, string>> = { nest: '@nestjs/cli' };
  const tools = [
    aliases[named] ?? named,
    ...words.filter((word) => /^(tsx|ts-node)(\/|$)/.test(word)).map((word) => word.split('/')[0] ?? ''),
  ];
  return tools.some((tool) => dependencies.get(tool)?.development === true);
}

/** Yarn keeps what it downloads, which no layer needs. */
function withoutCache({ manager }: NodeInstallation, command: string): string {
  return manager === 'yarn' ? `${command} && yarn cache clean` : command;
}

function toolLines({ manager, fetch, modern }: NodeInstallation): string[] {
  if (manager === 'pnpm' && fetch !== undefined) return [`RUN npm install --global pnpm@${fetch}`];
  return modern ? ['RUN corepack enable'] : [];
}

function buildCommand({ component }: ComponentReport, install: NodeInstallation, isMember: boolean): string {
  if (!isMember) return component.buildCommand?.value ?? '';
  if (install.manager === 'pnpm') return `pnpm --filter ${component.name}... run build`;
  return install.manager === 'npm'
    ? 'npm run build --workspaces --if-present'
    : `yarn workspace ${component.name} run build`;
}

/** Manifests and lockfile alone, so that the layer of dependencies lasts until one of them changes. */
function manifestCopies(
  tree: SourceTree,
  { component, lockfile }: ComponentReport,
  { folder }: NodeInstallation,
  members: readonly ComponentReport[],
): string[] {
  const files = ['package.json', '.npmrc', '.yarnrc.yml', 'pnpm-workspace.yaml'].filter((name) =>
    tree.file(inFolder(folder, name)),
  );
  if (lockfile !== undefined) files.splice(1, 0, relativeTo(folder, lockfile));
  if (folder === component.root) return [`COPY ${files.join(' ')} ./`];
  const others = members
    .filter((member) => member.workspace === folder && member.component.root !== folder)
    .map((member) => relativeTo(folder, member.component.root));
  return [`COPY ${files.join(' ')} ./`, ...others.sort().map((root) => `COPY ${root}/package.json ${root}/`)];
}
