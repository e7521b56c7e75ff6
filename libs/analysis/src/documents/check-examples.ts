import { posix } from 'node:path';
import { nodeEntryPoints, pythonEntryPoints, type EntryPoints } from '../modules/entry-points.js';
import { Modules, type ExportedNames } from '../modules/modules.js';
import { evidence, lineAt } from '../stack/evidence.js';
import { folderOf } from '../stack/manifest.js';
import type { CodeBlock, Document } from './document.js';
import { listed, nearest, shown, type Drift } from './drift.js';
import type { Mentions } from './mentions.js';
import type { Project } from './project.js';

/** An example of another version, or of what not to do. */
const OF_ANOTHER_TIME =
  /\b(before|old|older|v\d+|\d+\.x|migrat\w*|upgrad\w*|deprecat\w*|remov\w*|legacy|previous\w*|formerly|breaking|future|planned|proposal|wrong|incorrect|don'?t)\b/i;
const NAMED_IMPORT = /\bimport\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?\{([^{}]*)\}\s*from\s*(["'])([^"'\n]+)\2/g;
const NAMED_REQUIRE =
  /\b(?:const|let|var)\s*\{([^{}]*)\}\s*=\s*(?:await\s+import|require)\s*\(\s*(["'])([^"'\n]+)\2\s*\)/g;
const OTHER_IMPORT =
  /\b(?:import\s+(?:[\w$]+|\*\s+as\s+[\w$]+)\s+from\s*|require\s*\(\s*|import\s*\(\s*)(["'])([^"'\n]+)\1/g;
const FROM_IMPORT = /^[ \t]*(?:>>> )?from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]+)/gm;

/** What examples import of the tree's own packages, held to what those export. */
export class ExampleCheck {
  readonly #modules: Modules;
  readonly #node = new Map<string, { root: string; doors: EntryPoints; manifest: string }>();
  readonly #python = new Map<string, { root: string; path: string }>();

  constructor(readonly project: Project) {
    this.#modules = new Modules(project.tree);
    for (const { root, fields, name, paths } of project.nodePackages) {
      const doors = nodeEntryPoints(project.tree, root, fields);
      if (doors && name !== undefined) this.#node.set(name, { root, doors, manifest: paths[0] ?? '' });
    }
    for (const manifest of project.pythonPackages)
      for (const { specifier, path } of pythonEntryPoints(project.tree, manifest))
        this.#python.set(specifier, { root: manifest.root, path });
  }

  check(document: Document): Drift[] {
    return document.blocks.flatMap((block) => {
      if (OF_ANOTHER_TIME.test(`${block.under.join(' ')} ${block.context}`)) return [];
      if (/^(js|jsx|mjs|cjs|ts|tsx|mts|javascript|typescript)$/.test(block.language))
        return this.#checkJavaScript(document, block);
      return /^(py|python|python3|pycon)$/.test(block.language) ? this.#checkPython(document, block) : [];
    });
  }

  #checkJavaScript(document: Document, block: CodeBlock): Drift[] {
    const source = document.text.slice(block.start, block.end);
    const found: Drift[] = [];
    for (const pattern of [NAMED_IMPORT, NAMED_REQUIRE]) {
      for (const match of source.matchAll(pattern)) {
        const [whole, list = '', , specifier = ''] = match;
        const names = list
          .replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '')
          .split(',')
          .flatMap(
            (part) => /^\s*(?:type\s+)?([A-Za-z_$][\w$]*)\s*(?:(?:as|:)\s*[\w$]+)?\s*(?:=.*)?$/s.exec(part)?.[1] ?? [],
          );
        found.push(...this.#checkNode(document, block.start + match.index, whole, specifier, names));
      }
    }
    for (const match of source.matchAll(OTHER_IMPORT))
      found.push(...this.#checkNode(document, block.start + match.index, match[0], match[2] ?? '', []));
    return found;
  }

  #checkNode(document: Document, at: number, source: string, specifier: string, names: readonly string[]): Drift[] {
    const name = /^(@[^/]+\/[^/]+|[^/@][^/]*)/.exec(specifier)?.[1] ?? '';
    const owner = this.#node.get(name);
    if (!owner) return [];
    const { doors, manifest, root } = owner;
    if (!doors.allows(specifier)) {
      const start = at + source.lastIndexOf(specifier);
      const says = `an example imports ${shown(specifier)}, and the exports of ${manifest} have no such path`;
      return [
        {
          rule: 'docs-unknown-export',
          document,
          start,
          end: start + specifier.length,
          says,
          evidence: [this.project.tree.file(manifest) ? evidence(manifest, 'exports') : evidence(manifest, '')],
        },
      ];
    }
    const entry = doors.entries.find((one) => one.specifier === specifier);
    if (!entry || names.length === 0) return [];
    return this.#missing(document, at, source, specifier, names, this.#modules.exportsOf(entry.path, root), entry.path);
  }

  #missing(
    document: Document,
    at: number,
    source: string,
    module: string,
    names: readonly string[],
    exported: ExportedNames,
    path: string,
  ): Drift[] {
    if (!exported.complete || exported.names.size === 0) return [];
    return names.flatMap((name): Drift[] => {
      if (exported.names.has(name) || name === 'default') return [];
      const start = at + Math.max(0, source.search(new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`)));
      const all = [...exported.names.keys()].filter((one) => one !== 'default');
      const near = nearest(name, all);
      return [
        {
          rule: 'docs-unknown-export',
          document,
          start,
          end: start + name.length,
          says: `an example imports ${shown(name)} from ${shown(module)}, which exports ${listed(all)}`,
          evidence: [evidence(path, 'exports', 1)],
          ...(near === undefined ? {} : { suggestion: `perhaps ${near} is meant` }),
        },
      ];
    });
  }

  #checkPython(document: Document, block: CodeBlock): Drift[] {
    const source = document.text.slice(block.start, block.end);
    return [...source.matchAll(FROM_IMPORT)].flatMap((match): Drift[] => {
      const [whole, module = '', list = ''] = match;
      const [top = '', ...inner] = module.split('.');
      const owner = this.#python.get(top);
      if (!owner) return [];
      const folder = owner.path.endsWith('__init__.py') ? folderOf(owner.path) : undefined;
      if (folder === undefined && inner.length > 0) return [];
      const base = folder === undefined ? owner.path : posix.join(folder, ...inner);
      const path =
        inner.length === 0
          ? owner.path
          : [`${base}.py`, `${base}/__init__.py`].find((one) => this.project.tree.file(one));
      if (path === undefined) return [];
      const names = list
        .replace(/[()]/g, '')
        .split(',')
        .map((part) => part.trim().split(/\s+as\s+/)[0] ?? '')
        .filter((name) => /^[A-Za-z_]\w*$/.test(name))
        .filter((name) => folder === undefined || !this.#isModule(path, name));
      return this.#missing(
        document,
        block.start + match.index,
        whole,
        module,
        names,
        this.#modules.exportsOf(path, owner.root),
        path,
      );
    });
  }

  /** A submodule, also one that is compiled. */
  #isModule(path: string, name: string): boolean {
    const inside = `${folderOf(path)}/${name}`;
    return (
      path.endsWith('__init__.py') &&
      this.project.tree.files.some((file) => file.path.startsWith(`${inside}.`) || file.path.startsWith(`${inside}/`))
    );
  }
}

/** `Client.connect()` in code: a class of the tree and a member of it. */
export function membersNamed(
  document: Document,
): { className: string; member: string; start: number; end: number; context: string }[] {
  return document.spans.flatMap(({ text, start, end, context, under }) => {
    const match = /^([A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*)(?:\.|#|::)([A-Za-z_]\w*)(?:\([^()]*\))?$/.exec(text);
    const [, className, member] = match ?? [];
    if (className === undefined || member === undefined || OF_ANOTHER_TIME.test(`${under.at(-1) ?? ''} ${context}`))
      return [];
    return [{ className, member, start, end, context }];
  });
}

/** Members that stand nowhere in the tree, said of a class that is declared here and builds on no other. */
export function checkMembers(project: Project, document: Document, mentions: Mentions): Drift[] {
  if (!mentions.complete) return [];
  return membersNamed(document).flatMap(({ className, member, start, end }): Drift[] => {
    const declared = mentions.of(`class ${className}`);
    if (!declared || mentions.of(member)) return [];
    const line = lineAt(project.tree.text(declared.path) ?? '', declared.line);
    // What a class inherits may come from another package.
    if (!new RegExp(`\\bclass ${className}(<[^>]*>)?\\s*(\\(\\s*\\)|\\(object\\))?\\s*[:{]`).test(line)) return [];
    return [
      {
        rule: 'docs-unknown-symbol',
        document,
        start,
        end,
        says: `${shown(className)}.${shown(member)} is named, and no ${shown(member)} stands anywhere in the code`,
        evidence: [evidence(declared.path, `declares ${className}`, declared.line)],
      },
    ];
  });
}
