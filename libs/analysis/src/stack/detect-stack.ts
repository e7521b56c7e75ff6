import type { Stack } from '@devmesh/contracts/stack';
import { isJavaScript, languageOf } from '../parse/language.js';
import type { SourceTree } from '../tree/source-tree.js';
import type { ComponentReport, StackReport } from './component-report.js';
import { ownFiles, type ComponentSources } from './component-sources.js';
import { dockerfilePaths, readDockerfile } from './containers.js';
import { goComponent, readGoManifest, type GoManifest } from './go-component.js';
import { readGo } from './go-source.js';
import { javaComponent } from './java-component.js';
import { readJavaManifest, type JavaManifest } from './java-manifest.js';
import { isSpringSettings, readJava, readSpringSettings } from './java-source.js';
import { readJavaScript } from './javascript-source.js';
import { countLines, programmingLanguage } from './languages.js';
import { folderOf, isInside, type Manifest } from './manifest.js';
import { nodeComponent } from './node-component.js';
import { readNodeManifest, type NodeManifest } from './node-manifest.js';
import { pythonComponent } from './python-component.js';
import { readPythonManifest, type PythonManifest } from './python-manifest.js';
import type { SourceFacts } from './source-facts.js';
import { readPython } from './python-source.js';

const MAX_COMPONENTS = 50;
const MAX_SOURCE_BYTES = 512 * 1024;
/** Folders whose manifests belong to no deployable part. */
const ASIDE = /(^|\/)(tests?|__tests__|fixtures|__fixtures__|__mocks__|examples?|samples?|docs?|templates?|e2e)(\/|$)/i;
const PYTHON_MANIFESTS = /(^|\/)(pyproject\.toml|requirements(\.in|\.txt)|Pipfile|setup\.py)$/;

/**
 * The deployable parts of a tree, each value with its evidence. Nothing of the tree is run or imported. What can't be told
 * stays absent, what can't be read is skipped and named in `notices`. Throws `execution_cancelled` on abort.
 */
export async function detectStack(tree: SourceTree, signal?: AbortSignal): Promise<StackReport> {
  const notices: string[] = [];
  const lines = await countLines(tree, signal);
  const languages: Stack['languages'] = {};
  for (const [path, count] of lines) {
    const language = programmingLanguage(path);
    if (language !== undefined) languages[language] = (languages[language] ?? 0) + count;
  }
  const manifests = readManifests(tree, notices);
  const roots = [...new Set(manifests.map(({ root }) => root))];
  const dockerfiles = dockerfilePaths(tree);
  const components: ComponentReport[] = [];
  for (const manifest of manifests) {
    const own = ownFiles(manifest.root, roots, tree.files).filter((file) => file.utf8);
    const files = await readSources(
      tree,
      manifest,
      own.map(({ path }) => path),
      signal,
    );
    const sources = {
      tree,
      above: manifests
        .filter((other) => other.root !== manifest.root && isInside(other.root, manifest.root))
        .sort((a, b) => b.root.length - a.root.length),
      files,
      code: files.filter(({ test }) => !test),
      dockerfiles: dockerfiles
        .filter((path) => folderOf(path) === manifest.root)
        .flatMap((path) => readDockerfile(tree, path) ?? []),
      lines,
    };
    if (!isDeployable(manifest, sources.code, manifests)) continue;
    if (components.length >= MAX_COMPONENTS) {
      notices.push(
        `more than ${MAX_COMPONENTS} components: ${manifest.paths[0] ?? manifest.root} and later ones were left out`,
      );
      break;
    }
    components.push(componentOf(manifest, sources, notices));
  }
  if (tree.truncated) notices.push('the tree has more files than are read: later ones were left out');
  return {
    stack: { components: components.map(({ component }) => component), languages },
    components,
    dockerfiles,
    notices,
  };
}

type AnyManifest = NodeManifest | PythonManifest | GoManifest | JavaManifest;

function componentOf(
  manifest: AnyManifest,
  sources: Omit<ComponentSources, 'manifest'>,
  notices: string[],
): ComponentReport {
  switch (manifest.ecosystem) {
    case 'node':
      return nodeComponent({ ...sources, manifest }, notices);
    case 'python':
      return pythonComponent({ ...sources, manifest });
    case 'go':
      return goComponent({ ...sources, manifest });
    case 'java':
      return javaComponent({ ...sources, manifest });
  }
}

function readManifests(tree: SourceTree, notices: string[]): AnyManifest[] {
  const goRoots = new Set<string>();
  const javaRoots = new Set<string>();
  const nodeRoots = new Set<string>();
  const pythonRoots = new Set<string>();
  for (const { path, utf8 } of tree.files) {
    if (!utf8 || ASIDE.test(folderOf(path))) continue;
    if (/(^|\/)package\.json$/.test(path)) nodeRoots.add(folderOf(path));
    if (PYTHON_MANIFESTS.test(path)) pythonRoots.add(folderOf(path));
    if (/(^|\/)go\.mod$/.test(path)) goRoots.add(folderOf(path));
    if (/(^|\/)(pom\.xml|build\.gradle(\.kts)?)$/.test(path)) javaRoots.add(folderOf(path));
  }
  return [
    ...[...nodeRoots].flatMap((root) => readNodeManifest(tree, root, notices) ?? []),
    ...[...pythonRoots].flatMap((root) => readPythonManifest(tree, root, notices) ?? []),
    ...[...goRoots].flatMap((root) => readGoManifest(tree, root, notices) ?? []),
    ...[...javaRoots].flatMap((root) => readJavaManifest(tree, root) ?? []),
  ].sort((a, b) => (a.root < b.root ? -1 : a.root > b.root ? 1 : 0));
}

/** A manifest that only holds others together, or only configures tools, is no part of its own. */
function isDeployable(manifest: AnyManifest, code: readonly SourceFacts[], all: readonly Manifest[]): boolean {
  if (manifest.ecosystem === 'java' && manifest.onlyHolds) return false;
  if (manifest.ecosystem !== 'node') return code.length > 0;
  if (manifest.workspaces !== undefined)
    return manifest.scripts.has('start') || code.some(({ ports }) => ports.length > 0);
  return code.length > 0 || manifest.scripts.size > 0 || all.length === 1;
}

async function readSources(
  tree: SourceTree,
  manifest: Manifest,
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<SourceFacts[]> {
  const facts: SourceFacts[] = [];
  for (const path of paths) {
    const read = path.endsWith('.d.ts') || path.endsWith('.min.js') ? undefined : readerOf(manifest, path);
    if (!read) continue;
    await tree.breathe(signal);
    const text = tree.text(path, MAX_SOURCE_BYTES);
    if (text !== undefined) facts.push(read(path, text));
  }
  return facts;
}

/** How a file of a component is read; undefined for those that are none of its ecosystem's sources. */
function readerOf(manifest: Manifest, path: string): ((path: string, text: string) => SourceFacts) | undefined {
  const language = languageOf(path);
  switch (manifest.ecosystem) {
    case 'node':
      return language !== undefined && language !== 'dockerfile' && isJavaScript(language)
        ? (file, text) => readJavaScript(file, language, text)
        : undefined;
    case 'python':
      return language === 'python' ? readPython : undefined;
    case 'go':
      return path.endsWith('.go') ? readGo : undefined;
    case 'java':
      if (isSpringSettings(path)) return readSpringSettings;
      return path.endsWith('.java') ? readJava : undefined;
  }
}
