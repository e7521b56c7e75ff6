/** A replacement of `[start, end)` of one text, in any unit. */
export interface PlannedEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Which fixes can be applied together. A fix is all or nothing, and owns everything from its first to its last edit: a fix inside
 * another one's span was made for a text that the other changes, so it waits for the next round; the outer one goes first. What is whole
 * by itself, such as an import or one more argument, stands beside others of its kind, and is shared by all that need it.
 */
export function planRound<T extends { readonly edits: readonly PlannedEdit[] }>(
  fixes: readonly T[],
): { now: T[]; later: T[] } {
  const spans = fixes.map((fix) => ({ fix, ...hullOf(fix.edits) }));
  spans.sort((a, b) => a.start - b.start || b.end - a.end);
  const now: typeof spans = [];
  const later: T[] = [];
  for (const span of spans) {
    const fits = now.every(
      (other) =>
        (span.start >= other.end || span.end <= other.start) &&
        span.fix.edits.every((edit) => other.fix.edits.every((taken) => goTogether(edit, taken))),
    );
    if (fits) now.push(span);
    else later.push(span.fix);
  }
  return { now: now.map(({ fix }) => fix), later };
}

/** The span from the first to the last edit; whole ones, which may stand far away, don't count beside others. */
function hullOf(edits: readonly PlannedEdit[]): { start: number; end: number } {
  const own = edits.filter((edit) => edit.start < edit.end || !isWhole(edit.text));
  const counted = own.length > 0 ? own : edits;
  return { start: Math.min(...counted.map((edit) => edit.start)), end: Math.max(...counted.map((edit) => edit.end)) };
}

/** The edits of several fixes in the order of the text, each once. */
export function editsOf(fixes: readonly { readonly edits: readonly PlannedEdit[] }[]): PlannedEdit[] {
  const all = new Map(fixes.flatMap(({ edits }) => edits).map((edit) => [keyOf(edit), edit]));
  return [...all.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

const keyOf = ({ start, end, text }: PlannedEdit): string => `${start} ${end} ${text}`;

function goTogether(a: PlannedEdit, b: PlannedEdit): boolean {
  if (keyOf(a) === keyOf(b)) return isWhole(a.text);
  if (a.start === b.start && a.end === b.end && a.start === a.end) return isWhole(a.text) && isWhole(b.text);
  // An insertion at the edge of a replacement may belong to what is replaced, unless it is one more argument.
  const point = a.start === a.end ? a : b.start === b.end ? b : undefined;
  if (point && !isWhole(point.text)) return a.end < b.start || b.end < a.start;
  return a.end <= b.start || b.end <= a.start;
}

/** Lines, options and further items of a list mean the same beside others of their kind. */
function isWhole(text: string): boolean {
  return /\n$|^ -\S+$|^, /.test(text);
}
