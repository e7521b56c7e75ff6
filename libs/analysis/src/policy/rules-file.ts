import { FindingClass, SEVERITIES } from '@devmesh/contracts/finding';
import { z } from 'zod';
import { PREDICATES, type PredicateName } from '../rules/predicates.js';
import { LinearPattern } from './linear-pattern.js';

const Name = z.string().min(1).max(200);
const Names = z.array(Name).min(1).max(100);
const Key = z.union([z.number().int().min(0).max(50), Name]);
const ArgumentKey = z.union([Key, z.array(Key).min(1).max(10)]);

/** ast-grep's rule object, without what refers to other rules or to places. Its `regex` is Rust's, which is linear. */
export interface FindRule {
  readonly pattern?: string | { readonly context: string; readonly selector?: string | undefined } | undefined;
  readonly kind?: string | undefined;
  readonly regex?: string | undefined;
  readonly nthChild?: number | undefined;
  readonly all?: readonly FindRule[] | undefined;
  readonly any?: readonly FindRule[] | undefined;
  readonly not?: FindRule | undefined;
  readonly inside?: RelationRule | undefined;
  readonly has?: RelationRule | undefined;
  readonly precedes?: RelationRule | undefined;
  readonly follows?: RelationRule | undefined;
}
interface RelationRule extends FindRule {
  readonly stopBy?: 'neighbor' | 'end' | undefined;
  readonly field?: string | undefined;
}

const relation = () => z.lazy(() => Relation).optional();
const findShape = {
  pattern: z
    .union([Name.max(1000), z.strictObject({ context: z.string().min(1).max(1000), selector: Name.optional() })])
    .optional(),
  kind: Name.optional(),
  regex: z.string().min(1).max(500).optional(),
  nthChild: z.number().int().min(1).max(1000).optional(),
  all: z.lazy(() => z.array(Find).min(1).max(20)).optional(),
  any: z.lazy(() => z.array(Find).min(1).max(50)).optional(),
  not: z.lazy(() => Find).optional(),
  inside: relation(),
  has: relation(),
  precedes: relation(),
  follows: relation(),
};
const Find: z.ZodType<FindRule> = z.strictObject(findShape);
const Relation: z.ZodType<RelationRule> = z.strictObject({
  ...findShape,
  stopBy: z.enum(['neighbor', 'end']).optional(),
  field: Name.optional(),
});

const ValueTest = z.union(
  [
    z.enum(['present', 'absent', 'true', 'false']),
    z.strictObject({ built: z.enum(['any', 'sql', 'from-request']), unless: LinearPattern.optional() }),
    z.strictObject({ matches: LinearPattern }),
    z.strictObject({ names: Names }),
  ],
  {
    error:
      'say present, absent, "true", "false", {built: any | sql | from-request}, {matches: PATTERN} or {names: [NAME]}; a pattern is one of RE2, without look-around',
  },
);

type ConditionData =
  | { readonly callee: string[] }
  | { readonly argument: z.output<typeof ArgumentKey>; readonly is: z.output<typeof ValueTest> }
  | { readonly predicate: PredicateName }
  | { readonly any: readonly (readonly ConditionData[])[] }
  | { readonly not: readonly ConditionData[] };
const Condition: z.ZodType<ConditionData> = z.union(
  [
    z.strictObject({ callee: Names }),
    z.strictObject({ argument: ArgumentKey, is: ValueTest }),
    z.strictObject({ predicate: z.enum(Object.keys(PREDICATES) as [PredicateName, ...PredicateName[]]) }),
    z.strictObject({
      any: z
        .array(z.lazy(() => z.array(Condition).max(20)))
        .min(1)
        .max(20),
    }),
    z.strictObject({
      not: z
        .array(z.lazy(() => Condition))
        .min(1)
        .max(20),
    }),
  ],
  {
    error: `say {callee: [NAME]}, {argument: KEY, is: TEST}, {predicate: NAME} (${Object.keys(PREDICATES).join(', ')}), {any: [[…]]} or {not: […]}; a pattern is one of RE2, without look-around`,
  },
);

