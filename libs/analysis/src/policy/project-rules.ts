import { FINDING_CLASSES } from '@devmesh/contracts/finding';
import { FILE_BUDGET_MS } from '../findings/file-review.js';
import { FlowSession } from '../findings/flow-session.js';
import { runRules, SAMPLE_PATHS } from '../findings/run-rules.js';
import { extendModels, SHIPPED_MODELS, type FlowModels, type ModelExtension } from '../flow/models/extend.js';
import { NO_FILES } from '../flow/module-store.js';
import type { CodeMatch, RuleDefinition } from '../rules/rule.js';
import { readLocated, type LocatedValue, type PolicyProblem } from './located-yaml.js';
import { RulesFile, type FindRule, type ProjectModel, type ProjectRule } from './rules-file.js';

/** Most rules of one project, in all its files. */
const MAX_RULES = 200;
/** How deep a search may be nested, and how often it may look through whole subtrees: what bounds its time. */
const MAX_DEPTH = 8;
const MAX_UNBOUNDED = 1;

/** A project's own rules, and what it knows of its functions; undefined where it says nothing. */
export interface ProjectRules {
  readonly rules: readonly RuleDefinition[];
  readonly models: FlowModels | undefined;
  readonly problems: readonly PolicyProblem[];
}

const PATH = /^\.devmesh\/rules\/[^/]+\.ya?ml$/;

/**
 * Reads `.devmesh/rules/`. A rule whose id is taken, whose CWE is not one of its class, or that fails one of its examples does not load and
 * is a problem with its place. Nothing of the rules is run but what patterns, conditions and flow say.
 */
export function readProjectRules(texts: ReadonlyMap<string, string>, shipped: readonly RuleDefinition[]): ProjectRules {
  const problems: PolicyProblem[] = [];
  const files: {
    readonly path: string;
    readonly read: LocatedValue<{ rules: ProjectRule[]; models: ProjectModel[] }>;
  }[] = [];
  for (const path of [...texts.keys()].filter((one) => PATH.test(one)).sort()) {
    const read = readLocated(path, texts.get(path) ?? '', RulesFile);
    if ('problems' in read) problems.push(...read.problems);
    else files.push({ path, read });
  }
  const extensions = files.flatMap(({ read }) => read.value.models.map(extensionOf));
  const models = extensions.length > 0 ? extendModels(extensions) : undefined;
  const ids = new Set(shipped.map(({ id }) => id));
  const rules: RuleDefinition[] = [];
  for (const { read } of files) {
    for (const [i, data] of read.value.rules.entries()) {
      const found = problemsOf(data, ids, models, (at, message) => read.problemAt(['rules', i, ...at], message));
      ids.add(data.id);
      if (found.length > 0) problems.push(...found);
      else if (rules.length >= MAX_RULES)
        problems.push(read.problemAt(['rules', i], `a project has at most ${MAX_RULES} rules`));
      else rules.push(definitionOf(data));
    }
  }
  return { rules, models, problems };
}

type Locate = (at: readonly PropertyKey[], message: string) => PolicyProblem;

function problemsOf(
  data: ProjectRule,
  ids: ReadonlySet<string>,
  models: FlowModels | undefined,
  locate: Locate,
): PolicyProblem[] {
  if (ids.has(data.id)) return [locate(['id'], `there is a rule \`${data.id}\` already: choose another id`)];
  const cwes: readonly number[] = FINDING_CLASSES[data.class];
  if (data.cwe === undefined ? cwes.length > 0 : !cwes.includes(data.cwe))
    return [
      locate(
        [data.cwe === undefined ? 'class' : 'cwe'],
        cwes.length === 0
          ? `the class ${data.class} has no CWE: leave \`cwe\` out`
          : `\`cwe\` is one of its class ${data.class}: ${cwes.join(', ')}`,
      ),
    ];
  for (const [i, match] of (data.match ?? []).entries()) {
    const { depth, unbounded } = costOf(match.find);
    if (depth > MAX_DEPTH) return [locate(['match', i, 'find'], `a search is nested at most ${MAX_DEPTH} deep`)];
    if (unbounded > MAX_UNBOUNDED)
      return [
        locate(['match', i, 'find'], '`stopBy: end` may stand in a search once: each looks through whole subtrees'),
      ];
  }
  return exampleProblems(data, models, locate);
}

function exampleProblems(data: ProjectRule, models: FlowModels | undefined, locate: Locate): PolicyProblem[] {
  const rule = definitionOf(data);
  const session = new FlowSession([rule], NO_FILES, models ?? SHIPPED_MODELS);
  const problems: PolicyProblem[] = [];
  for (const label of ['bad', 'good'] as const) {
    for (const [i, example] of data.examples[label].entries()) {
      const language = typeof example === 'string' ? data.languages[0] : example.language;
      if (language === undefined) continue;
      const say = (message: string): void => void problems.push(locate(['examples', label, i], message));
      const code = typeof example === 'string' ? example : example.code;
      const path = SAMPLE_PATHS[language];
      const deadline = performance.now() + FILE_BUDGET_MS;
      const result = runRules([rule], language, code, () => performance.now() > deadline, { path, flow: session });
      const found = result.hits.length + (result.flow?.hits.get(path)?.length ?? 0) > 0;
      const [failed] = result.failed;
      if (failed !== undefined) {
        // A pattern that the grammar refuses fails on every example alike.
        return [locate([data.match ? 'match' : 'flow'], `it can't be run: ${failed}`.slice(0, 500))];
      }
      if (!result.parses) say(`this example is no valid ${language}`);
      else if (label === 'bad' && !found) say('the rule does not find this bad example: mend one of them');
      else if (label === 'good' && found) say('the rule finds something in this good example: mend one of them');
    }
  }
  return problems;
}

function costOf(find: FindRule): { depth: number; unbounded: number } {
  const { inside, has, precedes, follows, not, all = [], any = [] } = find;
  const relations = [inside, has, precedes, follows].filter((one) => one !== undefined);
  const parts = [...relations, ...(not ? [not] : []), ...all, ...any].map(costOf);
  return {
    depth: 1 + Math.max(0, ...parts.map(({ depth }) => depth)),
    unbounded:
      relations.filter(({ stopBy }) => stopBy === 'end').length +
      parts.reduce((sum, { unbounded }) => sum + unbounded, 0),
  };
}

/** What YAML gives for a member left out is undefined, which the search refuses: it is dropped. */
function searchOf(find: FindRule): CodeMatch['find'] {
  return JSON.parse(JSON.stringify(find)) as CodeMatch['find'];
}

function definitionOf(data: ProjectRule): RuleDefinition {
  const { id, severity, confidence, languages, message, references, examples } = data;
  const matches: RuleDefinition['matches'] = data.match
    ? data.match.map(({ find, where, at }) => ({
        find: searchOf(find),
        where: where as CodeMatch['where'],
        ...(at === undefined ? {} : { at }),
      }))
    : { flow: (data.flow ?? []) as Extract<RuleDefinition['matches'], { flow: unknown }>['flow'] };
  return {
    id,
    class: data.class,
    ...(data.cwe === undefined ? {} : { cwe: data.cwe }),
    severity,
    confidence,
    languages,
    ...(data.skips_tests ? { skipsTests: true } : {}),
    message,
    matches,
    references,
    examples,
  };
}

function extensionOf({ language, sources, sanitizers, propagators }: ProjectModel): ModelExtension {
  return {
    language,
    sources: sources.map(({ names, call, origin, text, note }) => ({
      names,
      call,
      source: { origin, note, ...(text ? { text } : {}) },
    })),
    sanitizers,
    propagators,
  };
}
