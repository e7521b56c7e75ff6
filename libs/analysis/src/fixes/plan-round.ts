/** A fix to place: its edits as `[start, end)` of the same text, in any unit. */
export interface PlannedEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The span from the first to the last edit. */
function hullOf(edits: readonly PlannedEdit[]): { start: number; end: number } {
  return { start: Math.min(...edits.map((edit) => edit.start)), end: Math.max(...edits.map((edit) => edit.end)) };
}

/**
 * Which fixes can be applied together. A fix is all or nothing, and owns everything from its first to its last edit: a
 * fix inside another one's span was made for a text that the other changes, so it waits for the next round. Outer fixes
 * go first, then by place; insertions at one point never go together.
 */
export function planRound<T extends { readonly edits: readonly PlannedEdit[] }>(
  fixes: readonly T[],
): { now: T[]; later: T[] } {
  const spans = fixes.map((fix) => ({ fix, ...hullOf(fix.edits) }));
  spans.sort((a, b) => a.start - b.start || b.end - a.end);
  const now: T[] = [];
  const later: T[] = [];
  let reached = -1;
  for (const { fix, start, end } of spans) {
    if (start > reached || (start === reached && start < end)) {
      now.push(fix);
      reached = Math.max(reached, end);
    } else later.push(fix);
  }
  return { now, later };
}
