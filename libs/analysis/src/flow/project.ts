import type { FlowLanguage } from '../parse/language.js';
import { posix } from 'node:path';
import { analyseEntries } from './run-entries.js';
import type { Module } from './ir.js';
import type { Modules, Watcher } from './engine.js';
import { Interpreter, OutOfTime } from './interpreter.js';
import { newFrame } from './module-values.js';
import type { ModuleStore } from './module-store.js';
import { SHIPPED_MODELS, type FlowModels } from './models/extend.js';
import { settled, type ModuleState, type Value } from './value.js';

/** Modules that are loaded one from within another; more is a chain that no finding goes through. */
const MAX_NESTED = 12;
const EXTENSIONS = ['', '.ts', '.tsx', '.js', '.jsx', '.mjs', '.cjs', '/index.ts', '/index.js', '/index.tsx'];

/** Packages that are never part of a project. */
const OF_OTHERS =
  /^(java|javax|jakarta|kotlin|scala|sun|lombok|junit|org\.(springframework|apache|slf4j|junit|hibernate|mockito|json|w3c|xml|assertj)|com\.(google|fasterxml|sun|amazonaws)|io\.(swagger|micrometer|netty))\./;

const STANDARD =
  /^(archive|bufio|bytes|cmp|compress|container|context|crypto|database|debug|embed|encoding|errors|expvar|flag|fmt|go|hash|html|image|index|io|iter|log|maps|math|mime|net|os|path|plugin|reflect|regexp|runtime|slices|sort|strconv|strings|sync|syscall|testing|text|time|unicode|unique|unsafe|weak)(\/|$)/;

/** Files of one package that are looked at. */
const MAX_PACKAGE = 100;

/** The folder of a file, and every one that it is in. */
function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = posix.dirname(path); ; at = posix.dirname(at)) {
    folders.push(at);
    if (at === '.' || at === '/') return folders;
  }
}

/**
 * One file and what it calls in others. Nothing of what it learns is used for another file, so that what is found depends on the files
 * that were asked for here, and not on who was walked before.
 */
export class Project implements Modules {
  readonly #loaded = new Map<string, ModuleState | undefined>();
  readonly #interpreter: Interpreter;
  readonly #found = new Map<string, string | undefined>();
  /** Files that were read, and names of files that somebody looked for in vain: what the result depends on. */
  readonly read = new Set<string>();
  readonly missed = new Set<string>();
  readonly #packages = new Map<string, readonly string[]>();
  #nested = 0;

  constructor(
    readonly store: ModuleStore,
    watcher: Watcher,
    models: FlowModels = SHIPPED_MODELS,
  ) {
    this.#interpreter = new Interpreter(models, this, watcher);
  }

