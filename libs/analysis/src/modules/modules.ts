import { languageOf } from '../parse/language.js';
import type { Ecosystem } from '../stack/services.js';
import { resolveModule } from '../stack/module-paths.js';
import type { SourceTree } from '../tree/source-tree.js';
import type { Declaration, ModuleFacts } from './module.js';
import { readJavaScriptModule } from './javascript-module.js';
import { namesOfAll, readPythonModule } from './python-module.js';

const MAX_SOURCE_BYTES = 1024 ** 2;
const MAX_DEPTH = 12;

/** An exported name and what stands behind it; without a declaration when that is in another package or can't be told. */
export interface ExportedName {
  readonly name: string;
  readonly path: string;
  readonly declaration: Declaration | undefined;
}

/** What can be imported from a module. */
export interface ExportedNames {
  readonly names: ReadonlyMap<string, ExportedName>;
  /** False when there may be more. */
  readonly complete: boolean;
}

/** The modules of a tree, each read when it is asked for. */
export class Modules {
  readonly #read = new Map<string, ModuleFacts | undefined>();
  readonly #exports = new Map<string, ExportedNames>();

  constructor(readonly tree: SourceTree) {}

  read(path: string): ModuleFacts | undefined {
    if (!this.#read.has(path)) this.#read.set(path, this.#readFile(path));
    return this.#read.get(path);
  }

  /** What a file loads. Unlike all else it is not kept: whoever asks for it asks for every file, once. */
  importsOf(path: string): ModuleFacts['imports'] {
    return (this.#read.get(path) ?? this.#readFile(path))?.imports ?? [];
  }

  #readFile(path: string): ModuleFacts | undefined {
    const language = languageOf(path);
    const text =
      language === undefined || language === 'dockerfile' ? undefined : this.tree.text(path, MAX_SOURCE_BYTES);
    if (text === undefined) return undefined;
    return language === 'python' ? readPythonModule(path, text) : readJavaScriptModule(path, text);
  }

  /** The file of an import; undefined for packages. `root` is the folder of the importing package. */
  resolve(from: string, module: string, root: string): string | undefined {
    const ecosystem: Ecosystem = from.endsWith('.py') ? 'python' : 'node';
    const found = resolveModule(ecosystem, from, module, root, (path) => this.tree.file(path) !== undefined);
    if (found !== undefined || ecosystem === 'python' || !/^\.\.?(\/|$)/.test(module)) return found;
    // Types beside what they describe: `./x.js` of a `.d.ts`.
    return resolveModule(
      'node',
      from,
      `${module.replace(/\.[cm]?js$/, '')}.d.ts`,
      root,
      (path) => this.tree.file(path) !== undefined,
    );
  }

  /** Every name that `path` exports, followed through re-exports. */
  exportsOf(path: string, root: string): ExportedNames {
    const known = this.#exports.get(path);
    if (known) return known;
    // A circle adds nothing to itself.
    this.#exports.set(path, { names: new Map(), complete: true });
    const facts = this.read(path);
    const names = new Map<string, ExportedName>();
    let complete = facts !== undefined && !facts.open;
    for (const module of facts?.passesOn ?? []) {
      const target = this.resolve(path, module, root);
      const passed = target === undefined ? undefined : this.exportsOf(target, root);
      if (!passed?.complete) complete = false;
      for (const [name, value] of passed?.names ?? [])
        if (name !== 'default' && !(path.endsWith('.py') && name.startsWith('_'))) names.set(name, value);
    }
    for (const name of facts?.exports.keys() ?? []) names.set(name, { ...this.#find(path, name, root, 0), name });
    const result = { names, complete };
    this.#exports.set(path, result);
    return result;
  }

  /** Follows one name to where it is declared. */
  #find(path: string, name: string, root: string, depth: number): ExportedName {
    const facts = this.read(path);
    const nothing = { name, path, declaration: undefined };
    if (!facts || depth > MAX_DEPTH) return nothing;
    const origin = facts.exports.get(name);
    if (origin && 'local' in origin) return { name, path, declaration: facts.declarations.get(origin.local) };
    const next = origin
      ? [[origin.module, origin.name] as const]
      : facts.passesOn.map((module) => [module, name] as const);
    for (const [module, other] of next) {
      const target = other === '*' ? undefined : this.resolve(path, module, root);
      const found = target === undefined ? undefined : this.#find(target, other, root, depth + 1);
      if (found?.declaration) return found;
    }
    return nothing;
  }

  /** The names that a Python package offers: those of `__all__`, else what it defines or takes from its own modules, without a leading underscore. */
  publicNames(path: string, root: string): ExportedName[] {
    const { names } = this.exportsOf(path, root);
    const listed = path.endsWith('.py') ? namesOfAll(this.tree.text(path, MAX_SOURCE_BYTES) ?? '') : undefined;
    if (listed) return listed.map((name) => names.get(name) ?? { name, path, declaration: undefined });
    return [...names.values()].filter(
      ({ name, declaration }) => !path.endsWith('.py') || (!name.startsWith('_') && declaration !== undefined),
    );
  }
}
