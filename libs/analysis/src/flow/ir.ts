import type { FlowLanguage } from '../parse/language.js';

/**
 * One small form for JavaScript, TypeScript, Python, Go and Java: what the flow analysis walks. It keeps what values depend on, and drops
 * types, layout and most of control. Offsets are UTF-16 code units.
 */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Argument {
  readonly value: Expr;
  /** Of a Python keyword argument. */
  readonly name?: string;
  /** `...x`, `*x`, `**x`. */
  readonly spread?: boolean;
}

export interface Entry {
  /** Undefined for a spread and for a computed key that is not constant. */
  readonly key: string | undefined;
  readonly computed?: Expr;
  readonly value: Expr;
  readonly spread?: boolean;
}

export interface Parameter {
  readonly target: Expr;
  readonly initial?: Expr;
  readonly rest?: boolean;
  /** The outermost name of its type annotation. */
  readonly type?: string;
  readonly decorators: readonly Expr[];
}

export interface Func extends Span {
  readonly name: string;
  readonly params: readonly Parameter[];
  readonly body: readonly Stmt[];
  readonly decorators: readonly Expr[];
  readonly async: boolean;
  /** Whether a client of the module can call it: exported, or a public member of an exported class. */
  exported: boolean;
}

export type Primitive = string | number | boolean | null;

export type Expr = Span &
  (
    | { readonly k: 'name'; readonly name: string }
    | { readonly k: 'const'; readonly value: Primitive }
    | { readonly k: 'regex'; readonly pattern: string; readonly flags: string }
    /** Template, f-string or sum of which one part is text. */
    | { readonly k: 'text'; readonly parts: readonly Expr[] }
    | { readonly k: 'member'; readonly object: Expr; readonly name: string }
    | { readonly k: 'index'; readonly object: Expr; readonly index: Expr }
    | { readonly k: 'call'; readonly callee: Expr; readonly args: readonly Argument[]; readonly isNew: boolean }
    | { readonly k: 'object'; readonly entries: readonly Entry[] }
    | { readonly k: 'list'; readonly items: readonly Argument[] }
    | { readonly k: 'func'; readonly fn: Func }
    | { readonly k: 'class'; readonly cls: Class }
    | {
        readonly k: 'assign';
        readonly target: Expr;
        readonly value: Expr;
        readonly op: string;
        readonly declares: boolean;
        /** Of a variable that is declared here, where the language says it. */
        readonly type?: string;
      }
    /** A target with a default, inside a pattern. */
    | { readonly k: 'default'; readonly target: Expr; readonly value: Expr }
    | { readonly k: 'op'; readonly op: string; readonly operands: readonly Expr[] }
    | { readonly k: 'cond'; readonly test: Expr; readonly consequent: Expr; readonly otherwise: Expr }
    | { readonly k: 'await'; readonly value: Expr }
    | {
        readonly k: 'element';
        readonly tag: string;
        readonly attributes: readonly Entry[];
        readonly children: readonly Expr[];
      }
    /** A comprehension or the like: `target` runs over `iter`. */
    | { readonly k: 'each'; readonly target: Expr; readonly iter: Expr; readonly test?: Expr; readonly value: Expr }
    | { readonly k: 'other'; readonly children: readonly Expr[] }
  );
export type ExprOf<K extends Expr['k']> = Extract<Expr, { k: K }>;

export interface Member {
  readonly name: string;
  readonly value: Expr | undefined;
  /** Of a field, where the language says it. */
  readonly type?: string;
  readonly isStatic: boolean;
  /** Whether its function runs when somebody reads it: `get x()`, `@property`. */
  readonly isGetter?: boolean;
  readonly decorators: readonly Expr[];
  readonly span: Span;
}

export interface Class extends Span {
  readonly name: string;
  readonly bases: readonly Expr[];
  readonly members: readonly Member[];
  readonly decorators: readonly Expr[];
}

export interface ImportedName {
  /** `default`, `*` for the whole module, or the exported name. */
  readonly imported: string;
  readonly local: string;
}

export interface Handler {
  /** Types that are caught, as written; empty: everything. */
  readonly types: readonly Expr[];
  readonly name: Expr | undefined;
  readonly body: readonly Stmt[];
  readonly span: Span;
}

export type Stmt = Span &
  (
    | { readonly k: 'expr'; readonly value: Expr }
    | {
        readonly k: 'if';
        readonly test: Expr;
        readonly consequent: readonly Stmt[];
        readonly otherwise: readonly Stmt[];
      }
    | {
        readonly k: 'loop';
        readonly target?: Expr;
        readonly iter?: Expr;
        /** `in`: keys; `of`: members. */
        readonly over?: 'in' | 'of';
        readonly test?: Expr;
        readonly update?: Expr;
        readonly body: readonly Stmt[];
      }
    | { readonly k: 'return'; readonly value: Expr | undefined }
    | { readonly k: 'throw'; readonly value: Expr | undefined }
    /** `break`, `continue`. */
    | { readonly k: 'leave' }
    | {
        readonly k: 'try';
        readonly body: readonly Stmt[];
        readonly handlers: readonly Handler[];
        readonly last: readonly Stmt[];
      }
    | { readonly k: 'func'; readonly fn: Func }
    | { readonly k: 'class'; readonly cls: Class }
    | { readonly k: 'import'; readonly module: string; readonly names: readonly ImportedName[]; readonly level: number }
    | { readonly k: 'export'; readonly exported: string; readonly value: Expr }
    | { readonly k: 'reexport'; readonly module: string; readonly names: readonly ImportedName[] }
    | { readonly k: 'block'; readonly body: readonly Stmt[] }
    | {
        readonly k: 'switch';
        readonly value: Expr;
        readonly cases: readonly { readonly test: Expr | undefined; readonly body: readonly Stmt[] }[];
      }
    | { readonly k: 'assert'; readonly test: Expr }
  );

export interface Module {
  readonly path: string;
  readonly text: string;
  readonly language: FlowLanguage;
  readonly body: readonly Stmt[];
  /** Whether the parser found no error in it. */
  readonly sound: boolean;
}
