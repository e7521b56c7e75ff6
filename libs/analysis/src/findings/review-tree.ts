import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Finding } from '@devmesh/contracts/finding';
import type { SourceFiles } from '../flow/module-store.js';
import { RULES } from '../rules/catalogue.js';
import type { RuleDefinition } from '../rules/rule.js';
import { FileReviewer, type FileOutcome, type FileReviewOptions } from './file-review.js';
import { writeFindings } from './finding-writer.js';
import type { Hit } from './hit.js';
import { decode } from './read-text.js';
import { ReviewCache } from './review-cache.js';
import type { ReviewPool } from './review-pool.js';
import { byFolder, TreeSources } from './tree-sources.js';
import { walk, type SkipReason, type TreeFile } from './walk.js';

/** How often somebody who watches hears how far the review is, in files. */
const PROGRESS_EVERY = 200;

export interface ReviewOptions extends FileReviewOptions {
  readonly rules?: readonly RuleDefinition[];
  readonly signal?: AbortSignal;
  readonly progress?: (message: string) => void;
  /**
   * Processes that files are reviewed in: on several cores, and so that a file that hangs or crashes one costs only itself. Without,
   * all is done in this process. They know the shipped rules and models only: with others they are not used.
   */
  readonly pool?: ReviewPool;
  /** A folder in which results are kept between reviews, by the content of all files that they depend on. Not used with other rules or models. */
  readonly cacheFolder?: string;
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
  /** Files whose result was taken from the cache; they are among the reviewed ones. */
  readonly filesFromCache: number;
  /** Files with syntax errors (reviewed as far as they parse, never fixed), over their time, that ended their process, or on which a rule failed. */
  readonly incomplete: readonly Incomplete[];
}

/** Findings of one text, and why it was not reviewed to its end, if so. */
export async function reviewText(
  path: string,
  content: Uint8Array | string,
  options: ReviewOptions = {},
): Promise<{ findings: Finding[]; incomplete: Incomplete | undefined }> {
  const { text, utf8 } = typeof content === 'string' ? { text: content, utf8: true } : decode(content);
  const reviewer = new FileReviewer(options.rules ?? RULES, undefined, options);
  const { hits, parses, reason } = await reviewer.review(path, text);
  return {
    findings: writeFindings(path, text, hits, utf8 && parses),
    incomplete: reason === undefined ? undefined : { path, reason },
  };
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
  const folders = byFolder(texts.keys());
  const own: SourceFiles = {
    has: (path) => texts.has(path),
    read: (path) => texts.get(path),
    list: (folder) => folders.get(folder) ?? [],
  };
  const sources = options.sources ?? own;
  const reviewer = new FileReviewer(options.rules ?? RULES, sources, options);
  const outcomes = new Map<string, FileOutcome>();
  for (const { path, text, exact, flowOnly } of files) {
    options.signal?.throwIfAborted();
    const review = flowOnly === true ? reviewer.walk(path, text) : await reviewer.review(path, text);
    outcomes.set(path, { review, utf8: exact !== false && flowOnly !== true });
    await nextTurn();
  }
  return [...hitsByPath(outcomes)].flatMap(([path, hits]) => {
    const outcome = outcomes.get(path);
    const text = texts.get(path) ?? (options.sources ? sources.read(path) : undefined);
    if (text === undefined) return [];
    const fixable = outcome !== undefined && 'review' in outcome && outcome.review.parses && outcome.utf8;
    return writeFindings(path, text, hits, fixable, { get: (at) => sources.read(at) });
  });
}

/**
 * Reviews every file below `root`. Nothing of the tree is executed, its links are not followed, and its own configuration of any
 * tool is not read. A file that can't be reviewed is counted and never costs the others' findings. Throws only when `root`
 * can't be read, or with the signal's reason.
 */
