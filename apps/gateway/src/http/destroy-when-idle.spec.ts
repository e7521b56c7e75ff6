import { PassThrough } from 'node:stream';
import type { Request } from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { destroyWhenIdle } from './destroy-when-idle.js';

/** A request with a body that somebody reads; `socket.bytesRead` is what its client has sent. */
class SlowRequest extends PassThrough {
  readonly socket = { bytesRead: 0 };

  send(bytes: number): void {
    this.socket.bytesRead += bytes;
    this.write(Buffer.alloc(bytes));
  }

  asRequest(): Request {
    return this as unknown as Request;
  }
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('destroyWhenIdle', () => {
  it('ends a request whose client has fallen silent', async () => {
    const request = new SlowRequest();
    request.resume();
    destroyWhenIdle(request.asRequest(), 1000);
    request.send(10);
    await vi.advanceTimersByTimeAsync(1000);
    expect(request.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1000);
    expect(request.destroyed).toBe(true);
  });

  it('leaves a slow one alone, however long it takes', async () => {
    const request = new SlowRequest();
    request.resume();
    destroyWhenIdle(request.asRequest(), 1000);
    for (let second = 0; second < 60; second++) {
      request.send(1);
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(request.destroyed).toBe(false);
  });

  it('does not take a slow reader for a silent client', () => {
    const request = new SlowRequest();
    destroyWhenIdle(request.asRequest(), 1000);
    request.send(10);
    vi.advanceTimersByTime(10_000);
    expect(request.destroyed).toBe(false);
  });

  it('looks no more once it is told to stop', () => {
    const request = new SlowRequest();
    request.resume();
    destroyWhenIdle(request.asRequest(), 1000)();
    vi.advanceTimersByTime(10_000);
    expect(request.destroyed).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});
