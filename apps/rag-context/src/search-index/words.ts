/** Words so common in code and prose that they tell nothing. */
const COMMON = new Set(
  'the a an of to in is it and or for on with this that be as at by from are was not if else return const let var function import export def self none null true false'.split(
    ' ',
  ),
);
const MAX_WORD = 60;

/**
 * Splits text into words to search by: identifiers in their parts, so that `parseHttpRequest`, `parse_http_request` and
 * `PARSE-HTTP` meet at `parse` and `http`. Lower case. Whole identifiers are left out: their parts find the same chunks, and
 * most of them occur once, which would make the index several times as large.
 */
export function words(text: string): string[] {
  const found: string[] = [];
  for (const [whole] of text.matchAll(/[\p{L}\p{N}_$]+/gu)) {
    if (whole.length > MAX_WORD * 4) continue;
    const parts = whole
      .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
      .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
      .split(/[\s_$]+/)
      .filter((part) => part !== '');
    for (const part of parts) add(found, part);
  }
  return found;
}

function add(found: string[], word: string): void {
  const lower = word.toLowerCase();
  if (lower.length > 1 && lower.length <= MAX_WORD && !COMMON.has(lower)) found.push(lower);
}
