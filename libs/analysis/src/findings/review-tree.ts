import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Finding } from '@devmesh/contracts/finding';
import type { SourceFiles } from '../flow/project.js';
import { isJavaScript, languageOf, ruleLanguageOf, type TreeLanguage } from '../parse/language.js';
import { RULES } from '../rules/catalogue.js';
import type { RuleDefinition } from '../rules/rule.js';
import { searchSecrets } from '../secrets/search.js';
import { writeFindings } from './finding-writer.js';
import { FlowSession } from './flow-session.js';
import { TreeSources } from './tree-sources.js';
import type { Hit } from './hit.js';
import { decode, readText } from './read-text.js';
import { runRules } from './run-rules.js';
import { walk, type SkipReason, type TreeFile } from './walk.js';

/** Time that the rules may take for one file, in ms. */
export const FILE_BUDGET_MS = 2000;

/** How often somebody who watches hears how far the review is, in files. */
const PROGRESS_EVERY = 200;

export interface ReviewOptions {
  readonly rules?: readonly RuleDefinition[];
  readonly signal?: AbortSignal;
  readonly progress?: (message: string) => void;
  /** Monotonic ms, for the time per file. */
  readonly clock?: () => number;
  readonly fileBudgetMs?: number;
}

/** A file that was not reviewed to its end: why, in a few words. */
export interface Incomplete {
  readonly path: string;
  readonly reason: string;
}

export interface Review {
  /** By path (in code units), then place, then rule. */
  readonly findings: readonly Finding[];
  readonly filesReviewed: number;
  readonly filesSkipped: number;
  readonly skipped: Readonly<Partial<Record<SkipReason, number>>>;
  /** Files with syntax errors (reviewed as far as they parse, never fixed), over their time, or on which a rule failed. */
  readonly incomplete: readonly Incomplete[];
}

/** Findings of one text, and why it was not reviewed to its end, if so. */
export async function reviewText(
  path: string,
  content: Uint8Array | string,
  options: ReviewOptions = {},
): Promise<{ findings: Finding[]; incomplete: Incomplete | undefined }> {
  const { text, utf8 } = typeof content === 'string' ? { text: content, utf8: true } : decode(content);
  const flow = new FlowSession(rulesFor(path, options.rules ?? RULES));
  const { hits, parses, incomplete } = await hitsOf(path, text, flow, options);
  const all = [...withoutHarmless(hits, flow, path), ...flow.hitsOf(path)];
  return { findings: writeFindings(path, text, all, utf8 && parses), incomplete };
}

/** One of a few files that are reviewed together. */
export interface ReviewedText {
  readonly path: string;
  readonly text: string;
  /** False where its offsets are not those of the file, so that no fix can be written; true when left out. */
  readonly exact?: boolean;
  /** Only walked, for what data does in it and in what it calls. */
  readonly flowOnly?: boolean;
}

/**
 * Findings of a few files that belong together. With `sources` they are part of a tree: other files are read when one calls them,
 * and what comes up in those is told too.
 */
export async function reviewTexts(
  files: readonly ReviewedText[],
  options: ReviewOptions & { readonly sources?: SourceFiles } = {},
): Promise<Finding[]> {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const own: SourceFiles = { has: (path) => texts.has(path), read: (path) => texts.get(path) };
  const sources = options.sources ?? own;
  const flow = new FlowSession(options.rules ?? RULES, sources);
  const found = new Map<string, { hits: Hit[]; parses: boolean }>();
  for (const { path, text, flowOnly } of files) {
    options.signal?.throwIfAborted();
    if (flowOnly === true) walkFlow(path, text, flow, options);
    else found.set(path, await hitsOf(path, text, flow, options));
    await nextTurn();
  }
  const exact = new Map(files.map(({ path, exact }) => [path, exact !== false]));
  const paths = new Set([...texts.keys(), ...(options.sources ? flow.paths() : [])]);
  return [...paths].flatMap((path) => {
    const { hits = [], parses = false } = found.get(path) ?? {};
    const all = [...withoutHarmless(hits, flow, path), ...flowHits(flow, path, options)];
    const text = all.length > 0 ? (texts.get(path) ?? sources.read(path)) : undefined;
    if (text === undefined) return [];
    return writeFindings(path, text, all, parses && exact.get(path) === true, { get: (at) => sources.read(at) });
  });
}

function walkFlow(path: string, text: string, flow: FlowSession, options: ReviewOptions): void {
  const language = ruleLanguageOf(path);
  if (language !== 'python' && !isJavaScript(language)) return;
  const clock = options.clock ?? (() => performance.now());
  const deadline = clock() + (options.fileBudgetMs ?? FILE_BUDGET_MS);
  flow.walk(path, language as TreeLanguage, text, () => clock() > deadline);
}

const INJECTIONS = new Set<string>(['sql-injection', 'command-injection', 'code-injection', 'path-traversal', 'xss']);

/** Leaves out what a search for forms found, where the walk has seen that only known or checked values come there. */
function withoutHarmless(hits: readonly Hit[], flow: FlowSession, path: string): Hit[] {
  return hits.filter((hit) => !INJECTIONS.has(hit.class) || !flow.isHarmless(path, hit));
}

