import { RunEvent } from '@devmesh/contracts/event';

/**
 * Reads an event as it was stored, however long ago. Each change of an event's shape adds a step here that lifts the shape
 * before it; the stored text is never rewritten. Throws for what no version of the mesh wrote up to now.
 */
export function upcast(stored: unknown): RunEvent {
  const read = RunEvent.safeParse(stored);
  if (read.success) return read.data;
  const type =
    stored !== null && typeof stored === 'object' && 'type' in stored ? String(stored.type) : 'without a type';
  const issue = read.error.issues[0];
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new Error(
    `cannot read an event ${type}: ${where}${issue?.message ?? 'not valid'}; it was written by a newer version of Devmesh, so run that or a later one`,
  );
}
