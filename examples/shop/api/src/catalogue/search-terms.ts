const STOP_WORDS = new Set(['a', 'an', 'and', 'for', 'of', 'the', 'with']);

/** The words of a query that are worth looking for, lower case, at most five. */
export function searchTerms(query: string): string[] {
  return query
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word.length > 1 && !STOP_WORDS.has(word))
    .slice(0, 5);
}
