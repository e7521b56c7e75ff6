import type { SourceTree } from '../tree/source-tree.js';
import type { DockerFacts } from './containers.js';
import { evidence, fact, type Fact } from './evidence.js';
import { inFolder, isInside, type Manifest } from './manifest.js';
import { resolveModule } from './module-paths.js';
import type { Route } from './routes.js';
import type { SourceFacts } from './source-facts.js';

/** Everything that a component is read from. */
export interface ComponentSources<M extends Manifest = Manifest> {
  readonly tree: SourceTree;
  readonly manifest: M;
  /** Manifests of the folders above, nearest first. */
  readonly above: readonly Manifest[];
  /** Facts of the component's own source files. */
  readonly files: readonly SourceFacts[];
  /** The same without tests. */
  readonly code: readonly SourceFacts[];
  /** Dockerfiles in its folder that people wrote. */
  readonly dockerfiles: readonly DockerFacts[];
  /** Lines of code by path. */
  readonly lines: ReadonlyMap<string, number>;
}

/** Finds the file of an import among the files of the tree. */
export function resolver(sources: ComponentSources): (from: string, module: string) => string | undefined {
  const { manifest, tree } = sources;
  const has = (path: string): boolean => tree.file(path) !== undefined;
  return (from, module) => resolveModule(manifest.ecosystem, from, module, manifest.root, has);
}

/** Version of the runtime: what people put in their own image, else what the manifest asks for. */
export function runtimeOf(sources: ComponentSources, image: 'node' | 'python'): Fact | undefined {
  const { runtime } = sources.manifest;
  const exact = runtime && /^\d/.test(runtime.range) ? runtime : undefined;
  const asked = (from: NonNullable<Manifest['runtime']>): Fact =>
    fact(`${image} ${from.range}`, evidence(from.path, `asks for ${image} ${from.range}`, from.line));
  if (exact) return asked(exact);
  for (const { path, bases } of sources.dockerfiles) {
    for (const { value, line } of bases.toReversed()) {
      const version = new RegExp(`(?:^|/)${image}:(\\d+(?:\\.\\d+)*)`).exec(value)?.[1];
      if (version !== undefined) return fact(`${image} ${version}`, evidence(path, `FROM ${value}`, line));
    }
  }
  return runtime && asked(runtime);
}

const HEALTH =
  /^\/(api\/|v\d+\/)*_?(health|healthz|healthcheck|health-check|livez|readyz|ready|live|ping|status)(\/(live|ready|liveness|readiness))?\/?$/i;
const HEALTH_ORDER = [/health/i, /livez?|readyz?/i, /./];

/** The route that is plainest a health check: GET, no parameter, named so. */
export function healthPathOf(routes: readonly Route[]): string | undefined {
  const candidates = routes.filter(({ method, path }) => (method === 'GET' || method === 'ANY') && HEALTH.test(path));
  for (const pattern of HEALTH_ORDER) {
    const [best] = candidates
      .filter(({ path }) => pattern.test(path))
      .sort((a, b) => a.path.length - b.path.length || (a.path < b.path ? -1 : 1));
    if (best) return best.path;
  }
  return undefined;
}

/** Folders from `root` up to the root of the tree. */
export function foldersUp(root: string): string[] {
  const parts = root === '.' ? [] : root.split('/');
  return [...parts.map((_part, index) => parts.slice(0, parts.length - index).join('/')), '.'];
}

/** The first of these files that is in `folder`. */
export function firstFile(tree: SourceTree, folder: string, names: readonly string[]): string | undefined {
  return names.map((name) => inFolder(folder, name)).find((path) => tree.file(path));
}

/** The command of `web:` or the only line of a Procfile. */
export function procfileCommand(tree: SourceTree, root: string): Fact | undefined {
  const path = inFolder(root, 'Procfile');
  const lines = (tree.text(path, 64 * 1024) ?? '').split('\n');
  const at = lines.findIndex((line) => /^web:/.test(line));
  const command = lines[at]?.replace(/^web:\s*/, '').trim();
  return command ? fact(command, evidence(path, lines[at] ?? '', at + 1)) : undefined;
}

export function ownFiles<T extends { readonly path: string }>(
  root: string,
  others: readonly string[],
  files: readonly T[],
): T[] {
  const nested = others.filter((other) => other !== root && isInside(root, other));
  return files.filter(({ path }) => isInside(root, path) && !nested.some((other) => isInside(other, path)));
}