  /** Walks one file and everything it calls. False when its time was over; the watcher was told of what came before. */
  analyse(
    path: string,
    language: FlowLanguage,
    text: string,
    isOver: () => boolean,
  ): { module: Module | undefined; finished: boolean } {
    this.#interpreter.limit(isOver);
    const module = this.store.get(path, language, text)?.module;
    try {
      const state = module && this.#evaluated(path, module);
      if (state) analyseEntries(this.#interpreter, module, state);
      return { module, finished: true };
    } catch (error) {
      // So deep that the stack ends: what was found until then stands, as with time.
      if (error instanceof OutOfTime || error instanceof RangeError) return { module, finished: false };
      throw error;
    }
  }

  find(from: ModuleState, specifier: string, level: number): string | undefined {
    const key = `${from.path} ${level} ${specifier}`;
    if (!this.#found.has(key)) {
      const path =
        from.language === 'javascript'
          ? this.#javascriptPath(from.path, specifier)
          : from.language === 'python'
            ? this.#pythonPath(from.path, specifier, level)
            : from.language === 'java'
              ? this.#javaPath(from.path, specifier)
              : this.#goPath(specifier);
      this.#found.set(key, path === from.path ? undefined : path);
    }
    return this.#found.get(key);
  }

  load(path: string, language: ModuleState['language']): ModuleState | undefined {
    if (this.#loaded.has(path)) return this.#loaded.get(path);
    if (this.#nested >= MAX_NESTED) return undefined;
    this.read.add(path);
    const stored = this.store.get(path, language);
    if (!stored) this.#loaded.set(path, undefined);
    return stored && this.#evaluated(path, stored.module);
  }

  exportOf(module: ModuleState, name: string): Value | undefined {
    const own = module.exports.get(name);
    if (own) return settled(own);
    if (name === 'default') return undefined;
    for (const star of module.stars) {
      const target = this.#namesExport(star, module, name, 0) ? this.load(star, module.language) : undefined;
      const found = target && target !== module ? this.exportOf(target, name) : undefined;
      if (found) return found;
    }
    return undefined;
  }

  namespaceOf(module: ModuleState): Value {
    const ref = `./${module.path}`;
    if (module.language === 'go') {
      const all = new Map(module.exports);
      for (const path of this.#package(module.path)) {
        const other = path === module.path ? undefined : this.load(path, 'go');
        for (const [name, value] of other?.exports ?? []) if (!all.has(name)) all.set(name, value);
      }
      return { fields: all, open: true, ref };
    }
    if (module.stars.length === 0) return { fields: module.exports, open: true, ref };
    return { fields: module.exports, open: true, ref, member: (name) => this.exportOf(module, name) };
  }

  /** Whether a module may export a name, told without running it. */
  #namesExport(path: string, from: ModuleState, name: string, depth: number): boolean {
    if (this.#loaded.get(path)) return true;
    this.read.add(path);
    const stored = this.store.get(path, from.language);
    if (!stored) return false;
    if (!stored.names || stored.names.has(name)) return true;
    if (depth > MAX_NESTED) return false;
    return stored.stars.some((specifier) => {
      const next = this.#javascriptPath(path, specifier);
      return next !== undefined && this.#namesExport(next, from, name, depth + 1);
    });
  }

  #evaluated(path: string, module: Module): ModuleState {
    const { language, text } = module;
    const state: ModuleState = {
      path,
      text,
      language,
      exports: new Map(),
      stars: [],
      frame: undefined,
      ready: false,
    };
    // Known before it runs: modules may import each other.
    this.#loaded.set(path, state);
    this.#nested += 1;
    try {
      this.#interpreter.evaluate(module, state);
    } finally {
      this.#nested -= 1;
      state.frame ??= newFrame(state, undefined, undefined, undefined, 0);
      state.ready = true;
    }
    return state;
  }

  resource(from: ModuleState, name: string): string | undefined {
    for (const folder of foldersAbove(from.path)) {
      const path = ['src/main/resources', 'resources', '.']
        .map((one) => posix.join(folder, one, name))
        .find((one) => this.#has(one));
      if (path === undefined) continue;
      this.read.add(path);
      return this.store.files.read(path);
    }
    return undefined;
  }

  neighbour(from: ModuleState, name: string): Value | undefined {
    if (from.language === 'java') {
      if (!/^[A-Z]\w*$/.test(name)) return undefined;
      const path = this.find(from, `./${name}`, 0);
      const module = path === undefined ? undefined : this.load(path, 'java');
      return module && this.exportOf(module, name);
    }
    if (from.language !== 'go') return undefined;
    const dot = name.lastIndexOf('.');
    if (dot > 0) {
      const path = this.find(from, name.slice(0, dot), 0);
      const module = path === undefined ? undefined : this.load(path, 'go');
      return module && (this.exportOf(module, name.slice(dot + 1)) ?? this.neighbour(module, name.slice(dot + 1)));
    }
    for (const path of this.#package(from.path)) {
      if (path === from.path || this.store.get(path, 'go')?.names?.has(name) !== true) continue;
      const module = this.load(path, 'go');
      const found = module && this.exportOf(module, name);
      if (found) return found;
    }
    return undefined;
  }

  /** The files of a package of Go: those of its folder that are no tests. */
  #package(path: string): readonly string[] {
    const folder = posix.dirname(path);
    const known = this.#packages.get(folder);
    if (known) return known;
    const files = (this.store.files.list?.(folder) ?? [])
      .filter((one) => one.endsWith('.go') && !one.endsWith('_test.go'))
      .slice(0, MAX_PACKAGE);
    for (const one of files) this.read.add(one);
    this.#packages.set(folder, files);
    return files;
  }

  /** A package of the project by its path, of which only the end is a folder here. */
  #goPath(specifier: string): string | undefined {
    const parts = specifier.split('/');
    // Packages of the standard library have no dot in their first part; a module may have none either, but then it has a folder below.
    if (!specifier.includes('.') && STANDARD.test(specifier)) return undefined;
    for (let i = 0; i < parts.length; i += 1) {
      const folder = parts.slice(i).join('/');
      const file = this.store.files.list?.(folder).find((one) => one.endsWith('.go') && !one.endsWith('_test.go'));
      if (file !== undefined) return file;
    }
    return undefined;
  }

  /** A type by its full name, below any folder that the file is in; `./T` is one beside it. */
  #javaPath(from: string, specifier: string): string | undefined {
    if (specifier.startsWith('./')) {
      const path = posix.join(posix.dirname(from), `${specifier}.java`);
      return this.#has(path) ? path : undefined;
    }
    if (OF_OTHERS.test(specifier)) return undefined;
    const name = `${specifier.replaceAll('.', '/')}.java`;
    return foldersAbove(from)
      .map((folder) => posix.join(folder, name))
      .find((path) => this.#has(path));
  }

  #has(path: string): boolean {
    if (this.store.files.has(path)) return true;
    this.missed.add(path);
    return false;
  }

  #javascriptPath(from: string, specifier: string): string | undefined {
    if (!specifier.startsWith('.')) return undefined;
    const base = posix.join(posix.dirname(from), specifier);
    const bare = base.replace(/\.[cm]?jsx?$/, '');
    for (const stem of base === bare ? [base] : [base, bare]) {
      const found = EXTENSIONS.map((end) => `${stem}${end}`).find(
        (path) => /\.[cm]?[jt]sx?$/.test(path) && this.#has(path),
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #pythonPath(from: string, specifier: string, level: number): string | undefined {
    const name = specifier.replaceAll('.', '/');
    let folder = posix.dirname(from);
    const folders: string[] = [];
    if (level > 0) {
      for (let i = 1; i < level; i += 1) folder = posix.dirname(folder);
      folders.push(folder);
    } else
      for (let at = folder; ; at = posix.dirname(at)) {
        folders.push(at);
        if (at === '.' || at === '/') break;
      }
    for (const at of folders) {
      const found = [`${name}.py`, `${name}/__init__.py`]
        .map((path) => posix.join(at, path))
        .find((path) => path !== '.py' && this.#has(path));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
