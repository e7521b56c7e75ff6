import type { SourceTree } from '../tree/source-tree.js';
import type { ComponentReport } from './component-report.js';
import { firstFile, foldersUp, healthPathOf, ownFiles, type ComponentSources } from './component-sources.js';
import { evidence, fact, lineOf, present, type Fact } from './evidence.js';
import { folderOf, inFolder, relativeTo, type Dependency, type Manifest } from './manifest.js';
import { findPort } from './ports.js';
import { resolveRoutes } from './routes.js';
import { goModule } from './services.js';
import { matches } from './text-source.js';
import { environmentOf, importOf, servicesOfTests, usedServices } from './usage.js';

export interface GoManifest extends Manifest {
  readonly ecosystem: 'go';
  readonly text: string;
}

/** Reads `root`/go.mod; undefined when there is none, or it names no module. */
export function readGoManifest(tree: SourceTree, root: string, notices: string[]): GoManifest | undefined {
  const path = inFolder(root, 'go.mod');
  const text = tree.text(path);
  const name = /^module\s+"?([^\s"]+)/m.exec(text ?? '')?.[1];
  if (text === undefined || name === undefined) {
    if (tree.file(path)) notices.push(`${path} was skipped: it names no module`);
    return undefined;
  }
  const dependencies = new Map<string, Dependency>();
  for (const { match, line } of matches(text, /^(?:require\s+|[ \t]+)([\w.~-]+\.[\w.~/-]+)[ \t]+(v[^\s/]+)/gm)) {
    dependencies.set(goModule(match[1] ?? ''), { version: match[2] ?? '', development: false, path, line });
  }
  const version = /^toolchain\s+go(\d+\.\d+(?:\.\d+)?)/m.exec(text) ?? /^go\s+(\d+\.\d+(?:\.\d+)?)/m.exec(text);
  return {
    ecosystem: 'go',
    root,
    paths: [path],
    name: goModule(name).split('/').at(-1),
    description: undefined,
    dependencies,
    scripts: new Map(),
    runtime: version?.[1] === undefined ? undefined : { range: version[1], path, line: lineOf(text, version[0]) },
    text,
  };
}

const FRAMEWORKS: readonly (readonly [string, string])[] = [
  ['gin', 'github.com/gin-gonic/gin'],
  ['echo', 'github.com/labstack/echo'],
  ['fiber', 'github.com/gofiber/fiber'],
  ['chi', 'github.com/go-chi/chi'],
  ['gorilla', 'github.com/gorilla/mux'],
];

/** Reads a Go module. With several commands the one that opens a port, else the one named as the module, is the entry point. */
export function goComponent(sources: ComponentSources<GoManifest>): ComponentReport {
  const { tree, manifest, code, files, dockerfiles } = sources;
  const { root, dependencies } = manifest;
  const [path = ''] = manifest.paths;
  const entryPoint = entryPointOf(sources);
  const routes = resolveRoutes(code, () => undefined);
  const services = usedServices('go', code, dependencies);
  const says = evidence(path, `module ${manifest.name ?? ''}`, lineOf(manifest.text, /^module\s/m));
  const test = files.find((file) => file.test && file.path.endsWith('_test.go'));
  const workspace = foldersUp(root).find((folder) => firstFile(tree, folder, ['go.work']) !== undefined);
  return {
    ecosystem: 'go',
    manifest,
    dependencies,
    lockfile: firstFile(tree, root, ['go.sum']),
    workspace,
    packageManagerVersion: undefined,
    environment: environmentOf(code),
    routes,
    healthPath: healthPathOf(routes),
    dockerfiles: dockerfiles.map(({ path: file }) => file),
    application: undefined,
    hasTests: test !== undefined,
    testServices: servicesOfTests(
      'go',
      files,
      services.map(({ value }) => value),
      () => undefined,
    ),
    component: {
      root,
      name: (manifest.name ?? 'app').slice(0, 214),
      language: 'go',
      services,
      ...present({
        runtime:
          manifest.runtime &&
          fact(
            `go ${manifest.runtime.range}`,
            evidence(path, `asks for go ${manifest.runtime.range}`, manifest.runtime.line),
          ),
        packageManager: fact('go', says),
        framework: frameworkOf(sources),
        entryPoint,
        port: findPort({
          tree,
          root,
          files: code,
          dockerfiles,
          entryFile: entryPoint && inFolder(root, entryPoint.value),
          resolve: () => undefined,
        }),
        buildCommand: fact('go build ./...', says),
        lintCommand: fact('go vet ./...', says),
        testCommand: test && fact('go test ./...', says, evidence(test.path, 'holds tests')),
      }),
    },
  };
}

function entryPointOf({ manifest, code }: ComponentSources<GoManifest>): Fact | undefined {
  const mains = code.filter(({ runsAsMain }) => runsAsMain);
  const serving = mains.filter(
    ({ path, ports }) =>
      ports.length > 0 ||
      ownFiles(folderOf(path), [], code).some(
        (file) => file.ports.length > 0 && folderOf(file.path) === folderOf(path),
      ),
  );
  const named = mains.filter(({ path }) => folderOf(path).split('/').at(-1) === manifest.name);
  const atRoot = mains.filter(({ path }) => folderOf(path) === manifest.root);
  const chosen = [mains, serving, named, atRoot].find((some) => some.length === 1)?.[0];
  return chosen && fact(relativeTo(manifest.root, chosen.path), evidence(chosen.path, 'package main with func main'));
}

function frameworkOf({ manifest, code }: ComponentSources<GoManifest>): Fact | undefined {
  for (const [framework, name] of FRAMEWORKS) {
    const declared = manifest.dependencies.get(name);
    const used = declared && importOf('go', code, [name]);
    if (declared && used) {
      return fact(
        framework,
        evidence(declared.path, `requires ${name} ${declared.version}`, declared.line),
        evidence(used.path, `imports ${used.module}`, used.line),
      );
    }
  }
  const served = importOf('go', code, ['net/http']);
  return served && code.some(({ routes }) => routes.length > 0)
    ? fact('net/http', evidence(served.path, 'imports net/http', served.line))
    : undefined;
}