export async function reviewTree(root: string, options: ReviewOptions = {}): Promise<Review> {
  const { signal, progress, pool, cacheFolder } = options;
  const skipped: Partial<Record<SkipReason, number>> = {};
  const skip = (reason: SkipReason): void => {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  };
  const files: TreeFile[] = [];
  for await (const entry of walk(root)) {
    signal?.throwIfAborted();
    if ('skipped' in entry) skip(entry.skipped);
    else files.push(entry.file);
  }
  const sources = new TreeSources(files);
  const outcomes = new Map<string, FileOutcome>();
  const isShipped = options.rules === undefined && options.models === undefined;
  const cache = cacheFolder === undefined || !isShipped ? undefined : new ReviewCache(cacheFolder);
  const known = cache ? await cache.recall(files, signal) : new Map<string, FileOutcome>();
  const due = files.filter(({ path }) => !known.has(path));
  let done = 0;
  const settle = (path: string, outcome: FileOutcome): void => {
    outcomes.set(path, outcome);
    done += 1;
    if (done % PROGRESS_EVERY === 0) progress?.(`${done} files`);
  };
  for (const [path, outcome] of known) settle(path, outcome);
  if (pool && isShipped) await pool.review(files, due, settle, options);
  else {
    const reviewer = new FileReviewer(options.rules ?? RULES, sources, options);
    for (const file of due) {
      signal?.throwIfAborted();
      settle(file.path, await reviewer.reviewFile(file));
      await nextTurn();
    }
  }
  await cache?.keep(due, outcomes);
  const incomplete: Incomplete[] = [];
  let filesReviewed = 0;
  for (const { path } of files) {
    const outcome = outcomes.get(path);
    if (!outcome) continue;
    if ('skipped' in outcome) {
      skip(outcome.skipped);
      continue;
    }
    filesReviewed += 1;
    const reason = 'lost' in outcome ? outcome.lost : outcome.review.reason;
    if (reason !== undefined) incomplete.push({ path, reason });
  }
  return {
    findings: findingsOf(files, outcomes, sources),
    filesReviewed,
    filesSkipped: Object.values(skipped).reduce((sum, count) => sum + count, 0),
    skipped,
    filesFromCache: known.size,
    incomplete,
  };
}

function findingsOf(
  files: readonly TreeFile[],
  outcomes: ReadonlyMap<string, FileOutcome>,
  sources: TreeSources,
): Finding[] {
  const byPath = hitsByPath(outcomes);
  const findings: Finding[] = [];
  for (const { path, exact } of files) {
    const hits = byPath.get(path);
    const outcome = outcomes.get(path);
    const text = hits && outcome && !('skipped' in outcome) ? sources.get(path) : undefined;
    if (!hits || !outcome || text === undefined) continue;
    // Offsets into Latin-1 are not offsets into the file, and a name that only resembles the real one can't be written to.
    const fixable = 'review' in outcome && outcome.review.parses && outcome.utf8 && exact;
    findings.push(...writeFindings(path, text, hits, fixable, sources));
  }
  return findings.sort(byPlace);
}

/** A file's own hits come first, then those that others found in it, by their path: whoever was quicker changes nothing. */
function hitsByPath(outcomes: ReadonlyMap<string, FileOutcome>): Map<string, Hit[]> {
  const all = new Map<string, Map<string, Hit>>();
  const add = (path: string, hits: readonly Hit[]): void => {
    const known = all.get(path) ?? new Map<string, Hit>();
    if (hits.length > 0) all.set(path, known);
    for (const hit of hits) {
      const key = `${hit.rule} ${hit.start} ${hit.end}`;
      if (!known.has(key)) known.set(key, hit);
    }
  };
  const reviews = [...outcomes]
    .flatMap(([path, outcome]) => ('review' in outcome ? [{ path, review: outcome.review }] : []))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, review } of reviews) add(path, review.hits);
  for (const { review } of reviews) for (const [path, hits] of review.elsewhere) add(path, hits);
  return new Map([...all].map(([path, hits]) => [path, [...hits.values()]]));
}

/** The order of findings: by path (in code units), then place, then rule. */
export function byPlace(a: Finding, b: Finding): number {
  const [p, q] = [a.location, b.location];
  if (p.path !== q.path) return p.path < q.path ? -1 : 1;
  return p.startLine - q.startLine || p.startColumn - q.startColumn || (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0);
}
