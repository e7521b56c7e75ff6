import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Logger } from '../logging/logger.js';
import { Shutdown } from './shutdown.js';

let lines = '';
function make(): Shutdown {
  lines = '';
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => (lines += chunk.toString()));
  return new Shutdown(Logger.create({ service: 'test', level: 'debug', stream }));
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('Shutdown', () => {
  it('runs the phases in order, whatever the order of adding', async () => {
    const shutdown = make();
    const seen: string[] = [];
    for (const phase of ['flush', 'drain', 'close', 'leave'] as const) {
      shutdown.add({ name: phase, phase, run: () => void seen.push(phase) });
    }
    shutdown.signal.addEventListener('abort', () => seen.push('signal'));
    await shutdown.run(1000);
    expect(seen).toEqual(['signal', 'leave', 'drain', 'close', 'flush']);
    expect(shutdown.started).toBe(true);
  });

  it('goes on after a step that fails', async () => {
    const shutdown = make();
    const closed = vi.fn<() => void>();
    shutdown.add({ name: 'bad', phase: 'leave', run: () => Promise.reject(new Error('no')) });
    shutdown.add({ name: 'good', phase: 'close', run: closed });
    await shutdown.run(1000);
    expect(closed).toHaveBeenCalledOnce();
    expect(lines).toContain('"step":"bad"');
  });

  it('leaves behind what takes longer than the bound, and still starts the later phases', async () => {
    const shutdown = make();
    const closed = vi.fn<() => void>();
    shutdown.add({ name: 'slow', phase: 'drain', run: () => new Promise<void>(() => undefined) });
    shutdown.add({ name: 'fast', phase: 'close', run: closed });
    const done = shutdown.run(1000);
    await vi.advanceTimersByTimeAsync(999);
    expect(closed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await done;
    expect(closed).toHaveBeenCalledOnce();
    expect(lines).toContain('slow');
  });

  it('runs once, however often it is asked', async () => {
    const shutdown = make();
    const step = vi.fn<() => void>();
    shutdown.add({ name: 'step', phase: 'leave', run: step });
    await Promise.all([shutdown.run(10), shutdown.run(10)]);
    expect(step).toHaveBeenCalledOnce();
  });
});
