/** A piece of a file: lines `startLine` to `endLine`, 1-based and inclusive. */
export interface Chunk {
  readonly startLine: number;
  readonly endLine: number;
  /** Function, class or method (`Class.method`), or heading, that it is. */
  readonly symbol?: string;
}

/** A chunk longer than this is cut into windows. */
export const MAX_LINES = 80;
/** Lines that neighbouring windows share, so that nothing is lost at the cut. */
const OVERLAP = 10;

/** Windows over lines `from` to `to`; one when they are few. */
export function windows(from: number, to: number, symbol?: string): Chunk[] {
  const named = symbol === undefined ? {} : { symbol };
  const chunks: Chunk[] = [];
  for (let start = from; start <= to; start += MAX_LINES - OVERLAP) {
    const end = Math.min(to, start + MAX_LINES - 1);
    chunks.push({ startLine: start, endLine: end, ...named });
    if (end === to) break;
  }
  return chunks;
}

/** Named pieces and what lies between them, which is code too: imports, constants, calls. Pieces don't overlap. */
export function fillGaps(pieces: readonly Chunk[], lastLine: number, isBlank: (line: number) => boolean): Chunk[] {
  const sorted = [...pieces].sort((a, b) => a.startLine - b.startLine);
  const chunks: Chunk[] = [];
  let next = 1;
  const gap = (from: number, to: number): void => {
    let [start, end] = [from, to];
    while (start <= end && isBlank(start)) start += 1;
    while (end >= start && isBlank(end)) end -= 1;
    if (start <= end) chunks.push(...windows(start, end));
  };
  for (const piece of sorted) {
    if (piece.startLine < next) continue;
    gap(next, piece.startLine - 1);
    chunks.push(...windows(piece.startLine, piece.endLine, piece.symbol));
    next = piece.endLine + 1;
  }
  gap(next, lastLine);
  return chunks;
}
