import type { Module, Stmt } from './ir.js';
import type { FlowLanguage } from '../parse/language.js';
import { lowerGo } from './lower-go.js';
import { lowerJava } from './lower-java.js';
import { lowerJavaScript } from './lower-javascript.js';
import { lowerPython } from './lower-python.js';

/** The files of a tree by relative path; undefined for one that is not there or is not read. */
export interface SourceFiles {
  has(path: string): boolean;
  read(path: string): string | undefined;
  /** Paths of the files directly in a folder. */
  list?(folder: string): readonly string[];
}

export const NO_FILES: SourceFiles = { has: () => false, read: () => undefined };

/** A file in the small form, and what it exports by its form alone. */
export interface StoredModule {
  readonly module: Module;
  /** Undefined where only running it can tell, as with `module.exports`. */
  readonly names: ReadonlySet<string> | undefined;
  /** What the specifiers of `export * from` say. */
  readonly stars: readonly string[];
}

const LOWER: Readonly<Record<FlowLanguage, (path: string, text: string) => Module | undefined>> = {
  javascript: lowerJavaScript,
  python: lowerPython,
  go: lowerGo,
  java: lowerJava,
};

/**
 * Text of the modules that are kept, in UTF-16 code units: a hundred files of the usual size. The small form takes many times as much,
 * and what is kept is looked through by every collection of garbage, which costs more than to read a file again now and then.
 */
const MAX_TEXT = 1_000_000;

/** Files of a tree in the small form, for whoever walks them: those that were asked for last are kept. */
export class ModuleStore {
  readonly #modules = new Map<string, StoredModule | undefined>();
  #size = 0;

  constructor(readonly files: SourceFiles) {}

  /** Undefined for a file that can't be read or parsed. `text` is given where somebody has read it already. */
  get(path: string, language: FlowLanguage, text?: string): StoredModule | undefined {
    const known = this.#modules.get(path);
    if (known && (text === undefined || known.module.text === text)) {
      this.#modules.delete(path);
      this.#modules.set(path, known);
      return known;
    }
    const content = text ?? this.files.read(path);
    const module = content === undefined ? undefined : LOWER[language](path, content);
    const stored = module && { module, ...exportsOf(module) };
    this.#size += (stored?.module.text.length ?? 0) - (known?.module.text.length ?? 0);
    this.#modules.delete(path);
    this.#modules.set(path, stored);
    for (const [oldest, one] of this.#modules) {
      if (this.#size <= MAX_TEXT || oldest === path) break;
      this.#modules.delete(oldest);
      this.#size -= one?.module.text.length ?? 0;
    }
    return stored;
  }
}

function exportsOf({ body, language }: Module): Pick<StoredModule, 'names' | 'stars'> {
  if (language === 'go') return { names: new Set(body.flatMap(goNames)), stars: [] };
  if (language !== 'javascript') return { names: undefined, stars: [] };
  const names = new Set<string>();
  const stars: string[] = [];
  const read = (one: Stmt): void => {
    if (one.k === 'export') names.add(one.exported);
    else if (one.k === 'reexport') {
      if (one.names.length === 0) stars.push(one.module);
      for (const { local } of one.names) names.add(local);
    } else if (one.k === 'block') one.body.forEach(read);
  };
  body.forEach(read);
  return { names: names.size > 0 || stars.length > 0 ? names : undefined, stars };
}

/** What a package of Go sees of a file. */
function goNames(one: Stmt): string[] {
  if (one.k === 'func') return [one.fn.name];
  if (one.k === 'class') return [one.cls.name];
  return one.k === 'expr' && one.value.k === 'assign' && one.value.target.k === 'name' ? [one.value.target.name] : [];
}
