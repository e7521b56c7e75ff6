import type { StoredEvent } from '@devmesh/contracts/event';
import type { ExecutionKey, RunId } from '@devmesh/contracts/ids';
import type { EventPage, EventQuery } from '@devmesh/contracts/state-api';
import type { ServerSentEvent } from './sse.js';

/** Longest wait of one poll, ms: progress that was told meanwhile is shown after this at the latest. */
export const POLL_WAIT_MS = 5_000;
/** Pause after a poll that brought nothing new though it did not wait, ms. */
export const IDLE_PAUSE_MS = 250;
const EVENTS_PER_PAGE = 500;

export interface FeedSource {
  events(runId: RunId, query: EventQuery, signal?: AbortSignal): Promise<EventPage>;
}

export interface FeedClock {
  now(): number;
  /** Ends early, without an error, when `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export type Feed = AsyncGenerator<ServerSentEvent | null, void, undefined>;

/**
 * What happens in a run from event `after` on: every event once and in order, what its slow executions do when that
 * changed, and `end` after the last event; null after a poll that brought nothing new, so that a watcher knows
 * that somebody answers. Returns after `end`, or when `signal` is aborted. Throws what the source throws.
 */
export async function* eventFeed(
  source: FeedSource,
  clock: FeedClock,
  runId: RunId,
  after: number,
  signal: AbortSignal,
): Feed {
  let seq = after;
  let waitMs = 0;
  let doing = new Map<ExecutionKey, string>();
  let end: StoredEvent['event'] | undefined;

  while (!signal.aborted) {
    const askedAt = clock.now();
    const page = await source.events(runId, { after: seq, limit: EVENTS_PER_PAGE, waitMs }, signal);
    let news = false;
    for (const stored of page.events) {
      if (stored.seq <= seq) continue;
      seq = stored.seq;
      news = true;
      if (stored.event.type === 'RunEnded') end = stored.event;
      yield { event: 'event', id: stored.seq, data: stored };
    }
    const next = new Map(page.progress.map((progress) => [progress.key, progress.message]));
    for (const progress of page.progress) {
      if (doing.get(progress.key) === progress.message) continue;
      news = true;
      yield { event: 'progress', data: progress };
    }
    doing = next;
    // A full page may have more behind it, whether or not the run has ended.
    const full = page.events.length >= EVENTS_PER_PAGE;
    if (page.ended && !full) {
      yield { event: 'end', data: endOf(end, seq) };
      return;
    }
    if (!news) yield null;
    if (!news && clock.now() - askedAt < Math.min(waitMs, IDLE_PAUSE_MS)) await clock.sleep(IDLE_PAUSE_MS, signal);
    waitMs = full ? 0 : POLL_WAIT_MS;
  }
}

/** What `end` says. The verdict is null for who resumed behind RunEnded: the run's view has it. */
function endOf(end: StoredEvent['event'] | undefined, lastSeq: number): Record<string, unknown> {
  return end?.type === 'RunEnded'
    ? { lastSeq, verdict: end.verdict, reason: end.reason }
    : { lastSeq, verdict: null, reason: null };
}
