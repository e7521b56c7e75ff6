import type { EventPage, EventQuery } from '@devmesh/contracts/state-api';
import { describe, expect, it } from 'vitest';
import { happened, key, RUN, stored } from '../testing/history.js';
import { eventFeed, IDLE_PAUSE_MS, POLL_WAIT_MS, type FeedClock } from './event-feed.js';
import type { ServerSentEvent } from './sse.js';

const { created, scheduled, ended } = happened;
const HISTORY = stored(created(), scheduled(1, 'implement'), scheduled(2, 'review'), ended(3, 'passed', 'all good'));
const NOTHING: EventPage = { events: [], progress: [], ended: false };
const doing = (message: string): EventPage['progress'] => [{ step: 'implement', key: key('implement'), message }];

/** Answers polls from a script; one that the script does not have fails the test. A poll takes `pollMs` of its clock. */
class ScriptedSource {
  readonly asked: EventQuery[] = [];
  readonly slept: number[] = [];
  #now = 0;

  constructor(
    readonly pages: EventPage[],
    readonly pollMs = 0,
  ) {}

  readonly clock: FeedClock = {
    now: () => this.#now,
    sleep: async (ms) => {
      this.slept.push(ms);
    },
  };

  async events(_runId: string, query: EventQuery): Promise<EventPage> {
    this.asked.push(query);
    this.#now += this.pollMs;
    const page = this.pages.shift();
    if (page === undefined) throw new Error('a poll that the script does not have');
    return page;
  }

  feed(after: number, signal = new AbortController().signal): AsyncGenerator<ServerSentEvent | null> {
    return eventFeed(this, this.clock, RUN, after, signal);
  }
}

async function all(feed: AsyncIterable<ServerSentEvent | null>): Promise<(ServerSentEvent | null)[]> {
  const messages = [];
  for await (const message of feed) messages.push(message);
  return messages;
}

describe('eventFeed', () => {
  it('tells every event once, in order, then the end', async () => {
    const source = new ScriptedSource([
      { events: HISTORY.slice(0, 2), progress: [], ended: false },
      { events: HISTORY.slice(1), progress: [], ended: true },
    ]);
    const told = await all(source.feed(0));
    expect(told.map((message) => [message?.event, message?.id])).toEqual([
      ['event', 1],
      ['event', 2],
      ['event', 3],
      ['event', 4],
      ['end', undefined],
    ]);
    expect(told.at(-1)?.data).toEqual({ lastSeq: 4, verdict: 'passed', reason: 'all good' });
    expect(source.asked.map((query) => query.after)).toEqual([0, 2]);
  });

  it('goes on after the event that the client has', async () => {
    const source = new ScriptedSource([{ events: HISTORY.slice(3), progress: [], ended: true }]);
    expect((await all(source.feed(3))).map((message) => message?.id)).toEqual([4, undefined]);
    expect(source.asked[0]).toMatchObject({ after: 3, waitMs: 0 });
  });

  it('says the end again to a client that has all events', async () => {
    const source = new ScriptedSource([{ events: [], progress: [], ended: true }]);
    expect(await all(source.feed(4))).toEqual([{ event: 'end', data: { lastSeq: 4, verdict: null, reason: null } }]);
  });

  it('asks at once the first time, and waits for news from then on', async () => {
    const source = new ScriptedSource([NOTHING, { ...NOTHING, ended: true }]);
    await all(source.feed(0));
    expect(source.asked.map((query) => query.waitMs)).toEqual([0, POLL_WAIT_MS]);
  });

  it('tells progress when it changes, and again for another iteration', async () => {
    const source = new ScriptedSource([
      { ...NOTHING, progress: doing('reading') },
      { ...NOTHING, progress: doing('reading') },
      { ...NOTHING, progress: doing('writing') },
      { ...NOTHING, progress: doing('writing').map((p) => ({ ...p, key: key('implement', 2) })) },
      { ...NOTHING, ended: true },
    ]);
    const progress = (await all(source.feed(0))).filter((message) => message?.event === 'progress');
    expect(progress.map((message) => message?.data)).toMatchObject([
      { message: 'reading' },
      { message: 'writing' },
      { key: key('implement', 2) },
    ]);
    expect(progress.every((message) => message?.id === undefined)).toBe(true);
  });

  it('pauses when the source answers nothing new without having waited', async () => {
    const source = new ScriptedSource([NOTHING, NOTHING, NOTHING, { ...NOTHING, ended: true }]);
    await all(source.feed(0));
    expect(source.slept).toEqual([IDLE_PAUSE_MS, IDLE_PAUSE_MS]);
  });

  it('does not pause when the source did wait', async () => {
    const source = new ScriptedSource([NOTHING, NOTHING, { ...NOTHING, ended: true }], POLL_WAIT_MS);
    await all(source.feed(0));
    expect(source.slept).toEqual([]);
  });

  it('reads all of a long run before it says the end', async () => {
    const many = Array.from({ length: 501 }, (_, i) => ({ seq: i + 1, event: created() }));
    const source = new ScriptedSource([
      { events: many.slice(0, 500), progress: [], ended: true },
      { events: many.slice(500), progress: [], ended: true },
    ]);
    const told = await all(source.feed(0));
    expect(told).toHaveLength(502);
    expect(told.at(-1)?.event).toBe('end');
    expect(source.asked[1]).toMatchObject({ after: 500, waitMs: 0 });
  });

  it('stops asking when nobody listens any more', async () => {
    const gone = new AbortController();
    const source = new ScriptedSource([{ events: HISTORY.slice(0, 1), progress: [], ended: false }]);
    for await (const message of source.feed(0, gone.signal)) if (message !== null) gone.abort();
    expect(source.asked).toHaveLength(1);
  });
});
