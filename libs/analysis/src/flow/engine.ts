import type { Expr, ExprOf, Span } from './ir.js';
import type { Model } from './models/model.js';
import type { Closure, Frame, ModuleState, Origin, Value } from './value.js';

/** A call with what is known of everything in it. */
export interface CallFacts {
  readonly node: ExprOf<'call'>;
  /** Full name of what is called. */
  readonly ref: string;
  readonly method: string;
  readonly receiver: Value;
  readonly args: readonly Value[];
  readonly named: ReadonlyMap<string, Value>;
  /** Whether a spread may bring more arguments. */
  readonly open: boolean;
  readonly frame: Frame;
}

/** Told what happens while a module is walked. */
export interface Watcher {
  call(facts: CallFacts): void;
  assigned(target: Expr, ref: string, value: Value, frame: Frame, span: Span): void;
  element(node: ExprOf<'element'>, attributes: ReadonlyMap<string, Value>, frame: Frame): void;
  /** A text that was put together. */
  text(value: Value, frame: Frame, span: Span): void;
  returned(value: Value, frame: Frame, span: Span): void;
}

export interface Modules {
  /** The file that `specifier` names in a module; undefined for one outside of the project, and for the module itself. */
  find(from: ModuleState, specifier: string, level: number): string | undefined;
  /** A module, evaluated as far as its top level; undefined when it can't be read. */
  load(path: string, language: ModuleState['language']): ModuleState | undefined;
  /** What a module exports under a name, by itself or from another one. */
  exportOf(module: ModuleState, name: string): Value | undefined;
  /** The text of a file that a program finds by its name, such as one of settings; undefined when it is not in the project. */
  resource(from: ModuleState, name: string): string | undefined;
  /** What a name of the same package means that stands in another file. */
  neighbour(from: ModuleState, name: string): Value | undefined;
  /** Everything that it exports, as one object. */
  namespaceOf(module: ModuleState): Value;
}

/** What the parts of the interpreter ask of the whole. */
export interface Engine {
  readonly modules: Modules;
  readonly watcher: Watcher;
  model(frame: Frame): Model;
  value(node: Expr, frame: Frame): Value;
  memberOf(object: Value, name: string, span: Span, frame: Frame): Value;
  source(origin: Origin, span: Span, note: string, frame: Frame, text?: boolean): Value;
  /** Functions of a module that were made and handed on, and that nobody has run. */
  unrun(module: ModuleState): Closure[];
  invoke(
    closure: Closure,
    args: readonly Value[],
    named: ReadonlyMap<string, Value>,
    self: Value | undefined,
    caller: Frame | undefined,
    isCallback?: boolean,
  ): Value;
}
