import { setTimeout as delay } from 'node:timers/promises';
import { once } from 'node:events';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunId } from '@devmesh/contracts/ids';
import type { Response } from 'express';
import type { StatePort } from '../upstream/state.port.js';
import { eventFeed, type Feed, type FeedClock } from './event-feed.js';
import { frame, KEEP_ALIVE, retryAfter } from './sse.js';

const KEEP_ALIVE_MS = 15_000;
const RECONNECT_MS = 1_000;
const STOPPING = 'this gateway is stopping: ask again in a moment';

const CLOCK: FeedClock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, { signal, ref: false }).catch(() => undefined),
};

/** Writes the feeds of runs to the clients that watch them. */
export class EventStreamService {
  /** `stopping`: the service ends; so does every stream, and the clients come back to whoever answers then. */
  constructor(
    private readonly state: Pick<StatePort, 'events'>,
    private readonly stopping: AbortSignal,
  ) {}

  /** What happens in a run after event number `after`, until it has ended, `signal` is aborted or the service stops. */
  async *follow(runId: RunId, after: number, signal: AbortSignal): Feed {
    const stop = AbortSignal.any([signal, this.stopping]);
    try {
      yield* eventFeed(this.state, CLOCK, runId, after, stop);
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  /**
   * Streams a run's events after number `after` until the run has ended, the client goes or the service stops. Throws
   * only as long as nothing was written: later failures end the connection, and the client resumes where it was.
   */
  async stream(runId: RunId, after: number, response: Response): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const stop = AbortSignal.any([gone.signal, this.stopping]);
    const keepAlive = setInterval(() => {
      if (response.headersSent && !response.writableNeedDrain) response.write(KEEP_ALIVE);
    }, KEEP_ALIVE_MS).unref();
    try {
      const feed = eventFeed(this.state, CLOCK, runId, after, stop);
      // The first answer, be it empty, comes at once: a failure until then is still a proper answer.
      let next = await feed.next();
      head(response);
      while (next.done !== true && !stop.aborted) {
        if (next.value !== null && !response.write(frame(next.value))) await drained(response, stop);
        next = await feed.next();
      }
    } catch (error) {
      if (!response.headersSent && !stop.aborted) throw error;
      if (!response.headersSent && !response.closed) throw new DevmeshError('shutting_down', STOPPING);
    } finally {
      clearInterval(keepAlive);
      if (response.headersSent) response.end();
    }
  }
}

function head(response: Response): void {
  response.status(200).set({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // A stream ends when the run or the service does; its connection would be left over, and hold a shutdown up.
    connection: 'close',
    // nginx would hold the stream back otherwise.
    'x-accel-buffering': 'no',
  });
  response.write(retryAfter(RECONNECT_MS));
}

/** Waits until the client has taken what it was sent; returns early when `signal` is aborted. */
async function drained(response: Response, signal: AbortSignal): Promise<void> {
  await once(response, 'drain', { signal }).catch(() => undefined);
}
