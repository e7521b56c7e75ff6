import { PassThrough } from 'node:stream';
import type { EventPage } from '@devmesh/contracts/state-api';
import type { Response } from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { happened, RUN } from '../testing/history.js';
import { EventStreamService } from './event-stream.service.js';
import { KEEP_ALIVE } from './sse.js';

/** As much of an answer as a stream needs, with a client behind it that reads when the test does. */
class SlowClient extends PassThrough {
  headersSent = false;
  readonly sizes: number[] = [];

  constructor() {
    super({ highWaterMark: 1024 });
  }

  status(): this {
    return this;
  }

  set(): this {
    this.headersSent = true;
    return this;
  }

  asResponse(): Response {
    return this as unknown as Response;
  }
}

afterEach(() => vi.useRealTimers());

describe('a client that reads slowly', () => {
  it('is not sent more than its connection takes, and gets all of it in the end', async () => {
    const events = Array.from({ length: 400 }, (_, i) => ({ seq: i + 1, event: happened.created() }));
    const state = { events: async (): Promise<EventPage> => ({ events, progress: [], ended: true }) };
    const client = new SlowClient();
    const done = new EventStreamService(state, new AbortController().signal).stream(RUN, 0, client.asResponse());
    await vi.waitFor(() => expect(client.writableNeedDrain).toBe(true));
    // Two buffers of 1 KiB and the message that filled them: far less than 400 messages.
    expect(client.writableLength + client.readableLength).toBeLessThan(4096);
    let text = '';
    for await (const chunk of client) text += String(chunk);
    await done;
    expect(text.match(/^id: /gm)).toHaveLength(400);
    expect(text).toMatch(/event: end\n.*\n\n$/);
  });
});

describe('a quiet stream', () => {
  it('gets a comment every 15 s until its client goes', async () => {
    vi.useFakeTimers();
    const state = {
      // Answers nothing, and then waits until it is told to stop.
      events: (_run: string, query: { waitMs?: unknown }, signal?: AbortSignal) =>
        query.waitMs === 0
          ? Promise.resolve({ events: [], progress: [], ended: false })
          : new Promise<EventPage>((_, reject) =>
              signal?.addEventListener('abort', () => reject(new Error('aborted'))),
            ),
    };
    const client = new SlowClient();
    const done = new EventStreamService(state, new AbortController().signal).stream(RUN, 0, client.asResponse());
    await vi.advanceTimersByTimeAsync(0);
    client.read();
    await vi.advanceTimersByTimeAsync(14_999);
    expect(client.read()).toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    expect(String(client.read())).toBe(KEEP_ALIVE);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(String(client.read())).toBe(KEEP_ALIVE);
    client.emit('close');
    await done;
    expect(vi.getTimerCount()).toBe(0);
  });
});
