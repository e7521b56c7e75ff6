import { parseDockerfile } from '../parse/dockerfile.js';
import { isSettings, type Language, type TreeLanguage } from '../parse/language.js';
import { hasErrors, hasKind, hasSyntaxErrors, parseSyntax, type Node } from '../parse/syntax.js';
import { Bindings } from '../rules/bindings.js';
import { argumentOf } from '../rules/calls.js';
import { Candidate } from '../rules/candidate.js';
import { holds } from '../rules/conditions.js';
import { DOCKER_CHECKS, type DockerHit } from '../rules/docker-checks.js';
import { editsOf } from '../rules/fix-templates.js';
import type { TextEdit } from '../rules/text-edit.js';
import type { CodeMatch, Condition, RuleDefinition } from '../rules/rule.js';
import { FlowSession, type FlowResult } from './flow-session.js';
import type { Hit } from './hit.js';

export interface RulesResult {
  readonly hits: readonly Hit[];
  /** False when the text has syntax errors; its findings then carry no fixes. */
  readonly parses: boolean;
  /** Rules that were not run, because the time for the file was over. */
  readonly unfinished: readonly string[];
  /** Rules that threw, with their words. That is a flaw of the rule; the others' findings stand. */
  readonly failed: readonly string[];
  /** Of a program only. Its hits are not among `hits` when a path and a session were given. */
  readonly flow?: FlowResult;
}

/**
 * Runs the rules of a language over one text. `isOver` is asked between rules: what was found until then stands. Parsing
 * itself is native and can't be interrupted; the size limit of the review bounds it.
 */
export function runRules(
  rules: readonly RuleDefinition[],
  language: Language,
  text: string,
  isOver: () => boolean = () => false,
  where?: { readonly path: string; readonly flow: FlowSession },
): RulesResult {
  const mine = rules.filter((rule) => rule.languages.includes(language));
  const path = where?.path ?? SAMPLE_PATHS[language];
  const ofFile = runFile(mine, path, text);
  if (language === 'dockerfile') {
    const { hits, parses } = runDocker(mine, text);
    return { hits: [...hits, ...ofFile.hits], parses, unfinished: [], failed: ofFile.failed };
  }
  if (isSettings(language)) return { ...ofFile, parses: true, unfinished: [] };
  const ofCode = runCode(mine, language, text, isOver);
  const flow = (where?.flow ?? new FlowSession(mine)).walk(path, language, text, isOver);
  return {
    hits: [...ofCode.hits, ...ofFile.hits, ...(where ? [] : (flow.hits.get(path) ?? []))],
    parses: ofCode.parses ?? flow.sound,
    unfinished: flow.finished ? ofCode.unfinished : [...ofCode.unfinished, 'the flow of data'],
    failed: [...ofCode.failed, ...ofFile.failed, ...flow.failed],
    flow,
  };
}

/** What a text is called that has no path of its own, such as an example. */
export const SAMPLE_PATHS: Readonly<Record<Language, string>> = {
  javascript: 'sample.js',
  typescript: 'sample.ts',
  tsx: 'sample.tsx',
  python: 'sample.py',
  go: 'sample.go',
  java: 'Sample.java',
  dockerfile: 'Dockerfile',
  actions: '.github/workflows/sample.yml',
  kubernetes: 'sample.yaml',
  compose: 'compose.yaml',
  terraform: 'sample.tf',
  text: 'sample.env',
};

function runFile(rules: readonly RuleDefinition[], path: string, text: string): { hits: Hit[]; failed: string[] } {
  const failed: string[] = [];
  const hits = rules.flatMap((rule): Hit[] => {
    if (!('file' in rule.matches)) return [];
    try {
      return rule.matches
        .file({ path, text })
        .map(({ start, end }) => ({ ...hitOf(rule, start, end, undefined), isValue: true }));
    } catch (error) {
      failed.push(`${rule.id} (${error instanceof Error ? error.message : String(error)})`);
      return [];
    }
  });
  return { hits: onePerPlace(hits), failed };
}

