/** What is proved, in the words of docs/engine.md, and how a violation of each reads. The first that fits names it. */
const INVARIANTS: readonly (readonly [name: string, broken: RegExp])[] = [
  ['no effect happens twice', /the effect|undone/],
  ['loops end', /^loop /],
  ['every run ends', /did not end|not over after|ms, and the core alone/],
  ['no finished step is done again', /ran at|scheduled twice|begun again|after its outcome|names another iteration/],
  ['joins are right', /was scheduled while|no branch led there|need not wait|leaves step|before step .* was settled/],
  [
    'nothing is lost',
    /unread rows|read the|read a|sleeps|wake time|never ran|did not say|came out as|ended|on record|verdict/,
  ],
];
const OTHERWISE = 'the transition table holds';

export const INVARIANT_NAMES: readonly string[] = [...INVARIANTS.map(([name]) => name), OTHERWISE];

/** The invariant that a violation breaks. */
export function invariantOf(violation: string): string {
  return INVARIANTS.find(([, broken]) => broken.test(violation))?.[0] ?? OTHERWISE;
}
