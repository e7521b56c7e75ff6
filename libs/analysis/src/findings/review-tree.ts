import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Finding } from '@devmesh/contracts/finding';
import { languageOf } from '../parse/language.js';
import { RULES } from '../rules/catalogue.js';
import type { RuleDefinition } from '../rules/rule.js';
import { searchSecrets } from '../secrets/search.js';
import { writeFindings } from './finding-writer.js';
import type { Hit } from './hit.js';
import { decode, readText } from './read-text.js';
import { runRules } from './run-rules.js';
import { walk, type SkipReason } from './walk.js';

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
  const language = languageOf(path);
  let reason: string | undefined;
  let parses = true;
  if (language) {
    try {
      const result = runRules(rulesFor(path, options.rules ?? RULES), language, text, () => clock() > deadline);
      hits.push(...result.hits);
      parses = result.parses;
      if (!parses) reason = 'it has syntax errors';
      if (result.failed.length > 0) reason = `rules failed: ${result.failed.join(', ')}`;
      if (result.unfinished.length > 0) reason = `its time was over before ${result.unfinished.join(', ')}`;
    } catch (error) {
      reason = `a rule failed: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
  return {
    findings: writeFindings(path, text, hits, utf8 && parses),
    incomplete: reason === undefined ? undefined : { path, reason: reason.slice(0, 300) },
  };
}

/**
 * Reviews every file below `root`. Nothing of the tree is executed, its links are not followed, and its own configuration of any
 * tool is not read. A file that can't be reviewed is counted and never costs the others' findings. Throws only when `root`
 * can't be read, or with the signal's reason.
 */
export async function reviewTree(root: string, options: ReviewOptions = {}): Promise<Review> {
  const findings: Finding[] = [];
  const skipped: Partial<Record<SkipReason, number>> = {};
  const incomplete: Incomplete[] = [];
  let filesReviewed = 0;
  let filesSkipped = 0;
  const skip = (reason: SkipReason): void => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
    filesSkipped += 1;
  };
  for await (const entry of walk(root)) {
    options.signal?.throwIfAborted();
    if ('skipped' in entry) {
      skip(entry.skipped);
      continue;
    }
    const { file } = entry;
    const read = await readText(file, languageOf(file.path));
    if (typeof read === 'string') {
      skip(read);
      continue;
    }
    const result = await reviewText(file.path, read.text, options);
    // Offsets into Latin-1 are not offsets into the file, and a name that only resembles the real one can't be written to.
    findings.push(...(read.utf8 && file.exact ? result.findings : result.findings.map(withoutFix)));
    if (result.incomplete) incomplete.push(result.incomplete);
    filesReviewed += 1;
    if (filesReviewed % PROGRESS_EVERY === 0) options.progress?.(`${filesReviewed} files, ${findings.length} findings`);
    await nextTurn();
  }
  findings.sort(byPlace);
  return { findings, filesReviewed, filesSkipped, skipped, incomplete };
}

const TEST_FILE =
  /(^|\/)(tests?|__tests__|spec|fixtures)\/|[._-](test|spec)\.[a-z]+$|(^|\/)(test_[^/]*|conftest)\.py$/i;

function rulesFor(path: string, rules: readonly RuleDefinition[]): readonly RuleDefinition[] {
  return TEST_FILE.test(path) ? rules.filter((rule) => !rule.skipsTests) : rules;
}

function withoutFix({ fix: _, ...finding }: Finding): Finding {
  return finding;
}

function byPlace(a: Finding, b: Finding): number {
  const [p, q] = [a.location, b.location];
  if (p.path !== q.path) return p.path < q.path ? -1 : 1;
  return p.startLine - q.startLine || p.startColumn - q.startColumn || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
}
