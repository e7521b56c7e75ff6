/** When the mesh backs itself up: this hour, UTC. */
export const BACKUP_HOUR = 2;

const DAY_MS = 24 * 3600_000;

/** When the next backup is due, by when the last one was made: now, when last night's is missing. */
export function nextBackup(last: Date | null, now: Date): Date {
  const slot = new Date(now);
  slot.setUTCHours(BACKUP_HOUR, 0, 0, 0);
  if (slot > now) slot.setTime(slot.getTime() - DAY_MS);
  return last === null || last < slot ? now : new Date(slot.getTime() + DAY_MS);
}
