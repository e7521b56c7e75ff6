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
            : undefined;
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
    if (module.stars.length === 0) return { fields: module.exports, open: true, ref };
    const fields = new Map<string, Value>();
    const add = (one: ModuleState, depth: number): void => {
      for (const [name, value] of one.exports) if (!fields.has(name)) fields.set(name, value);
      for (const star of depth > MAX_NESTED ? [] : one.stars) {
        const target = this.load(star, one.language);
        if (target) add(target, depth + 1);
      }
    };
    add(module, 0);
    return { fields, open: true, ref };
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
