import { describe, expect, it } from 'vitest';
import { RULES } from '../rules/catalogue.js';
import { readProjectRules } from './project-rules.js';

const RULE = `version: 1
rules:
  - id: acme-raw-query
    class: sql-injection
    cwe: 89
    severity: high
    languages: [javascript]
    message: Text goes to the database as SQL. Use query() with parameters.
    match:
      - find: { kind: call_expression }
        where:
          - callee: ['*.acmeRaw']
          - { argument: 0, is: { built: any, unless: '(^|\\.)quoteName$' } }
    examples:
      bad:
        - db.acmeRaw('select ' + x);
        - db.acmeRaw(\`select \${x}\`);
        - const sql = "a" + x; db.acmeRaw(sql);
      good:
        - db.acmeRaw('select 1');
        - db.query('select ' + x);
        - db.acmeRaw('select ' + quoteName(x));
`;
const FLOW = `version: 1
rules:
  - id: acme-log-of-request
    class: log-injection
    cwe: 117
    severity: medium
    languages: [python]
    message: What a client sends is written to the audit log as it is.
    flow: [{ calls: acme.audit.line, taint: { in: [0], origins: [remote] } }]
    examples:
      bad:
        - "import acme\\nacme.audit.line(acme.web.param('a'))\\n"
        - "import acme\\ndef log(x):\\n    acme.audit.line(x)\\nlog(acme.web.param('a'))\\n"
        - "from acme import web, audit\\naudit.line('got ' + web.param('a'))\\n"
      good:
        - "import acme\\nacme.audit.line('a')\\n"
        - "import acme\\nacme.audit.line(acme.audit.field(acme.web.param('a')))\\n"
        - "import acme\\nacme.other.line(acme.web.param('a'))\\n"
`;
const MODEL = `version: 1
models:
  - language: python
    sources: [{ names: acme.web.param, note: a parameter }]
    sanitizers: [{ names: acme.audit.field, classes: [log-injection] }]
`;

const read = (files: Readonly<Record<string, string>>) =>
  readProjectRules(new Map(Object.entries(files).map(([name, text]) => [`.devmesh/rules/${name}`, text])), RULES);
const problemsIn = (text: string) =>
  read({ 'a.yaml': text }).problems.map(({ path, line, message }) => `${path}:${line} ${message}`);

