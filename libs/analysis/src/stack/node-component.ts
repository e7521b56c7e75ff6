import { isPresentScript, nodeCommands } from './node-commands.js';
import type { ComponentReport } from './component-report.js';
import { firstFile, foldersUp, healthPathOf, resolver, runtimeOf, type ComponentSources } from './component-sources.js';
import { evidence, fact, present, type Fact } from './evidence.js';
import { inFolder, type Dependency } from './manifest.js';
import { nodeEntryPoint } from './node-entry.js';
import { jsonLine, type NodeManifest } from './node-manifest.js';
import { findPort } from './ports.js';
import { resolveRoutes } from './routes.js';
import { environmentOf, importOf, servicesOfTests, usedServices } from './usage.js';

const LOCKFILES: readonly (readonly [string, string])[] = [
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
];

interface PackageManager {
  readonly fact: Fact | undefined;
  readonly lockfile: string | undefined;
  readonly workspace: string | undefined;
  readonly version: string | undefined;
}

/** Reads a component of Node.js. */
export function nodeComponent(sources: ComponentSources<NodeManifest>, notices: string[]): ComponentReport {
  const { tree, manifest, code, files, dockerfiles, lines } = sources;
  const { root } = manifest;
  const resolve = resolver(sources);
  const manager = packageManagerOf(sources, notices);
  const dependencies = new Map<string, Dependency>([
    ...sources.above.flatMap((one) => (one.root === manager.workspace ? [...one.dependencies] : [])),
    ...manifest.dependencies,
  ]);
  const entryPoint = nodeEntryPoint(sources);
  const framework = frameworkOf(sources, dependencies);
  const entryFile = entryPoint && inFolder(root, entryPoint.value);
  const routes = resolveRoutes(code, resolve);
  const services = usedServices('node', code, dependencies);
  const port =
    findPort({ tree, root, files: code, dockerfiles, entryFile, resolve }) ?? scriptPort(manifest, framework?.value);
  const hasTests = files.some(({ test }) => test) || isPresentScript(manifest, 'test');
  return {
    ecosystem: 'node',
    manifest,
    dependencies,
    lockfile: manager.lockfile,
    workspace: manager.workspace,
    packageManagerVersion: manager.version,
    environment: environmentOf(code),
    routes,
    healthPath: healthPathOf(routes),
    dockerfiles: dockerfiles.map(({ path }) => path),
    application: undefined,
    hasTests,
    testServices: servicesOfTests(
      'node',
      files,
      services.map(({ value }) => value),
      resolve,
    ),
    component: {
      root,
      name: (manifest.name ?? (root === '.' ? 'app' : (root.split('/').at(-1) ?? root))).slice(0, 214),
      language: languageOf(
        files.map(({ path }) => path),
        lines,
      ),
      services,
      ...present({
        runtime: runtimeOf(sources, 'node'),
        packageManager: manager.fact,
        framework,
        entryPoint,
        port,
        ...nodeCommands(manifest, manager.fact?.value ?? 'npm'),
      }),
    },
  };
}

function languageOf(paths: readonly string[], lines: ReadonlyMap<string, number>): 'javascript' | 'typescript' {
  const count = (pattern: RegExp): number =>
    paths.reduce((sum, path) => sum + (pattern.test(path) ? (lines.get(path) ?? 0) : 0), 0);
  return count(/\.([cm]?ts|tsx)$/) > count(/\.([cm]?js|jsx)$/) ? 'typescript' : 'javascript';
}

