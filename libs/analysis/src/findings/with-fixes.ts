import { languageOf } from '../parse/language.js';
import { parseSyntax, type Node } from '../parse/syntax.js';
import { Bindings } from '../rules/bindings.js';
import { Candidate } from '../rules/candidate.js';
import { RULES } from '../rules/catalogue.js';
import { editsOf } from '../rules/fix-templates.js';
import type { Hit } from './hit.js';

let known: ReadonlyMap<string, (typeof RULES)[number]> | undefined;

/** Gives the hits of one file that were found without their node (by the flow of data, or by a look at the file) the fixes of their rules. */
export function withFixes(path: string, text: string, hits: readonly Hit[]): readonly Hit[] {
  known ??= new Map(RULES.map((rule) => [rule.id, rule]));
  const language = languageOf(path);
  let root: Node | undefined;
  let names: Bindings | undefined;
  return hits.map((hit) => {
    const fix = known?.get(hit.rule)?.fix;
    if (!fix || hit.fix) return hit;
    const candidate = (): Candidate | undefined => {
      if (!language || language === 'dockerfile') return undefined;
      root ??= parseSyntax(language, text);
      const tree = root;
      const node = nodeAt(tree, hit.start, hit.end);
      return node && new Candidate(node, () => (names ??= new Bindings(language, tree)));
    };
    const edits = editsOf(fix.apply, text, hit, candidate);
    return edits && edits.length > 0 ? { ...hit, fix: { description: fix.description, edits } } : hit;
  });
}

/** The innermost node that has exactly this span. */
function nodeAt(root: Node, start: number, end: number): Node | undefined {
  let found: Node | undefined;
  for (let at: Node | undefined = root; at;) {
    const range = at.range();
    if (range.start.index === start && range.end.index === end) found = at;
    at = at.children().find((child) => {
      const inner = child.range();
      return inner.start.index <= start && end <= inner.end.index;
    });
  }
  return found;
}
