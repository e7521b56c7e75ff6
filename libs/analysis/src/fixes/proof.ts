import type { Finding } from '@devmesh/contracts/finding';
import { readWorkflow } from '../actions/workflow.js';
import { reviewText } from '../findings/review-tree.js';
import { parseDockerfile } from '../parse/dockerfile.js';
import { languageOf, ruleLanguageOf } from '../parse/language.js';
import { hasSyntaxErrors, parseSyntax } from '../parse/syntax.js';

/**
 * Why fixes that turn `before` into `after` don't count, or undefined: the file must still parse, each finding that they are for must be
 * gone, and none may be new. Findings are counted by class, as lines move and one defect may show under another rule.
 */
export async function objectionTo(
  path: string,
  before: string,
  after: string,
  fixed: readonly Finding[],
): Promise<string | undefined> {
  if (!parses(path, after)) return 'the file would no longer parse';
  const old = (await reviewText(path, before)).findings;
  const unknown = fixed.find((finding) => !old.some((other) => isSame(finding, other)));
  if (unknown) return `the finding of ${unknown.rule} does not show in this file alone, so nothing proves it gone`;
  const left = countsOf((await reviewText(path, after)).findings);
  const had = countsOf(old);
  const mended = countsOf(fixed);
  for (const [kind, count] of left) {
    const allowed = (had.get(kind) ?? 0) - (mended.get(kind) ?? 0);
    if (count <= allowed) continue;
    return mended.has(kind) ? `the finding (${kind}) would still be there` : `the fix would make a finding (${kind})`;
  }
  return undefined;
}

function isSame(a: Finding, b: Finding): boolean {
  return a.rule === b.rule && a.location.startLine === b.location.startLine;
}

function countsOf(findings: readonly Finding[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const finding of findings) counts.set(finding.class, (counts.get(finding.class) ?? 0) + 1);
  return counts;
}

/** Whether a text parses without guessing. What nothing here can parse is not fixed by machine. */
function parses(path: string, text: string): boolean {
  if (ruleLanguageOf(path) === 'actions') return readWorkflow(text)?.problems.length === 0;
  const language = languageOf(path);
  if (!language) return false;
  return language === 'dockerfile' ? parseDockerfile(text).valid : !hasSyntaxErrors(parseSyntax(language, text));
}