const ORIGINS = ['remote', 'local', 'caller'] as const;
const taintShape = {
  origins: z.array(z.enum(ORIGINS)).min(1).optional(),
  shape: z.enum(['any', 'host', 'sql', 'markup', 'built', 'structured', 'start']).optional(),
};
const Sink = z.union(
  [
    z.strictObject({
      calls: Name.max(2000),
      taint: z.strictObject({ in: z.union([z.literal('any'), z.array(Key).min(1).max(20)]), ...taintShape }),
    }),
    z.strictObject({ assigns: Name.max(2000), taint: z.strictObject(taintShape) }),
    z.strictObject({ attribute: Name, taint: z.strictObject(taintShape) }),
  ],
  { error: 'say {calls: NAMES, taint: {in: [0]}}, {assigns: NAMES, taint: {}} or {attribute: NAME, taint: {}}' },
);

export const MIN_RULE_EXAMPLES = 3;
const LANGUAGES = ['javascript', 'typescript', 'tsx', 'python', 'go', 'java'] as const;
const Code = z.string().min(1).max(5000);
const Example = z.union([Code, z.strictObject({ language: z.enum(LANGUAGES), code: Code })]);
const examples = (kind: string) =>
  z
    .array(Example, { error: `write at least ${MIN_RULE_EXAMPLES} ${kind} examples` })
    .min(MIN_RULE_EXAMPLES, `write at least ${MIN_RULE_EXAMPLES} ${kind} examples: they are the rule's tests`)
    .max(30);

const ProjectRule = z
  .strictObject({
    id: z.string().regex(/^[a-z][a-z0-9-]{2,79}$/, 'lower-case letters, digits and "-", 3 to 80'),
    class: FindingClass,
    cwe: z.number().int().positive().optional(),
    severity: z.enum(SEVERITIES, { error: `say one of ${SEVERITIES.join(', ')}` }),
    confidence: z.enum(['high', 'medium', 'low']).default('medium'),
    languages: z.array(z.enum(LANGUAGES, { error: `say one of ${LANGUAGES.join(', ')}` })).min(1),
    skips_tests: z.boolean().default(false),
    message: z.string().min(20, 'say what can happen and what to do').max(1000),
    references: z.array(z.url()).max(20).default([]),
    /** Any of them. */
    match: z
      .array(z.strictObject({ find: Find, where: z.array(Condition).max(30).default([]), at: ArgumentKey.optional() }))
      .min(1)
      .max(50)
      .optional(),
    /** Where data of others does harm; any of them. */
    flow: z.array(Sink).min(1).max(50).optional(),
    examples: z.strictObject({ bad: examples('bad'), good: examples('good') }),
  })
  .refine(({ match, flow }) => (match === undefined) !== (flow === undefined), {
    error: 'a rule has either `match` (nodes) or `flow` (where data of others does harm)',
  });
export type ProjectRule = z.output<typeof ProjectRule>;

const ProjectModel = z.strictObject({
  language: z.enum(['javascript', 'python', 'go', 'java']),
  sources: z
    .array(
      z.strictObject({
        names: Name.max(2000),
        /** Whether calling it gives the data, and not reading it. */
        call: z.boolean().default(true),
        origin: z.enum(ORIGINS).default('remote'),
        /** Whether it can only be text, and no object. */
        text: z.boolean().default(false),
        note: z.string().min(1).max(100),
      }),
    )
    .max(100)
    .default([]),
  sanitizers: z
    .array(
      z.strictObject({
        names: Name.max(2000),
        classes: z.union([z.literal('all'), z.array(FindingClass).min(1)], {
          error: 'say all, or the classes for which the result is harmless',
        }),
      }),
    )
    .max(100)
    .default([]),
  propagators: z.array(Name.max(2000)).max(100).default([]),
});
export type ProjectModel = z.output<typeof ProjectModel>;

/** A file of `.devmesh/rules/`. */
export const RulesFile = z.strictObject({
  version: z.literal(1, { error: 'this Devmesh reads version 1: write `version: 1`' }),
  rules: z.array(ProjectRule).max(100).default([]),
  models: z.array(ProjectModel).max(10).default([]),
});
