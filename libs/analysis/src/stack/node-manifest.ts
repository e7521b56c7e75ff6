import { z } from 'zod';
import type { SourceTree } from '../tree/source-tree.js';
import { lineOf } from './evidence.js';
import { inFolder, type Dependency, type Manifest, type Script } from './manifest.js';

const Strings = z
  .record(z.string(), z.unknown())
  .transform((record) =>
    Object.entries(record).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );

/** Only what is read of a package.json; a member of the wrong type counts as absent. */
const PackageJson = z.object({
  name: z.string().optional().catch(undefined),
  description: z.string().optional().catch(undefined),
  main: z.string().optional().catch(undefined),
  packageManager: z.string().optional().catch(undefined),
  scripts: Strings.catch([]),
  dependencies: Strings.catch([]),
  devDependencies: Strings.catch([]),
  optionalDependencies: Strings.catch([]),
  peerDependencies: Strings.catch([]),
  engines: Strings.catch([]),
  volta: Strings.catch([]),
  workspaces: z
    .union([z.array(z.string()), z.object({ packages: z.array(z.string()) }).transform(({ packages }) => packages)])
    .optional()
    .catch(undefined),
});

export interface NodeManifest extends Manifest {
  readonly ecosystem: 'node';
  readonly main: string | undefined;
  /** The `packageManager` member, e.g. `pnpm@10.1.0`. */
  readonly packageManager: string | undefined;
  /** Patterns of members when this is the root of a workspace. */
  readonly workspaces: readonly string[] | undefined;
  readonly text: string;
}

/** Line of `"key":`, looked for behind `"section"`. */
export function jsonLine(text: string, key: string, section?: string): number | undefined {
  const from = section === undefined ? 0 : Math.max(0, text.indexOf(`"${section}"`));
  const at = text.slice(from).search(new RegExp(`"${key.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}"\\s*:`));
  if (at < 0) return undefined;
  return text.slice(0, from + at).split('\n').length;
}

/** Reads `root`/package.json. Undefined when there is none or it is broken; then `notices` says why. */
export function readNodeManifest(tree: SourceTree, root: string, notices: string[]): NodeManifest | undefined {
  const path = inFolder(root, 'package.json');
  const text = tree.text(path);
  if (text === undefined) {
    if (tree.file(path)) notices.push(`${path} was skipped: it is not a text file of at most 1 MiB`);
    return undefined;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    notices.push(
      `${path} was skipped: it is not valid JSON (${error instanceof Error ? error.message.slice(0, 120) : ''})`,
    );
    return undefined;
  }
  const parsed = PackageJson.safeParse(json);
  if (!parsed.success) {
    notices.push(`${path} was skipped: it is not a JSON object`);
    return undefined;
  }
  const content = parsed.data;
  const dependencies = new Map<string, Dependency>();
  const add = (section: string, entries: readonly [string, string][], development: boolean): void => {
    for (const [name, version] of entries) {
      if (!dependencies.has(name)) {
        dependencies.set(name, { version, development, path, line: jsonLine(text, name, section) });
      }
    }
  };
  add('dependencies', content.dependencies, false);
  add('optionalDependencies', content.optionalDependencies, false);
  add('peerDependencies', content.peerDependencies, false);
  add('devDependencies', content.devDependencies, true);
  const scripts = new Map<string, Script>();
  for (const [name, command] of content.scripts) {
    scripts.set(name, { command, line: jsonLine(text, name, 'scripts') });
  }
  const engine = content.volta.find(([name]) => name === 'node') ?? content.engines.find(([name]) => name === 'node');
  const pnpmWorkspace = tree.exists(inFolder(root, 'pnpm-workspace.yaml'));
  return {
    ecosystem: 'node',
    root,
    paths: [path],
    name: content.name,
    description: content.description,
    dependencies,
    scripts,
    runtime: readVersionFile(tree, root) ?? (engine && { range: engine[1], path, line: jsonLine(text, 'node') }),
    main: content.main,
    packageManager: content.packageManager,
    workspaces: content.workspaces ?? (pnpmWorkspace ? [] : undefined),
    text,
  };
}

function readVersionFile(tree: SourceTree, root: string): Manifest['runtime'] {
  for (const name of ['.nvmrc', '.node-version']) {
    const path = inFolder(root, name);
    const text = tree.text(path, 1024);
    const version = text?.trim().replace(/^v(?=\d)/, '');
    if (text !== undefined && version !== undefined && /^\d+(\.\d+){0,2}$/.test(version)) {
      return { range: version, path, line: lineOf(text, version) };
    }
  }
  return undefined;
}
