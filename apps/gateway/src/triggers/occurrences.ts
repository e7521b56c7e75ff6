import { DevmeshError } from '@devmesh/contracts/errors';
import type { TriggerOn } from '@devmesh/contracts/trigger';
import { Cron } from 'croner';

type Schedule = Extract<TriggerOn, { kind: 'schedule' }>;

/** The first occurrence of a schedule after an instant, Unix ms; null when there is none. Throws `invalid_request` for no cron expression. */
export function nextOccurrence({ cron, timezone }: Schedule, after: number): number | null {
  try {
    return new Cron(cron, { timezone, paused: true }).nextRun(new Date(after))?.getTime() ?? null;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'it cannot be read';
    throw new DevmeshError(
      'invalid_request',
      `"${cron}" (${timezone}) is no schedule: ${why}; five fields, such as "0 3 * * 1-5", and a time zone such as Europe/Berlin`,
      { cause },
    );
  }
}
