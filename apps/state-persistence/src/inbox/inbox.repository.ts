import type { InboxMessage } from '@devmesh/contracts/event';
import { instant, type Database } from '../database/database.js';

export interface Posted {
  readonly accepted: boolean;
  readonly ended: boolean;
  /** When the run is looked at, Unix ms. */
  readonly wakeAt: number | null;
}

/** What others tell a run. */
export class InboxRepository {
  constructor(private readonly db: Database) {}

  /**
   * Adds a row under the run's lock; null when there is no such run. A run that nobody has in hand is due at once; one in
   * a turn keeps its wake time, because its owner's next append answers with the row. One that waits for its place is woken by
   * nothing but that, and by its cancel.
   */
  async post(runId: string, dedupeKey: string, message: InboxMessage, now: number): Promise<Posted | null> {
    const finished = message.kind === 'result' ? message.key : null;
    const [row] = await this.db.write<{ ended: boolean; accepted: boolean; wake_at: Date | null }>({
      name: 'post-to-inbox',
      text: `with head as materialized (
          select run_id, status from run_heads where run_id = $1::uuid for update),
        added as (
          insert into inbox (run_id, dedupe_key, message, created_at)
          select run_id, $2::text, $3::json, $4::timestamptz from head where status <> 'ended'
          on conflict (run_id, dedupe_key) do nothing returning run_id),
        finished as (
          delete from executions x using added where x.key = $5::text and x.run_id = added.run_id and x.claim = 'none'),
        woken as (
          update run_heads h set unread = h.unread + 1, cancel_requested = h.cancel_requested or $6::boolean,
            wake_at = case when h.in_turn or (h.status = 'queued' and not $6::boolean) then h.wake_at else $4::timestamptz end
          from added where h.run_id = added.run_id and h.run_id = $1::uuid returning h.wake_at)
        select head.status = 'ended' as ended, exists (select from added) as accepted, (select wake_at from woken) as wake_at
        from head`,
      values: [runId, dedupeKey, JSON.stringify(message), instant(now), finished, message.kind === 'cancel'],
    });
    if (row === undefined) return null;
    return { accepted: row.accepted, ended: row.ended, wakeAt: row.wake_at?.getTime() ?? null };
  }
}
