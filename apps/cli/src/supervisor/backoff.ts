/** When a process that keeps dying is started again. */
export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
  /** A life at least this long wipes the slate clean. */
  readonly quietMs: number;
}

export const DEFAULT_BACKOFF: Backoff = { initialMs: 250, maxMs: 15_000, quietMs: 60_000 };

/** Deaths in a row, counted anew after a life of at least `quietMs`. */
export function deathsInARow(before: number, livedMs: number, backoff: Backoff): number {
  return livedMs >= backoff.quietMs ? 1 : before + 1;
}

/** The wait before the start that follows death number `deaths` in a row (1, 2, …), in ms: doubling, bounded. */
export function restartDelay(deaths: number, backoff: Backoff): number {
  return Math.min(backoff.maxMs, backoff.initialMs * 2 ** Math.min(30, Math.max(0, deaths - 1)));
}
