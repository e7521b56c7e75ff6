import type { SourceTree } from '../tree/source-tree.js';
import type { ComponentSources } from './component-sources.js';
import { evidence, fact, lineOf, type Fact } from './evidence.js';
import { inFolder, relativeTo } from './manifest.js';
import { findScript } from './module-paths.js';
import { jsonLine, type NodeManifest } from './node-manifest.js';

const RUNNERS = /^(node|nodejs|tsx|ts-node|ts-node-esm|ts-node-dev|nodemon|bun|babel-node|node-dev)$/;
const FLAGS_WITH_VALUE =
  /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file|-P|--project|--watch-path|-e|--exec)$/;

/** The file that a command runs: `dist/server.js` of `NODE_ENV=production node --flag dist/server.js`. */
export function fileOfCommand(command: string): string | undefined {
  const words = command.split(/\s+/);
  for (let i = 0; i < words.length; i += 1) {
    if (!RUNNERS.test(words[i] ?? '')) continue;
    for (let j = i + 1; j < words.length; j += 1) {
      const word = words[j] ?? '';
      if (FLAGS_WITH_VALUE.test(word)) j += 1;
      else if (word === 'watch' || word === 'run') continue;
      else if (!word.startsWith('-')) return /^[\w@./-]+$/.test(word) ? word.replace(/^\.\//, '') : undefined;
    }
  }
  return undefined;
}

interface Found {
  readonly path: string;
  readonly because: ReturnType<typeof evidence>[];
}

/** The source of a file that a manifest names: itself, or what the compiler makes it from. */
export function sourceOf(tree: SourceTree, root: string, named: string): Found | undefined {
  const has = (path: string): boolean => tree.file(path) !== undefined;
  const direct = findScript(inFolder(root, named), has);
  if (direct !== undefined) return { path: direct, because: [] };
  const configPath = ['tsconfig.build.json', 'tsconfig.json']
    .map((name) => inFolder(root, name))
    .find((path) => has(path));
  const config = configPath === undefined ? '' : (tree.text(configPath) ?? '');
  const option = (name: string): string | undefined =>
    new RegExp(`"${name}"\\s*:\\s*"\\.?/?([^"]*?)/?"`).exec(config)?.[1];
  const out = option('outDir') ?? named.split('/')[0] ?? '';
  if (out === '' || !named.startsWith(`${out}/`)) return undefined;
  const inner = named.slice(out.length + 1);
  const from = option('rootDir');
  for (const base of from === undefined ? ['src', ''] : [from]) {
    const path = findScript(inFolder(root, base === '' || base === '.' ? inner : `${base}/${inner}`), has);
    if (path === undefined) continue;
    const why =
      configPath === undefined
        ? []
        : [evidence(configPath, `compiles ${base || '.'} to ${out}`, lineOf(config, '"outDir"'))];
    return { path, because: why };
  }
  return undefined;
}

/** The file that the component is started with, relative to the component. */
export function nodeEntryPoint(sources: ComponentSources<NodeManifest>): Fact | undefined {
  const { tree, manifest, code, dockerfiles } = sources;
  const { root } = manifest;
  const [manifestPath = ''] = manifest.paths;
  const found = (result: Found | undefined, ...because: ReturnType<typeof evidence>[]): Fact | undefined =>
    result && fact(relativeTo(root, result.path), ...because, ...result.because);
  for (const name of ['start', 'start:prod', 'serve', 'dev', 'start:dev']) {
    const script = manifest.scripts.get(name);
    if (!script) continue;
    const named = fileOfCommand(script.command) ?? (/\bnest start\b/.test(script.command) ? 'src/main.ts' : undefined);
    const says = evidence(manifestPath, `"${name}": "${script.command}"`, script.line);
    const entry = named === undefined ? undefined : found(sourceOf(tree, root, named), says);
    if (entry) return entry;
  }
  for (const { path, command } of dockerfiles) {
    const named = command && fileOfCommand(command.value.join(' '));
    const says = command && evidence(path, command.value.join(' '), command.line);
    const entry = named !== undefined && says ? found(sourceOf(tree, root, named), says) : undefined;
    if (entry) return entry;
  }
  if (manifest.main !== undefined) {
    const says = evidence(manifestPath, `"main": "${manifest.main}"`, jsonLine(manifest.text, 'main'));
    const entry = found(sourceOf(tree, root, manifest.main.replace(/^\.\//, '')), says);
    if (entry) return entry;
  }
  const listening = code.filter(({ ports }) => ports.length > 0);
  const [only] = listening;
  if (only && listening.length === 1) {
    return fact(
      relativeTo(root, only.path),
      evidence(only.path, 'the only file that opens a port', only.ports[0]?.line),
    );
  }
  return undefined;
}
