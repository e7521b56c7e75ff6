import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { FlowModels } from '@devmesh/analysis/flow/models/extend';
import { problemText } from '@devmesh/analysis/policy/located-yaml';
import { readProjectRules } from '@devmesh/analysis/policy/project-rules';
import { settingsFiles } from '@devmesh/analysis/policy/settings-files';
import type { Language } from '@devmesh/analysis/parse/language';
import { checkExamples } from '@devmesh/analysis/corpus/examples';
import { RULES } from '@devmesh/analysis/rules/catalogue';
import type { Example } from '@devmesh/analysis/rules/rule';
import { DevmeshError } from '@devmesh/contracts/errors';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { table } from '../output/text.js';
import { theme } from '../output/theme.js';
import { connect } from './mesh.js';
import { scoreRules } from './rules-score.js';

export interface RulesOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
  /** Only rules that read it. */
  readonly language?: Language;
  /** A folder whose own rules count too. */
  readonly repo?: string;
}

export async function rules(
  context: CliContext,
  verb: string,
  rule: string | undefined,
  options: RulesOptions,
): Promise<ExitCode> {
  switch (verb) {
    case 'explain':
      return explainRule(context, rule, options);
    case 'test':
      return testRules(context, rule, options);
    case 'precision':
      return showPrecision(context, options);
    case 'score':
      return scoreRules(context, options);
    default:
      return listRules(context, options);
  }
}

interface Known {
  readonly rules: typeof RULES;
  readonly models: FlowModels | undefined;
}

/** The shipped rules, and those of the repository that was named; what is wrong with its files ends the command. */
function knownRules(context: CliContext, { repo }: RulesOptions): Known {
  if (repo === undefined) return { rules: RULES, models: undefined };
  const folder = resolve(context.cwd, repo);
  if (!existsSync(folder)) throw new DevmeshError('invalid_request', `${folder} is not a folder`);
  const files = settingsFiles(folder);
  const { rules, models, problems } = readProjectRules(files.texts, RULES);
  const all = [...files.problems.filter(({ path }) => path.startsWith('.devmesh/rules')), ...problems];
  if (all.length > 0) throw new DevmeshError('invalid_request', all.map(problemText).join('\n'));
  return { rules: [...RULES, ...rules], models };
}

function chosenRules(known: Known, id: string | undefined): typeof RULES {
  if (id === undefined) return known.rules;
  const found = known.rules.filter((rule) => rule.id === id);
  if (found.length === 0)
    throw new DevmeshError(
      'not_found',
      `there is no rule ${id}: devmesh rules lists them (--repo PATH: a project's too)`,
    );
  return found;
}

/** Every rule by its id, with class and severity. */
async function listRules(context: CliContext, options: RulesOptions): Promise<ExitCode> {
  const { language } = options;
  const known = knownRules(context, options).rules;
  const listed = language === undefined ? known : known.filter(({ languages }) => languages.includes(language));
  const rows = listed.map(({ id, class: kind, cwe, severity, confidence, languages, fix }) => ({
    id,
    class: kind,
    cwe: cwe ?? null,
    severity,
    confidence,
    languages,
    fix: fix?.description ?? null,
  }));
  if (options.json === true) context.out.write(`${JSON.stringify({ rules: rows })}\n`);
  else {
    const lines = table(
      ['RULE', 'CLASS', 'CWE', 'SEVERITY', 'FIX', 'LANGUAGES'],
      rows.map((row) => [
        row.id,
        row.class,
        String(row.cwe ?? ''),
        row.severity,
        row.fix === null ? '' : 'yes',
        row.languages.join(', '),
      ]),
      context.out.columns,
    );
    context.out.write(
      `${lines.join('\n')}\n${rows.length} rules, ${rows.filter(({ fix }) => fix !== null).length} with a safe fix\n`,
    );
  }
  return EXIT.passed;
}

const codeOf = (example: Example): string => (typeof example === 'string' ? example : example.code);

/** How often each rule was right in the project of the mesh. */
async function showPrecision(context: CliContext, options: RulesOptions): Promise<ExitCode> {
  const { out } = context;
  const { api } = await connect(context);
  const items = await api.rulePrecision();
  if (options.json === true) {
    out.write(`${JSON.stringify({ rules: items })}\n`);
    return EXIT.passed;
  }
  const rows = items.map((one) => [
    one.rule,
    one.precision === null ? '' : `${Math.round(one.precision * 100)} %`,
    ...[one.judged, one.fixed, one.confirmed, one.rejected, one.suppressed, one.accepted, one.open].map(String),
  ]);
  const head = ['RULE', 'RIGHT', 'JUDGED', 'FIXED', 'CONFIRMED', 'REJECTED', 'SUPPRESSED', 'ACCEPTED', 'OPEN'];
  out.write(`${table(head, rows, out.columns, [1, 2, 3, 4, 5, 6, 7, 8]).join('\n')}\n`);
  return EXIT.passed;
}

/** What can happen, what to do, and the examples. */
async function explainRule(context: CliContext, id: string | undefined, options: RulesOptions): Promise<ExitCode> {
  const { out } = context;
  if (id === undefined) throw new DevmeshError('invalid_request', 'say which rule: devmesh rules explain RULE');
  const paint = theme(out.color);
  for (const rule of chosenRules(knownRules(context, options), id)) {
    if (options.json === true) {
      const { matches: _, ...data } = rule;
      out.write(`${JSON.stringify({ rule: data })}\n`);
      continue;
    }
    const indented = (code: string): string => code.trim().replace(/^/gm, '    ');
    const cwe = rule.cwe === undefined ? '' : `, CWE-${rule.cwe}`;
    out.write(
      [
        paint.strong(rule.id),
        `${rule.class}${cwe}, ${rule.severity}, confidence ${rule.confidence}; ${rule.languages.join(', ')}`,
        '',
        rule.message,
        ...rule.references.map((reference) => `  ${reference}`),
        ...(rule.fix
          ? [`\n  ${paint.good('safe fix')}: ${rule.fix.description}. Why it is safe: ${rule.fix.safe}`]
          : ['\n  no safe fix: people decide']),
        ...rule.examples.bad.map((example) => `\n  ${paint.bad('found')}\n${indented(codeOf(example))}`),
        ...rule.examples.good.map((example) => `\n  ${paint.good('left alone')}\n${indented(codeOf(example))}`),
        '',
      ].join('\n'),
    );
  }
  return EXIT.passed;
}

/** Rules against their own examples; fails when one is judged wrong. */
async function testRules(context: CliContext, id: string | undefined, options: RulesOptions): Promise<ExitCode> {
  const known = knownRules(context, options);
  const results = await checkExamples(chosenRules(known, id), known.models);
  const wrong = results.filter(({ right }) => !right);
  if (options.json === true) context.out.write(`${JSON.stringify({ results })}\n`);
  else {
    for (const { rule, label, code } of wrong)
      context.out.write(`${rule}: ${label === 'bad' ? 'does not find' : 'finds something in'}\n${code}\n\n`);
    context.out.write(`${results.length} examples, ${wrong.length} judged wrong\n`);
  }
  return wrong.length === 0 ? EXIT.passed : EXIT.failed;
}
