import type { StackReport } from '../stack/component-report.js';
import { isInside } from '../stack/manifest.js';
import type { PythonManifest } from '../stack/python-manifest.js';
import type { SourceTree } from '../tree/source-tree.js';
import { documentKind, type Document } from './document.js';
import { readPackages, type NodePackage } from './packages.js';
import { Places } from './places.js';
import { readMarkdown } from './read-markdown.js';
import { readRst } from './read-rst.js';

const MAX_DOCUMENT_BYTES = 512 * 1024;
const MAX_DOCUMENTS = 2000;
/** Of all documents together, in characters. */
const MAX_TEXT = 16 * 1024 ** 2;

const SITE_CONFIG =
  /(^|\/)(mkdocs\.ya?ml|docusaurus\.config\.[cm]?[jt]s|book\.toml|conf\.py|_config\.yml|antora\.yml|hugo\.(toml|ya?ml)|astro\.config\.[cm]?[jt]s|\.vitepress\/config\.[cm]?[jt]s|next\.config\.[cm]?[jt]s|_sidebar\.md|mint\.json|docs\.json|SUMMARY\.md)$/;
/** Targets of a Makefile or recipes of a justfile, with their lines. */
export interface TaskFile {
  readonly tool: 'make' | 'just';
  readonly path: string;
  readonly names: ReadonlyMap<string, number>;
  /** Whether patterns or other files may add names. */
  readonly open: boolean;
}

/** Everything that documents are held to. */
export interface Project {
  readonly tree: SourceTree;
  readonly stack: StackReport;
  readonly places: Places;
  readonly documents: readonly Document[];
  readonly nodePackages: readonly NodePackage[];
  readonly pythonPackages: readonly PythonManifest[];
  readonly taskFiles: readonly TaskFile[];
  /** Whether a generator of sites reads the documents. */
  readonly site: boolean;
  /** `owner/name` on GitHub in lower case, when the manifest says so. */
  readonly repository: string | undefined;
  /** A document of the tree, also one that is held to nothing itself. */
  document(path: string): Document | undefined;
  /** What became of a path that is not there. `because` is for people and may be empty. */
  whereabouts(path: string): { readonly now: string | undefined; readonly because: string };
}

/** Reads the documents and manifests of a tree. Throws `execution_cancelled` on abort. */
export async function readProject(tree: SourceTree, stack: StackReport, signal?: AbortSignal): Promise<Project> {
  const places = new Places(tree);
  const known = new Map<string, Document | undefined>();
  const read = (path: string): Document | undefined => {
    if (!known.has(path)) {
      const text = /\.(md|mdx|markdown|rst)$/i.test(path) ? tree.text(path, MAX_DOCUMENT_BYTES) : undefined;
      const kind = documentKind(path) ?? 'record';
      known.set(
        path,
        text === undefined
          ? undefined
          : /\.rst$/i.test(path)
            ? readRst(path, text, kind)
            : readMarkdown(path, text, kind),
      );
    }
    return known.get(path);
  };
  const documents: Document[] = [];
  let size = 0;
  for (const file of tree.files) {
    if (!file.utf8 || documentKind(file.path) === undefined) continue;
    if (documents.length >= MAX_DOCUMENTS || size + file.size > MAX_TEXT) break;
    await tree.breathe(signal);
    const document = read(file.path);
    if (!document) continue;
    size += document.text.length;
    documents.push(document);
  }
  const packages = await readPackages(tree, signal);
  const taskFiles: TaskFile[] = [];
  for (const { path, utf8 } of tree.files) {
    if (!utf8) continue;
    const name = path.slice(path.lastIndexOf('/') + 1);
    await tree.breathe(signal);
    if (/^(GNUmakefile|[Mm]akefile)$/.test(name)) taskFiles.push(...readMakefile(tree, path));
    if (/^\.?justfile$/i.test(name)) taskFiles.push(...readJustfile(tree, path));
  }
  const atRoot = packages.node.find(({ root }) => root === '.');
  const address = atRoot?.fields.repository ?? '';
  const repository = /^(?:github:)?([\w.-]+\/[\w.-]+)$|github\.com[/:]([\w.-]+\/[\w.-]+?)(?:\.git)?(?:[/#].*)?$/.exec(
    address,
  );
  return {
    tree,
    stack,
    places,
    documents,
    nodePackages: packages.node,
    pythonPackages: packages.python,
    taskFiles,
    site: tree.files.some(({ path }) => SITE_CONFIG.test(path)),
    repository: (repository?.[1] ?? repository?.[2])?.toLowerCase(),
    document: read,
    whereabouts: (path) => {
      const other = places.inOtherLetters(path);
      if (other !== undefined) return { now: other, because: `; ${other} is, in other letters` };
      const only = places.onlyOne(path);
      return { now: only, because: only === undefined ? '' : `; the only file of that name is ${only}` };
    },
  };
}

function readMakefile(tree: SourceTree, path: string): TaskFile[] {
  const text = tree.text(path, 512 * 1024);
  if (text === undefined) return [];
  const names = new Map<string, number>();
  let open = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^-?s?include\b|^\$\(|^[^\t#=]*[%$][^:=]*:(?!=)|^define\b|\$\(eval\b/.test(line)) open = true;
    const targets = /^([^\s#:=][^#:=]*?)\s*::?(?!=)/.exec(line)?.[1];
    for (const name of targets?.split(/\s+/) ?? []) {
      if (name !== '.PHONY' && !names.has(name)) names.set(name, index + 1);
      // A phony name has a rule, or is made by a pattern.
      if (name === '.PHONY')
        for (const phony of line
          .replace(/^[^:]*:/, '')
          .trim()
          .split(/\s+/))
          if (!names.has(phony)) names.set(phony, index + 1);
    }
  }
  return [{ tool: 'make', path, names, open }];
}

function readJustfile(tree: SourceTree, path: string): TaskFile[] {
  const text = tree.text(path, 512 * 1024);
  if (text === undefined) return [];
  const names = new Map<string, number>();
  for (const [index, line] of text.split('\n').entries()) {
    const name = /^(?:alias\s+)?@?([A-Za-z_][\w-]*)(?:\s[^:=]*)?(?:\s*:=|\s*:(?!=))/.exec(line)?.[1];
    if (name !== undefined && (!/:=/.test(line) || line.startsWith('alias'))) names.set(name, index + 1);
  }
  return [{ tool: 'just', path, names, open: /^(mod|import)\??\s/m.test(text) }];
}

/** The manifest that a document belongs to: that of its folder, or of the next one above. */
export function nearestOf<T extends { readonly root: string }>(all: readonly T[], path: string): T | undefined {
  return all.filter(({ root }) => isInside(root, path)).sort((a, b) => depth(b.root) - depth(a.root))[0];
}

function depth(root: string): number {
  return root === '.' ? 0 : root.split('/').length;
}