/** What flow rules found in a file; in tests without the rules that skip them. */
function flowHits(flow: FlowSession, path: string, options: ReviewOptions): Hit[] {
  const rules = new Set(rulesFor(path, options.rules ?? RULES).map(({ id }) => id));
  return flow.hitsOf(path).filter(({ rule }) => rules.has(rule));
}

async function hitsOf(
  path: string,
  text: string,
  flow: FlowSession,
  options: ReviewOptions,
): Promise<{ hits: Hit[]; parses: boolean; incomplete: Incomplete | undefined }> {
  const clock = options.clock ?? (() => performance.now());
  const deadline = clock() + (options.fileBudgetMs ?? FILE_BUDGET_MS);
  const hits: Hit[] = (await searchSecrets(path, text)).map(({ start, end, kind }) => ({
    rule: 'recognised-credential',
    class: 'hardcoded-secret',
    cwe: 798,
    severity: 'critical',
    confidence: 'high',
    message: `A credential (${kind}) stands in this file, so everybody who sees the repository has it, for as long as its history lives. Revoke it, and read the new one from the environment or a secret store.`,
    start,
    end,
  }));
  let reason: string | undefined;
  let parses = true;
  try {
    const isOver = (): boolean => clock() > deadline;
    const result = runRules(rulesFor(path, options.rules ?? RULES), ruleLanguageOf(path), text, isOver, { path, flow });
    hits.push(...result.hits);
    parses = result.parses;
    if (!parses) reason = 'it has syntax errors';
    if (result.failed.length > 0) reason = `rules failed: ${result.failed.join(', ')}`;
    if (result.unfinished.length > 0) reason = `its time was over before ${result.unfinished.join(', ')}`;
  } catch (error) {
    reason = `a rule failed: ${error instanceof Error ? error.message : String(error)}`;
  }
  return { hits, parses, incomplete: reason === undefined ? undefined : { path, reason: reason.slice(0, 300) } };
}

/**
 * Reviews every file below `root`. Nothing of the tree is executed, its links are not followed, and its own configuration of any
 * tool is not read. A file that can't be reviewed is counted and never costs the others' findings. Throws only when `root`
 * can't be read, or with the signal's reason.
 */
export async function reviewTree(root: string, options: ReviewOptions = {}): Promise<Review> {
  const skipped: Partial<Record<SkipReason, number>> = {};
  const incomplete: Incomplete[] = [];
  let filesReviewed = 0;
  let filesSkipped = 0;
  const skip = (reason: SkipReason): void => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
    filesSkipped += 1;
  };
  const files: TreeFile[] = [];
  for await (const entry of walk(root)) {
    options.signal?.throwIfAborted();
    if ('skipped' in entry) skip(entry.skipped);
    else files.push(entry.file);
  }
  const sources = new TreeSources(files);
  const flow = new FlowSession(options.rules ?? RULES, sources);
  const found = new Map<string, { hits: Hit[]; fixable: boolean }>();
  for (const file of files) {
    options.signal?.throwIfAborted();
    const read = await readText(file, languageOf(file.path));
    if (typeof read === 'string') {
      skip(read);
      continue;
    }
    const result = await hitsOf(file.path, read.text, flow, options);
    // Offsets into Latin-1 are not offsets into the file, and a name that only resembles the real one can't be written to.
    found.set(file.path, { hits: result.hits, fixable: result.parses && read.utf8 && file.exact });
    if (result.incomplete) incomplete.push(result.incomplete);
    filesReviewed += 1;
    if (filesReviewed % PROGRESS_EVERY === 0) options.progress?.(`${filesReviewed} files`);
    await nextTurn();
  }
  const findings: Finding[] = [];
  for (const [path, { hits, fixable }] of found) {
    const all = [...withoutHarmless(hits, flow, path), ...flowHits(flow, path, options)];
    const text = all.length > 0 ? sources.get(path) : undefined;
    if (text !== undefined) findings.push(...writeFindings(path, text, all, fixable, sources));
  }
  findings.sort(byPlace);
  return { findings, filesReviewed, filesSkipped, skipped, incomplete };
}

const TEST_FILE =
  /(^|\/)(tests?|__tests__|spec|fixtures)\/|[._-](test|spec)\.[a-z]+$|(^|\/)(test_[^/]*|conftest)\.py$/i;
/** Files that only a test runner reads, whatever folder they lie in. */
const TEST_NAME = /(^|\/)__tests__\/|\.(test|spec)\.[a-z]+$|(^|\/)(test_[^/]*|conftest)\.py$/i;

function rulesFor(path: string, rules: readonly RuleDefinition[]): readonly RuleDefinition[] {
  if (!TEST_FILE.test(path)) return rules;
  const isTest = TEST_NAME.test(path);
  return rules.filter((rule) => !rule.skipsTests && !(isTest && 'flow' in rule.matches));
}

/** The order of findings: by path (in code units), then place, then rule. */
export function byPlace(a: Finding, b: Finding): number {
  const [p, q] = [a.location, b.location];
  if (p.path !== q.path) return p.path < q.path ? -1 : 1;
  return p.startLine - q.startLine || p.startColumn - q.startColumn || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
}
