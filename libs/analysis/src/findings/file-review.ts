import { isTreeLanguage, languageOf, ruleLanguageOf } from '../parse/language.js';
import type { FlowModels } from '../flow/models/extend.js';
import type { SourceFiles } from '../flow/module-store.js';
import type { RuleDefinition } from '../rules/rule.js';
import { searchSecrets } from '../secrets/search.js';
import { FlowSession, type FlowResult } from './flow-session.js';
import type { Hit } from './hit.js';
import { readText } from './read-text.js';
import { runRules } from './run-rules.js';
import type { SkipReason, TreeFile } from './walk.js';

/** Time that the rules may take for one file, in ms. */
export const FILE_BUDGET_MS = 2000;

export interface FileReviewOptions {
  /** Monotonic ms, for the time per file; by default the CPU time of this process, so that a busy machine changes nothing. */
  readonly clock?: () => number;
  readonly fileBudgetMs?: number;
  /** What functions of frameworks mean, where a project knows more than is shipped. */
  readonly models?: FlowModels;
}

/** What came of one file. It depends on that file, on those that it read, and on nothing else of the review. */
export interface FileReview {
  readonly hits: readonly Hit[];
  /** By path: what its data does in other files. */
  readonly elsewhere: readonly (readonly [path: string, hits: readonly Hit[]])[];
  /** False when it has syntax errors; its findings then carry no fixes. */
  readonly parses: boolean;
  /** Why it was not reviewed to its end, if so. */
  readonly reason: string | undefined;
  /** Whether another run would come to the same: time was not over, no rule failed. */
  readonly repeatable: boolean;
  /** Other files that were read, and names that were looked for in vain. */
  readonly read: readonly string[];
  readonly missed: readonly string[];
}

/** A file of a tree: reviewed, or left out. */
export type FileOutcome =
  | { readonly review: FileReview; readonly utf8: boolean }
  | { readonly skipped: SkipReason }
  | { readonly lost: string };

const NOTHING = {
  hits: [],
  elsewhere: [],
  reason: undefined,
  repeatable: true,
  read: [],
  missed: [],
} as const satisfies Partial<FileReview>;

/** Reviews the files of one tree, one at a time. */
export class FileReviewer {
  readonly #flow: FlowSession;

  constructor(
    readonly rules: readonly RuleDefinition[],
    files?: SourceFiles,
    readonly options: FileReviewOptions = {},
  ) {
    this.#flow = new FlowSession(rules, files, options.models);
  }

  async reviewFile(file: TreeFile): Promise<FileOutcome> {
    const read = await readText(file, languageOf(file.path));
    if (typeof read === 'string') return { skipped: read };
    return { review: await this.review(file.path, read.text), utf8: read.utf8 };
  }

  async review(path: string, text: string): Promise<FileReview> {
    const isOver = this.#startBudget();
    const hits: Hit[] = (await searchSecrets(path, text)).map(({ start, end, kind }) => ({
      rule: 'recognised-credential',
      class: 'hardcoded-secret',
      cwe: 798,
      // A key that tests bring with them opens what tests start.
      severity: /private key/i.test(kind) && TEST_NAME.test(path) ? 'low' : 'critical',
      confidence: 'high',
      message: `A credential (${kind}) stands in this file, so everybody who sees the repository has it, for as long as its history lives. Revoke it, and read the new one from the environment or a secret store.`,
      start,
      end,
    }));
    try {
      const where = { path, flow: this.#flow };
      const result = runRules(rulesFor(path, this.rules), ruleLanguageOf(path), text, isOver, where);
      const { flow } = result;
      const own = [...hits, ...result.hits].filter((hit) => flow?.isHarmless(hit, hit.class) !== true);
      const found = flow ? this.#found(path, flow) : NOTHING;
      let reason: string | undefined;
      if (!result.parses) reason = 'it has syntax errors';
      if (result.failed.length > 0) reason = `rules failed: ${result.failed.join(', ')}`;
      if (result.unfinished.length > 0) reason = `its time was over before ${result.unfinished.join(', ')}`;
      return {
        ...found,
        hits: [...own, ...found.hits],
        parses: result.parses,
        reason: reason?.slice(0, 300),
        repeatable: result.failed.length === 0 && result.unfinished.length === 0,
      };
    } catch (error) {
      const reason = `a rule failed: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300);
      return { ...NOTHING, hits, parses: true, reason, repeatable: false };
    }
  }

  /** Only what data does in a file and in what it calls. */
  walk(path: string, text: string): FileReview {
    const language = ruleLanguageOf(path);
    if (!isTreeLanguage(language)) return { ...NOTHING, hits: [], parses: true };
    const flow = this.#flow.walk(path, language, text, this.#startBudget());
    return { ...NOTHING, ...this.#found(path, flow), parses: flow.sound };
  }

  /** Starts the time of a file; what it gives says whether that is over. */
  #startBudget(): () => boolean {
    const { clock = cpuTime, fileBudgetMs = FILE_BUDGET_MS } = this.options;
    const deadline = clock() + fileBudgetMs;
    if (this.options.clock) return () => clock() > deadline;
    // CPU time is asked of the system, and that often: it is not asked before it can be over.
    let earliest = performance.now() + fileBudgetMs;
    return () => {
      if (performance.now() < earliest) return false;
      const left = deadline - clock();
      earliest = performance.now() + left;
      return left < 0;
    };
  }

  #found(path: string, flow: FlowResult): Pick<FileReview, 'hits' | 'elsewhere' | 'read' | 'missed'> {
    return {
      hits: this.#flowHits(path, flow.hits.get(path)),
      elsewhere: [...flow.hits].flatMap(([other, found]) => {
        const mine = other === path ? [] : this.#flowHits(other, found);
        return mine.length > 0 ? [[other, mine] as const] : [];
      }),
      read: flow.read,
      missed: flow.missed,
    };
  }

  /** In tests without the rules that skip them. */
  #flowHits(path: string, hits: readonly Hit[] = []): Hit[] {
    const rules = new Set(rulesFor(path, this.rules).map(({ id }) => id));
    return hits.filter(({ rule }) => rules.has(rule));
  }
}

function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const TEST_FILE =
  /(^|\/)(tests?|__tests__|spec|fixtures)\/|[._-](test|spec)\.[a-z]+$|(^|\/)(test_[^/]*|conftest)\.py$|Tests?\.java$/i;
/** Files that only a test runner reads, whatever folder they lie in. */
const TEST_NAME =
  /(^|\/)__tests__\/|\.(test|spec)\.[a-z]+$|(^|\/)(test_[^/]*|conftest)\.py$|_test\.go$|(^|\/)src\/test\/java\//i;

function rulesFor(path: string, rules: readonly RuleDefinition[]): readonly RuleDefinition[] {
  if (!TEST_FILE.test(path)) return rules;
  const isTest = TEST_NAME.test(path);
  return rules.filter((rule) => !rule.skipsTests && !(isTest && 'flow' in rule.matches));
}
