/**
 * Reads what is exported at a scrape, and gives the same answer again for `forMs`, so that several gauges and several scrapers cost no more
 * than one. One that failed is read anew the next time. `now`: Unix ms.
 */
export function remembered<T>(read: () => Promise<T>, forMs: number, now: () => number): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (last === undefined || now() - last.at >= forMs) {
      const mine = { at: now(), answer: read() };
      mine.answer.catch(() => {
        if (last === mine) last = undefined;
      });
      last = mine;
    }
    return last.answer;
  };
}
