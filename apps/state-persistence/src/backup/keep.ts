/** How many of the newest days, ISO weeks and months keep a backup: the last one of each. */
export const KEEP = { days: 7, weeks: 4, months: 3 } as const;

const DAY_MS = 86_400_000;

/** Weeks from Monday on; 1970-01-01 was a Thursday. */
const PERIODS: Readonly<Record<keyof typeof KEEP, (at: Date) => number>> = {
  days: (at) => Math.floor(at.getTime() / DAY_MS),
  weeks: (at) => Math.floor((at.getTime() / DAY_MS + 3) / 7),
  months: (at) => at.getUTCFullYear() * 12 + at.getUTCMonth(),
};

/** Those of `backups` that no day, week or month keeps (UTC). The newest is never among them. */
export function expired<T extends { readonly at: Date }>(backups: readonly T[]): T[] {
  const newestFirst = backups.toSorted((a, b) => b.at.getTime() - a.at.getTime());
  const kept = new Set<T>();
  for (const unit of ['days', 'weeks', 'months'] as const) {
    const seen = new Set<number>();
    for (const backup of newestFirst) {
      const period = PERIODS[unit](backup.at);
      if (seen.has(period) || seen.size >= KEEP[unit]) continue;
      seen.add(period);
      kept.add(backup);
    }
  }
  return newestFirst.filter((backup) => !kept.has(backup));
}
