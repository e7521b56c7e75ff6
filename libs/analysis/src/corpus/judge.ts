import type { Finding, FindingClass } from '@devmesh/contracts/finding';
import type { Case, LineLabel } from './read-cases.js';
import type { CorpusFile, Snippet } from './read-corpus.js';

export type ReviewFiles = (files: readonly CorpusFile[]) => Promise<readonly Finding[]>;

/** What the review said of one labelled thing. */
export interface Verdict {
  /** `snippet file: title`, or `case: path:line`. */
  readonly name: string;
  readonly language: string;
  readonly label: 'bad' | 'good';
  readonly class: FindingClass;
  /** Whether something of the class was found there: right for `bad`, a false alarm for `good`. */
  readonly hit: boolean;
  /** The rule that found it, where that is known of one place. */
  readonly rule?: string;
}

/** Reviews each snippet for itself: a finding of its class anywhere in it is a hit. */
export async function judgeSnippets(snippets: readonly Snippet[], review: ReviewFiles): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const { name, language, label, class: kind, files } of snippets) {
    const findings = await review(files);
    verdicts.push({ name, language, label, class: kind, hit: findings.some((finding) => finding.class === kind) });
  }
  return verdicts;
}

/** How far from the labelled line a finding may begin, in lines: a call over several is marked where it begins, or at what is wrong. */
const NEAR = 2;

function distance({ location }: Finding, { path, line }: LineLabel): number {
  if (location.path !== path) return Infinity;
  return Math.max(location.startLine - line, line - location.endLine, 0);
}

/**
 * Reviews each case: one verdict for each bad and each good line, and one, as of a good line that was alarmed, for each finding where no
 * label of its class is. A finding belongs to the nearest label of its class, at most two lines away, or on the very line of a good one.
 */
export async function judgeCases(cases: readonly Case[], review: ReviewFiles): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const { name, language, files, labels } of cases) {
    const rules = new Map<LineLabel, string>();
    for (const finding of await review(files)) {
      const nearest = labels
        .filter((label) => label.class === finding.class)
        .map((label) => ({ label, far: distance(finding, label) }))
        .filter(({ label, far }) => far <= (label.label === 'good' ? 0 : NEAR))
        .sort((a, b) => a.far - b.far)[0];
      if (nearest) rules.set(nearest.label, finding.rule);
      else {
        const { path, startLine } = finding.location;
        const place = `${name}: ${path}:${startLine}`;
        verdicts.push({ name: place, language, label: 'good', class: finding.class, hit: true, rule: finding.rule });
      }
    }
    for (const line of labels) {
      if (line.label === 'open') continue;
      const rule = rules.get(line);
      const judged = { name: `${name}: ${line.path}:${line.line}`, language, label: line.label, class: line.class };
      verdicts.push(rule === undefined ? { ...judged, hit: false } : { ...judged, hit: true, rule });
    }
  }
  return verdicts;
}
