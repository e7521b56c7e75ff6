import type { CallFacts } from '../flow/engine.js';
import type { Expr, Module, Stmt } from '../flow/ir.js';
import type { Frame, Origin, Value } from '../flow/value.js';

/** What a tainted text must look like: the taint decides the host, stands in SQL, in markup, … */
export type ShapeTest = 'any' | 'host' | 'sql' | 'markup' | 'built' | 'structured' | 'start';

export interface TaintTest {
  /** Which arguments: positions, names, `receiver`, or `any` of them. */
  readonly in: 'any' | readonly (number | string)[];
  /** Whose data counts; by default a client's and that of whoever starts the program. */
  readonly origins?: readonly Origin[];
  readonly shape?: ShapeTest;
}

/** A call by its full name (blank-separated; `*.exec` is a method of anything), with tainted arguments or what is known of them. */
export interface CallMatch {
  readonly calls: string;
  readonly taint?: TaintTest;
  readonly when?: (call: CallFacts) => boolean;
}

/** A value that is given to a member or a name: `*.innerHTML`, `location`, `REQ.session.*`. */
export interface AssignMatch {
  readonly assigns: string;
  readonly taint?: Omit<TaintTest, 'in'>;
  readonly when?: (value: Value, target: Expr) => boolean;
}

/** An attribute of an element in JSX. */
export interface ElementMatch {
  readonly attribute: string;
  readonly taint?: Omit<TaintTest, 'in'>;
  readonly when?: (value: Value, tag: string, attributes: ReadonlyMap<string, Value>) => boolean;
}

/** What a function gives back. */
export interface ReturnMatch {
  readonly returns: (value: Value, frame: Frame) => boolean;
  readonly taint: Omit<TaintTest, 'in'>;
}

/** Nodes of a kind, by their form alone. */
export interface StatementMatch<K extends Stmt['k'] = Stmt['k']> {
  readonly statement: K;
  readonly when: (node: Stmt, module: Module) => boolean | { readonly start: number; readonly end: number };
}
export interface ExpressionMatch {
  readonly expression: Expr['k'];
  readonly when: (
    node: Expr,
    module: Module,
    parents: readonly (Expr | Stmt)[],
  ) => boolean | { readonly start: number; readonly end: number };
}

export type FlowMatch = CallMatch | AssignMatch | ElementMatch | ReturnMatch | StatementMatch | ExpressionMatch;

/** The value of an argument: by position or name, or a field of an options object. */
export function argument(call: CallFacts, ...keys: readonly (number | string)[]): Value | undefined {
  for (const key of keys) {
    if (typeof key === 'number') {
      if (call.args[key]) return call.args[key];
      continue;
    }
    const named = call.named.get(key);
    if (named) return named;
    for (const one of call.args) {
      const field = one.fields?.get(key);
      if (field) return field;
    }
  }
  return undefined;
}