describe("a project's rules", () => {
  it('load when their examples hold, with models of other files', () => {
    const { rules, models, problems } = read({ 'a.yaml': RULE, 'b.yml': FLOW, 'z.yaml': MODEL });
    expect(problems).toEqual([]);
    expect(rules.map(({ id }) => id)).toEqual(['acme-raw-query', 'acme-log-of-request']);
    expect(models).toBeDefined();
    expect(read({ 'a.yaml': RULE }).models).toBeUndefined();
  });

  it('are written for Go and Java as well', () => {
    const go = (line: string) =>
      JSON.stringify(
        `package a\nimport ("net/http"; "acme/audit")\nfunc h(w http.ResponseWriter, r *http.Request) {\n${line}\n}\n`,
      );
    const java = (line: string) => JSON.stringify(`class A { void f() { ${line} } }\n`);
    const text = `version: 1
rules:
  - id: acme-go
    class: bug
    severity: low
    languages: [go]
    message: What a client sends is written to the audit log as it is.
    flow: [{ calls: acme/audit.Line, taint: { in: [0] } }]
    examples:
      bad: [${[go('audit.Line(r.FormValue("a"))'), go('x := r.FormValue("b"); audit.Line(x)'), go('audit.Line("a" + r.URL.Query().Get("c"))')].join(', ')}]
      good: [${[go('audit.Line("a")'), go('audit.Other(r.FormValue("a"))'), go('_ = r')].join(', ')}]
  - id: acme-java
    class: bug
    severity: low
    languages: [java]
    message: The old function is to be replaced by the new one.
    match: [{ find: { kind: method_invocation, regex: '^danger' } }]
    examples:
      bad: [${[java('danger();'), java('danger(1);'), java('danger(x);')].join(', ')}]
      good: [${[java('safe();'), java('int a = 1;'), java('a.danger();')].join(', ')}]
`;
    expect(read({ 'a.yaml': text })).toMatchObject({ problems: [], rules: [{ id: 'acme-go' }, { id: 'acme-java' }] });
  });

  it('do not load without what their examples need', () => {
    const { rules, problems } = read({ 'b.yml': FLOW });
    expect(rules).toEqual([]);
    expect(problems).toHaveLength(3);
    expect(problems[0]?.message).toMatch(/does not find this bad example/);
  });

  it.each([
    [
      'too few examples',
      RULE.replace(/ {8}- db.query.*\n/, ''),
      /a\.yaml:19 `rules\.0\.examples\.good`: write at least 3 good examples/,
    ],
    [
      'a good example that is found',
      RULE.replace("db.query('select ' + x)", "db.acmeRaw('select ' + y)"),
      /a\.yaml:21 the rule finds something in this good/,
    ],
    [
      'an example that does not parse',
      RULE.replace("db.acmeRaw('select 1');", 'db.acmeRaw(('),
      /a\.yaml:20 this example is no valid javascript/,
    ],
    ['an id that is taken', RULE.replace('acme-raw-query', RULES[0]!.id), /a\.yaml:3 there is a rule `.*` already/],
    [
      'a CWE of another class',
      RULE.replace('cwe: 89', 'cwe: 79'),
      /a\.yaml:5 `cwe` is one of its class sql-injection: 89, 564/,
    ],
    ['no CWE', RULE.replace('    cwe: 89\n', ''), /a\.yaml:4 `cwe` is one of/],
    ['an unknown class', RULE.replace('sql-injection', 'sql'), /a\.yaml:4 `rules\.0\.class`/],
    ['a kind that the grammar lacks', RULE.replace('call_expression', 'cal_expression'), /a\.yaml:9 it can't be run: /],
    [
      'a slow pattern in a form that is not linear',
      RULE.replace("'(^|", "'(?=^|"),
      /a\.yaml:13 .*pattern is one of RE2, without look-around/,
    ],
    [
      'a setting that does not exist',
      RULE.replace('severity:', 'severty:'),
      /a\.yaml:6 .*severty`: there is no such setting/,
    ],
    [
      'searches through subtrees in subtrees',
      RULE.replace(
        '{ kind: call_expression }',
        '{ kind: program, has: { stopBy: end, has: { stopBy: end, kind: string } } }',
      ),
      /a\.yaml:10 .*`stopBy: end` may stand in a search once/,
    ],
    [
      'match and flow',
      RULE.replace('    examples:', '    flow: [{ assigns: x, taint: {} }]\n    examples:'),
      /either `match`.*or `flow`/,
    ],
    ['code', RULE.replace("callee: ['*.acmeRaw']", 'run: "process.exit()"'), /a\.yaml:12 .*say \{callee/],
  ])('are refused with %s', (_, text, problem) => {
    expect(problemsIn(text).join('\n')).toMatch(problem);
    expect(read({ 'a.yaml': text }).rules).toEqual([]);
  });

  it('take linear time for patterns that a backtracking engine would hang on', () => {
    const text = RULE.replace("is: { built: any, unless: '(^|\\.)quoteName$' }", () => "is: { matches: '^(a+)+$' }")
      .replace(
        /bad:[\s\S]*good:/,
        "bad:\n        - f.acmeRaw('a')\n        - f.acmeRaw('aa')\n        - f.acmeRaw('aaa')\n      good:",
      )
      .replace("db.acmeRaw('select ' + quoteName(x));", `db.acmeRaw('${'a'.repeat(2000)}b');`);
    expect(read({ 'a.yaml': text })).toMatchObject({ problems: [], rules: [{ id: 'acme-raw-query' }] });
  });
});