/** The `packageManager` member, else the lockfile, else npm, which comes with Node.js; of its workspace when it is a member. */
function packageManagerOf(
  { tree, manifest, above }: ComponentSources<NodeManifest>,
  notices: string[],
): PackageManager {
  for (const folder of foldersUp(manifest.root)) {
    const holder = [manifest, ...above].find((one) => one.root === folder && one.ecosystem === 'node') as
      NodeManifest | undefined;
    if (!holder || (folder !== manifest.root && holder.workspaces === undefined)) continue;
    const workspace = folder !== manifest.root || holder.workspaces !== undefined ? folder : undefined;
    const locks = LOCKFILES.flatMap(([name, value]) => {
      const path = firstFile(tree, folder, [name]);
      return path === undefined ? [] : [{ path, value }];
    });
    const named = /^(npm|pnpm|yarn|bun)@(\d[\w.-]*)/.exec(holder.packageManager ?? '');
    if (named?.[1] !== undefined) {
      const [path = ''] = holder.paths;
      const says = evidence(
        path,
        `"packageManager": "${holder.packageManager ?? ''}"`,
        jsonLine(holder.text, 'packageManager'),
      );
      const lock = locks.find(({ value }) => value === named[1]);
      return { fact: fact(named[1], says), lockfile: lock?.path, workspace, version: named[2] };
    }
    const [lock] = locks;
    if (lock && locks.every(({ value }) => value === lock.value)) {
      return {
        fact: fact(lock.value, evidence(lock.path, `a lockfile of ${lock.value}`)),
        lockfile: lock.path,
        workspace,
        version: undefined,
      };
    }
    if (lock) {
      notices.push(
        `${locks.map(({ path }) => path).join(' and ')} contradict each other: no package manager is concluded`,
      );
      return { fact: undefined, lockfile: undefined, workspace, version: undefined };
    }
  }
  const [path = ''] = manifest.paths;
  const says = evidence(path, 'neither a packageManager member nor a lockfile: npm, which comes with Node.js');
  return { fact: fact('npm', says), lockfile: undefined, workspace: undefined, version: undefined };
}

const IMPORTED: readonly (readonly [string, string])[] = [
  ['nest', '@nestjs/core'],
  ['fastify', 'fastify'],
  ['express', 'express'],
  ['koa', 'koa'],
  ['hono', 'hono'],
];
const CONFIGURED: readonly (readonly [string, string])[] = [
  ['next', 'next.config'],
  ['vite', 'vite.config'],
];

/** A framework that is declared and used: imported by code, or run by a script or configured by a file. */
function frameworkOf(
  sources: ComponentSources<NodeManifest>,
  dependencies: ReadonlyMap<string, Dependency>,
): Fact | undefined {
  const { manifest, code, tree } = sources;
  const candidates = IMPORTED.flatMap(([framework, name]) => {
    const declared = dependencies.get(name);
    const used = declared && importOf('node', code, [name]);
    if (!declared || !used) return [];
    const says = evidence(declared.path, `depends on ${name} ${declared.version}`, declared.line);
    return [fact(framework, says, evidence(used.path, `imports ${used.module}`, used.line))];
  });
  for (const [framework, config] of CONFIGURED) {
    const declared = dependencies.get(framework);
    if (!declared) continue;
    const says = evidence(declared.path, `depends on ${framework} ${declared.version}`, declared.line);
    const file = firstFile(
      tree,
      manifest.root,
      ['js', 'ts', 'mjs', 'cjs', 'mts'].map((one) => `${config}.${one}`),
    );
    const script = [...manifest.scripts].find(([, { command }]) =>
      new RegExp(`(^|[\\s&;])${framework}(\\s|$)`).test(command),
    );
    const [manifestPath = ''] = manifest.paths;
    const used =
      file !== undefined
        ? evidence(file, `configures ${framework}`)
        : script && evidence(manifestPath, `"${script[0]}": "${script[1].command}"`, script[1].line);
    if (!used) continue;
    const configured = fact(framework, says, used);
    // Next.js may be served by an Express of its own; Vite only builds the pages of a server.
    if (framework === 'next') return configured;
    candidates.push(configured);
  }
  return candidates[0];
}

/** `next start -p 3001` and the documented default of `next start` and `vite preview`. */
function scriptPort(manifest: NodeManifest, framework: string | undefined): Fact | undefined {
  const script = manifest.scripts.get('start');
  if (!script || framework === undefined) return undefined;
  const [path = ''] = manifest.paths;
  const says = evidence(path, `"start": "${script.command}"`, script.line);
  const asked = /(?:^|\s)(?:-p|--port)[\s=](\d{2,5})\b/.exec(script.command)?.[1];
  if (asked !== undefined && /\b(next|vite)\b/.test(script.command)) return fact(asked, says);
  if (/\bnext start\b/.test(script.command)) {
    return fact(
      '3000',
      evidence(path, `"start": "${script.command}" names no port: Next.js then listens on 3000`, script.line),
    );
  }
  return undefined;
}