function runDocker(rules: readonly RuleDefinition[], text: string): RulesResult {
  const dockerfile = parseDockerfile(text);
  const hits = rules.flatMap((rule) => {
    if (!('docker' in rule.matches)) return [];
    const found: readonly DockerHit[] = DOCKER_CHECKS[rule.matches.docker](dockerfile, text);
    return found.map(({ start, end, fix }) => hitOf(rule, start, end, dockerfile.valid ? fix : undefined));
  });
  return { hits, parses: dockerfile.valid, unfinished: [], failed: [] };
}

function runCode(
  rules: readonly RuleDefinition[],
  language: TreeLanguage,
  text: string,
  isOver: () => boolean,
): Omit<RulesResult, 'parses'> & { readonly parses: boolean | undefined } {
  // Most files have nothing that these rules look for, and need no tree.
  let tree: Node | undefined;
  const root = () => (tree ??= parseSyntax(language, text));
  let names: Bindings | undefined;
  const bindings = () => (names ??= new Bindings(language, root()));
  // A token that was made up is rare, and only matters to who writes: all tokens are looked at when there is a fix.
  let exact: boolean | undefined;
  const fixable = () => (exact ??= !hasSyntaxErrors(root()));
  // Most rules look at all calls: the same search is done once.
  const searched = new Map<string, Node[]>();
  const search = (match: CodeMatch) => {
    const find = narrowed(language, onlyKindsOf(language, match.find), match.where, text);
    const key = JSON.stringify(find);
    const nodes = searched.get(key) ?? root().findAll({ rule: find });
    searched.set(key, nodes);
    return nodes;
  };
  const candidates = new Map<number, Candidate>();
  const candidateOf = (node: Node): Candidate => {
    const known = candidates.get(node.id()) ?? new Candidate(node, bindings);
    candidates.set(node.id(), known);
    return known;
  };
  const matchesOf = (rule: RuleDefinition, match: CodeMatch): Hit[] => {
    if (!mayMatch(match, text)) return [];
    return search(match).flatMap((node) => {
      const of = candidateOf(node);
      if (!holds(match.where, of)) return [];
      const { start, end } = placeOf(of, match).range();
      const span = { start: start.index, end: end.index };
      const edits = rule.fix && fixable() ? editsOf(rule.fix.apply, text, span, () => of) : undefined;
      return [hitOf(rule, start.index, end.index, edits)];
    });
  };
  const hits: Hit[] = [];
  const unfinished: string[] = [];
  const failed: string[] = [];
  for (const rule of rules) {
    if (!isCode(rule.matches)) continue;
    if (isOver()) {
      unfinished.push(rule.id);
      continue;
    }
    try {
      for (const match of rule.matches) hits.push(...matchesOf(rule, match));
    } catch (error) {
      failed.push(`${rule.id} (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  return { hits: onePerPlace(hits), parses: tree ? !hasErrors(tree) : undefined, unfinished, failed };
}

/** Whether a file has the words that a search needs: an imported thing keeps its name, whatever it is called here. */
function mayMatch({ needs, where }: CodeMatch, text: string): boolean {
  return (!needs || needs.test(text)) && mayHold(where, text);
}

function mayHold(where: readonly Condition[], text: string): boolean {
  return where.every((condition) => {
    if ('callee' in condition) return condition.callee.some((name) => isNamed(name, text));
    return 'any' in condition ? condition.any.some((all) => mayHold(all, text)) : true;
  });
}

/** Whether the first and the last word of a full name stand in a text; of `*.query` there is only the last. */
function isNamed(name: string, text: string): boolean {
  const last = name.slice(name.lastIndexOf('.') + 1).replace('()', '');
  const first = name.slice(0, Math.max(name.indexOf('.'), 0));
  return text.includes(last) && (first === '' || first === '*' || text.includes(first));
}

const CALLS = new Set(['call_expression', 'new_expression', 'call']);

/**
 * Most calls are of what no rule knows: the native search leaves them out, so that they cost nothing here. Where a wanted thing has
 * another name in this file, every plain name may stand for it.
 */
function narrowed(language: TreeLanguage, find: CodeMatch['find'], where: readonly Condition[], text: string) {
  const kinds = (find.any ?? [find]).map(({ kind }) => String(kind));
  const wanted = where.find((condition) => 'callee' in condition);
  if (!wanted || !kinds.every((kind) => CALLS.has(kind)) || (!find.any && !find.kind)) return find;
  const { words, renamed } = wordsOf(wanted.callee);
  const [member, field] = language === 'python' ? ['attribute', 'attribute'] : ['member_expression', 'property'];
  const regex = `^(${words})$`;
  const other = { not: { any: [{ kind: member }, { kind: 'identifier' }] } };
  const plain = renamed.test(text) ? { kind: 'identifier' } : { kind: 'identifier', regex };
  const callee = { any: [other, plain, { has: { field, regex } }] };
  return {
    any: kinds.map((kind) => ({
      kind,
      has: { field: kind === 'new_expression' ? 'constructor' : 'function', ...callee },
    })),
  };
}

const knownWords = new Map<readonly string[], { readonly words: string; readonly renamed: RegExp }>();

/** The last words of full names, as an alternative of a pattern, and what a file has in it that calls one of them something else. */
function wordsOf(names: readonly string[]): { readonly words: string; readonly renamed: RegExp } {
  const known = knownWords.get(names);
  if (known) return known;
  const words = [...new Set(names.map((name) => name.slice(name.lastIndexOf('.') + 1).replace('()', '')))]
    .map((word) => word.replaceAll('$', '\\$'))
    .join('|');
  const made = {
    words,
    renamed: new RegExp(
      `\\b(?:${words})\\s+as\\b|[=(]\\s*(?:[\\w.$]+\\.)?(?:${words})\\s*(?:[;,)\\n]|$)|\\)\\s*\\.(?:${words})\\s*(?:[;,)\\n]|$)|\\{[^{}]*\\b(?:${words})\\s*:[^{}]*\\}\\s*=`,
    ),
  };
  knownWords.set(names, made);
  return made;
}

function isCode(matches: RuleDefinition['matches']): matches is readonly CodeMatch[] {
  return Array.isArray(matches);
}

function placeOf(of: Candidate, { at }: CodeMatch): Node {
  const argument = at === undefined || !of.call ? undefined : argumentOf(of.call, at);
  if (!argument?.is('identifier')) return of.node;
  return of.bindings.valueOf(argument) ?? of.node;
}

/** Two searches of a rule, or two uses of one text, may lead to the same place. */
function onePerPlace(hits: readonly Hit[]): Hit[] {
  return [...new Map(hits.map((hit) => [`${hit.rule} ${hit.start} ${hit.end}`, hit])).values()];
}

/** The grammar refuses kinds that it does not have, so a rule for several languages is cut down to each one's own. */
function onlyKindsOf(language: TreeLanguage, find: CodeMatch['find']): CodeMatch['find'] {
  if (!find.any) return find;
  return { ...find, any: find.any.filter(({ kind }) => kind === undefined || hasKind(language, String(kind))) };
}

function hitOf(rule: RuleDefinition, start: number, end: number, edits: readonly TextEdit[] | undefined): Hit {
  const hit: Hit = {
    rule: rule.id,
    class: rule.class,
    cwe: rule.cwe,
    severity: rule.severity,
    confidence: rule.confidence,
    message: rule.message,
    start,
    end,
  };
  if (!edits || edits.length === 0 || !rule.fix) return hit;
  return { ...hit, fix: { description: rule.fix.description, edits } };
}
