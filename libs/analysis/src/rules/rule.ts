import type { FindingClass, Severity } from '@devmesh/contracts/finding';
import type { Rule as AstRule } from '@ast-grep/napi';
import type { Language } from '../parse/language.js';
import type { Span } from '../flow/ir.js';
import type { ArgumentKey } from './calls.js';
import type { DockerCheckName } from './docker-checks.js';
import type { FlowMatch } from './flow-match.js';
import type { FixName } from './fix-templates.js';
import type { PredicateName } from './predicates.js';

/** A regular expression, of whatever engine. */
export type TextTest = Pick<RegExp, 'test'>;

/**
 * What an expression must be. Constants are followed through names, concatenation and templates. `built` is text with
 * parts that are not known to be harmless: `any`, only when the text reads as `sql`, or only parts `from-request`. Results
 * of calls whose full name matches `unless` are harmless.
 */
export type ValueTest =
  | 'present'
  | 'absent'
  | 'true'
  | 'false'
  | { readonly built: 'any' | 'sql' | 'from-request'; readonly unless?: TextTest }
  | { readonly matches: TextTest }
  | { readonly names: readonly string[] };

/** All conditions of a list must hold. */
export type Condition =
  /** The called thing, by its imported name (`yaml.load`), whatever it is called here; `*.query` is a method of anything. */
  | { readonly callee: readonly string[] }
  | { readonly argument: ArgumentKey; readonly is: ValueTest }
  | { readonly predicate: PredicateName }
  | { readonly any: readonly (readonly Condition[])[] }
  | { readonly not: readonly Condition[] };

/** `find` picks nodes of the tree (ast-grep's rule object), `where` says what patterns can't tell. */
export interface CodeMatch {
  readonly find: AstRule;
  readonly where: readonly Condition[];
  /** A file without this text is not searched at all. What is called must be named in a file anyway, and need not be said here. */
  readonly needs?: RegExp;
  /** Points at this argument, where it is made: at `sql` in `const sql = …`, not at the call that sends it. */
  readonly at?: ArgumentKey;
}

/** Looks at a whole file; gives places in it. */
export type FileCheck = (file: { readonly path: string; readonly text: string }) => readonly Span[];

export interface RuleExample {
  readonly language?: Language;
  readonly code: string;
}

/** Anything that a rule's examples can be written as: text in the rule's first language, or with its language. */
export type Example = string | RuleExample;

/** A rule is data; its examples are its tests, and a rule with fewer than three of each kind does not load. */
export interface RuleDefinition {
  readonly id: string;
  readonly class: FindingClass;
  /** One of the class's CWEs; left out where the class has none. */
  readonly cwe?: number;
  readonly severity: Severity;
  readonly confidence: 'high' | 'medium' | 'low';
  readonly languages: readonly Language[];
  /** Left out in tests, where what it finds is made up as a rule. */
  readonly skipsTests?: boolean;
  /** What can happen, and what to do. */
  readonly message: string;
  /** Any of them. */
  readonly matches:
    | readonly CodeMatch[]
    | { readonly docker: DockerCheckName }
    | { readonly flow: readonly FlowMatch[] }
    | { readonly file: FileCheck };
  /** Only where behaviour that anybody may rely on stays the same. */
  readonly fix?: {
    readonly description: string;
    readonly apply: FixName;
    /** Why nobody can rely on what it changes, and which occurrences are left to people. */
    readonly safe: string;
  };
  readonly references: readonly string[];
  readonly examples: { readonly bad: readonly Example[]; readonly good: readonly Example[] };
}
