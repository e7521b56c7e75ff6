import { posix } from 'node:path';
import { lowerJavaScript } from './lower-javascript.js';
import { lowerPython } from './lower-python.js';
import { analyseEntries } from './run-entries.js';
import type { Module } from './ir.js';
import type { Modules, Watcher } from './engine.js';
import { Interpreter, OutOfTime } from './interpreter.js';
import { newFrame } from './module-values.js';
import { JAVASCRIPT } from './models/javascript.js';
import { PYTHON } from './models/python.js';
import type { ModuleState } from './value.js';

/** The files of a tree by relative path; undefined for one that is not there or is not read. */
export interface SourceFiles {
  has(path: string): boolean;
  read(path: string): string | undefined;
}

export const NO_FILES: SourceFiles = { has: () => false, read: () => undefined };

interface Loaded {
  readonly module: Module;
  readonly state: ModuleState;
}

const MAX_LOADED = 400;
const EXTENSIONS = ['', '.ts', '.tsx', '.js', '.jsx', '.mjs', '.cjs', '/index.ts', '/index.js', '/index.tsx'];

/** The modules of a tree, read when somebody asks for them; the last few hundred are kept. */
export class Project implements Modules {
  readonly #loaded = new Map<string, Loaded | undefined>();
  readonly #interpreter: Interpreter;

  constructor(
    readonly files: SourceFiles,
    watcher: Watcher,
  ) {
    this.#interpreter = new Interpreter({ javascript: JAVASCRIPT, python: PYTHON }, this, watcher);
  }

  /** Walks one file and everything it calls. False when its time was over; the watcher was told of what came before. */
  analyse(
    path: string,
    language: 'javascript' | 'python',
    text: string,
    isOver: () => boolean,
  ): { module: Module | undefined; finished: boolean } {
    this.#interpreter.limit(isOver);
    let module: Module | undefined;
    try {
      const loaded = this.#load(path, language, text);
      module = loaded?.module;
      if (loaded) analyseEntries(this.#interpreter, loaded.module, loaded.state);
      return { module, finished: true };
    } catch (error) {
      // So deep that the stack ends: what was found until then stands, as with time.
      if (error instanceof OutOfTime || error instanceof RangeError) return { module, finished: false };
      throw error;
    }
  }

  resolve(from: ModuleState, specifier: string, level: number): ModuleState | undefined {
    const path =
      from.language === 'javascript'
        ? this.#javascriptPath(from.path, specifier)
        : this.#pythonPath(from.path, specifier, level);
    if (path === undefined || path === from.path) return undefined;
    const known = this.#loaded.get(path);
    if (known) return known.state;
    const text = this.files.read(path);
    return text === undefined ? undefined : this.#load(path, from.language, text)?.state;
  }

  #load(path: string, language: 'javascript' | 'python', text: string): Loaded | undefined {
    const known = this.#loaded.get(path);
    if (known?.state.text === text) return known;
    const module = language === 'javascript' ? lowerJavaScript(path, text) : lowerPython(path, text);
    if (!module) return undefined;
    const state: ModuleState = { path, text, language, exports: new Map(), frame: undefined };
    const loaded = { module, state };
    // Known before it runs: modules may import each other.
    this.#loaded.set(path, loaded);
    const [oldest] = this.#loaded.keys();
    if (this.#loaded.size > MAX_LOADED && oldest !== undefined) this.#loaded.delete(oldest);
    try {
      this.#interpreter.evaluate(module, state);
    } catch (error) {
      state.frame ??= newFrame(state, undefined, undefined, undefined, 0);
      throw error;
    }
    return loaded;
  }

  #javascriptPath(from: string, specifier: string): string | undefined {
    if (!specifier.startsWith('.')) return undefined;
    const base = posix.join(posix.dirname(from), specifier);
    const bare = base.replace(/\.[cm]?jsx?$/, '');
    for (const stem of base === bare ? [base] : [base, bare]) {
      const found = EXTENSIONS.map((end) => `${stem}${end}`).find(
        (path) => /\.[cm]?[jt]sx?$/.test(path) && this.files.has(path),
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
        .find((path) => path !== '.py' && this.files.has(path));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
