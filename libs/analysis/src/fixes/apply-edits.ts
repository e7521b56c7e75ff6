import type { PlannedEdit } from './plan-round.js';

/**
 * Replaces byte spans and leaves every other byte as it is. Throws on edits that overlap, lie outside, or cut a UTF-8
 * character in two.
 */
export function applyEdits(content: Buffer, edits: readonly PlannedEdit[]): Buffer {
  const sorted = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end, text } of sorted) {
    if (start < at || end < start || end > content.length) throw new Error(`edit ${start}-${end} does not fit`);
    if (cutsCharacter(content, start) || cutsCharacter(content, end)) {
      throw new Error(`edit ${start}-${end} cuts a character in two`);
    }
    pieces.push(content.subarray(at, start), Buffer.from(text, 'utf8'));
    at = end;
  }
  pieces.push(content.subarray(at));
  return Buffer.concat(pieces);
}

/** UTF-8 continuation bytes are 10xxxxxx. */
function cutsCharacter(content: Buffer, offset: number): boolean {
  const byte = content[offset];
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
