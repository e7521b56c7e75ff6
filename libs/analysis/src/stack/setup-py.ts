import { parseSyntax, type Node } from '../parse/syntax.js';

/** What `setup(…)` of a setup.py says in literals; what the script makes while it runs is not known. */
export interface SetupFacts {
  readonly name: string | undefined;
  readonly python: string | undefined;
  readonly requirements: readonly string[];
  /** Of extras: by the name of the extra. */
  readonly extras: readonly (readonly [name: string, requirement: string])[];
}

const text = (node: Node | null | undefined): string | undefined =>
  node?.is('string') === true ? node.text().replace(/^["']{1,3}|["']{1,3}$/g, '') : undefined;

const strings = (list: Node | null | undefined): string[] =>
  list?.is('list') === true || list?.is('tuple') === true ? list.namedChildren().flatMap((one) => text(one) ?? []) : [];

/** Reads a setup.py without running it. */
export function readSetup(source: string): SetupFacts {
  const root = parseSyntax('python', source);
  const given = new Map<string, Node>();
  for (const call of root.findAll({ rule: { kind: 'call', has: { field: 'function', regex: '(^|\\.)setup$' } } }))
    for (const argument of call.field('arguments')?.namedChildren() ?? []) {
      const [name, value] = [argument.field('name')?.text(), argument.field('value')];
      if (argument.is('keyword_argument') && name !== undefined && value) given.set(name, value);
    }
  const extras = given.get('extras_require');
  return {
    name: text(given.get('name')),
    python: text(given.get('python_requires')),
    requirements: strings(given.get('install_requires')),
    extras: (extras?.is('dictionary') === true ? extras.namedChildren() : []).flatMap((pair) => {
      const extra = text(pair.field('key'));
      return extra === undefined ? [] : strings(pair.field('value')).map((one) => [extra, one] as const);
    }),
  };
}
