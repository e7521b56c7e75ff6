import type { Evidence } from '@devmesh/contracts/stack';
import type { Document } from './document.js';

/** What can be wrong with a statement of a document; the ids of the findings. */
export const DRIFT_RULES = {
  'docs-broken-link': 'A link to a file of the repository that is not there',
  'docs-missing-anchor': 'A link to a heading or a line that is not there',
  'docs-missing-path': 'A path that is not there',
  'docs-unknown-script': 'A script, target or recipe that no manifest has',
  'docs-unknown-flag': "A flag that the project's own program does not take",
  'docs-unread-variable': 'An environment variable that nothing reads',
  'docs-undocumented-variable': 'An environment variable that is read and stands in no list of them',
  'docs-wrong-port': 'A port that nothing opens',
  'docs-wrong-version': 'A version of the runtime that the manifest does not allow',
  'docs-wrong-package': "A name that is not the package's own",
  'docs-unknown-export': 'An example that imports what the package does not export',
  'docs-unknown-symbol': 'A member of a class that stands nowhere in the code',
} as const satisfies Record<string, string>;
export type DriftRule = keyof typeof DRIFT_RULES;

/** A statement that does not hold, with what the code says now. */
export interface Drift {
  readonly rule: DriftRule;
  readonly document: Document;
  /** Span of the statement, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  /** The statement and what is so instead: a sentence without its full stop. */
  readonly says: string;
  /** Where the code says so. */
  readonly evidence: readonly Evidence[];
  /** What to write instead, when it can be told. */
  readonly suggestion?: string;
}

/** Text of others in a message: one line, no quotes of ours broken, short. */
export function shown(text: string, limit = 120): string {
  const flat = text
    .replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return flat.length > limit ? `${flat.slice(0, limit - 1).toWellFormed()}…` : flat;
}

/** `a, b, c and 4 more`. */
export function listed(names: readonly string[], limit = 8): string {
  const first = names.slice(0, limit).map((name) => shown(name, 60));
  return names.length > limit ? `${first.join(', ')} and ${names.length - limit} more` : first.join(', ');
}

/** The name that is nearest to `name`: at most a quarter of its letters differ, or one is the other with something added. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  const bound = Math.max(1, Math.floor(name.length / 4));
  let best: { name: string; distance: number } | undefined;
  for (const other of names) {
    if (other === name || Math.abs(other.length - name.length) > bound || other.length > 100) continue;
    const distance = editDistance(name, other, bound);
    if (distance <= bound && (!best || distance < best.distance)) best = { name: other, distance };
  }
  return best?.name;
}

function editDistance(a: string, b: string, bound: number): number {
  let before = Array.from({ length: b.length + 1 }, (_, i) => i);
  let twoBefore = before;
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (before[j - 1] ?? 0) + (same ? 0 : 1));
      // Two letters that changed places are one slip.
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (twoBefore[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    if (Math.min(...row) > bound) return bound + 1;
    twoBefore = before;
    before = row;
  }
  return before[b.length] ?? bound + 1;
}
