import { readWorkflow } from '../actions/workflow.js';
import { FileReviewer } from '../findings/file-review.js';
import type { SourceFiles } from '../flow/module-store.js';
import { parseDockerfile } from '../parse/dockerfile.js';
import { languageOf, ruleLanguageOf } from '../parse/language.js';
import { hasSyntaxErrors, parseSyntax } from '../parse/syntax.js';
import type { RuleDefinition } from '../rules/rule.js';

/** How often each rule finds something in a text, before findings that say the same are told as one. */
type Tally = ReadonlyMap<string, number>;

/** Says of a file with fixes whether they did what they promise, and nothing else. */
export class Prover {
  readonly #before = new Map<string, Tally>();

  /** `files` is the tree around the file, which the review follows its data into. */
  constructor(
    readonly rules: readonly RuleDefinition[],
    readonly files: SourceFiles,
  ) {}

  /**
   * Why a text may not replace another one; undefined when it parses, each rule finds less by the findings that were `fixed`, and
   * none finds more.
   */
  async objection(
    path: string,
    before: string,
    after: string,
    fixed: readonly { readonly rule: string }[],
  ): Promise<string | undefined> {
    if (!parses(path, after)) return 'the file would no longer parse';
    const had = this.#before.get(path) ?? (await this.#tally(path, before));
    if (!had) return 'the file could not be reviewed to its end';
    this.#before.set(path, had);
    const has = await this.#tally(path, after);
    if (!has) return 'the changed file could not be reviewed to its end';
    for (const rule of new Set(fixed.map((finding) => finding.rule))) {
      const gone = fixed.filter((finding) => finding.rule === rule).length;
      if ((had.get(rule) ?? 0) < gone) return `${rule} does not find it here, so nothing proves it gone`;
      if ((has.get(rule) ?? 0) > (had.get(rule) ?? 0) - gone) return `${rule} would still find it`;
    }
    for (const [rule, count] of has) if (count > (had.get(rule) ?? 0)) return `${rule} would find something new`;
    return undefined;
  }

  async #tally(path: string, text: string): Promise<Tally | undefined> {
    const reviewer = new FileReviewer(this.rules, this.files);
    const { hits, parses: sound, repeatable } = await reviewer.review(path, text);
    if (!repeatable || !sound) return undefined;
    const tally = new Map<string, number>();
    for (const { rule } of hits) tally.set(rule, (tally.get(rule) ?? 0) + 1);
    return tally;
  }
}

/** Whether a text parses without guessing. What nothing here can parse is not fixed by machine. */
function parses(path: string, text: string): boolean {
  if (ruleLanguageOf(path) === 'actions') return readWorkflow(text)?.problems.length === 0;
  const language = languageOf(path);
  if (!language) return false;
  return language === 'dockerfile' ? parseDockerfile(text).valid : !hasSyntaxErrors(parseSyntax(language, text));
}
