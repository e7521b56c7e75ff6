import { nodeEntryPoints, pythonEntryPoints } from '@devmesh/analysis/modules/entry-points';
import type { Member } from '@devmesh/analysis/modules/module';
import { moduleMap } from '@devmesh/analysis/modules/module-map';
import { Modules, type ExportedName } from '@devmesh/analysis/modules/modules';
import { programFlags, type Flag } from '@devmesh/analysis/documents/program-flags';
import { readPackages, type Packages } from '@devmesh/analysis/documents/packages';
import type { SourceTree } from '@devmesh/analysis/tree/source-tree';
import { code, plain, table } from './markdown.js';
import { mermaidMap } from './mermaid.js';

const MAX_NAMES = 150;
const MAX_MEMBERS = 40;
const MAX_FLAGS = 100;
/** Of all of the API together, in characters. */
const MAX_API = 120_000;

export interface ReferenceSections {
  /** Sections by name, in order; empty ones have nothing to say. */
  readonly sections: ReadonlyMap<string, string>;
  /** Whether there is anything that others import: without it a map of modules alone is no reason for a file. */
  readonly hasApi: boolean;
}

/** What is too long for a README: what packages export, flags, and who loads whom. Throws `execution_cancelled` on abort. */
export async function referenceSections(tree: SourceTree, signal: AbortSignal): Promise<ReferenceSections> {
  const packages = await readPackages(tree, signal);
  const modules = new Modules(tree);
  const api = await publicApi(modules, packages, signal);
  const { flags } = await programFlags(tree, signal);
  const named = new Map(packages.node.flatMap(({ name, root }) => (name === undefined ? [] : [[name, root] as const])));
  const map = await moduleMap(modules, named, signal);
  return {
    sections: new Map([
      ['flags', flagsSection(flags)],
      ['api', api],
      ['modules', map === undefined ? '' : `## Modules\n\nWho imports whom; tests are left out.\n\n${mermaidMap(map)}`],
    ]),
    hasApi: api !== '',
  };
}

function flagsSection(flags: readonly Flag[]): string {
  const rows = flags
    .toSorted((a, b) => order(a.path, b.path) || a.line - b.line)
    .map(({ name, short, value, description, path }) => [
      [short, name]
        .filter((one) => one !== undefined)
        .map((one) => code(one))
        .join(', '),
      value === undefined ? '' : code(value, 40),
      plain(description ?? '', 200),
      code(path),
    ]);
  if (rows.length === 0) return '';
  const more = rows.length > MAX_FLAGS ? `\n\nAnd ${rows.length - MAX_FLAGS} more.` : '';
  return `## Flags\n\n${table(['Flag', 'Value', 'What it does', 'Declared in'], rows.slice(0, MAX_FLAGS))}${more}`;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What packages that are handed out export, by what it is imported from. */
async function publicApi(modules: Modules, packages: Packages, signal: AbortSignal): Promise<string> {
  const { tree } = modules;
  const parts: string[] = [];
  const entries = [
    ...packages.node
      .filter(({ fields }) => fields.private !== true && fields.bin === undefined)
      .flatMap(({ root, fields }) =>
        (nodeEntryPoints(tree, root, fields)?.entries ?? []).map((entry) => ({ ...entry, root })),
      ),
    ...packages.python.flatMap((manifest) =>
      pythonEntryPoints(tree, manifest).map((entry) => ({ ...entry, root: manifest.root })),
    ),
  ];
  let size = 0;
  for (const { specifier, path, root } of entries) {
    await tree.breathe(signal);
    const names = modules
      .publicNames(path, root)
      .filter(({ declaration }) => declaration !== undefined)
      .sort((a, b) => order(a.name, b.name));
    if (names.length === 0) continue;
    const part = `### ${code(specifier)}\n\n${names.slice(0, MAX_NAMES).map(entryOf).join('\n')}${names.length > MAX_NAMES ? `\n- and ${names.length - MAX_NAMES} more` : ''}`;
    if (size + part.length > MAX_API) break;
    size += part.length;
    parts.push(part);
  }
  return parts.length === 0 ? '' : `## API\n\n${parts.join('\n\n')}`;
}

function entryOf({ name, path, declaration }: ExportedName): string {
  if (!declaration) return `- ${code(name)}`;
  const says = declaration.summary === undefined ? '' : `: ${plain(declaration.summary, 300)}`;
  const members = declaration.members.slice(0, MAX_MEMBERS).map(memberOf);
  return [`- ${code(declaration.signature, 300)} in ${code(path)}${says}`, ...members].join('\n');
}

function memberOf({ signature, summary }: Member): string {
  return `  - ${code(signature, 200)}${summary === undefined ? '' : `: ${plain(summary, 200)}`}`;
}
