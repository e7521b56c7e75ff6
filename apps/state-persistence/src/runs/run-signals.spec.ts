import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RunSignals, type Listener } from './run-signals.js';

let signals: RunSignals;
beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  signals = new RunSignals();
});
afterEach(() => {
  vi.useRealTimers();
});

/** How long the wait lasts, ms. */
function lasts(listener: Listener, ms: number, signal?: AbortSignal): () => Promise<number> {
  const from = Date.now();
  const ended = listener.wait(ms, signal).then(() => Date.now() - from);
  return async () => {
    await vi.runAllTimersAsync();
    return ended;
  };
}

test('a wait lasts its time when nothing happens', async () => {
  expect(await lasts(signals.listenForDue(), 700)()).toBe(700);
  expect(await lasts(signals.listenForRun('a'), 700)()).toBe(700);
});

test('a poll waits until the nearest wake time it hears of, and no longer', async () => {
  const wait = lasts(signals.listenForDue(), 700);
  signals.dueAt(1_000_500);
  signals.dueAt(1_000_300);
  signals.dueAt(1_000_400);
  signals.dueAt(1_009_000);
  expect(await wait()).toBe(300);
});

test('what is due already ends it at once', async () => {
  const wait = lasts(signals.listenForDue(), 700);
  signals.dueAt(999_000);
  expect(await wait()).toBe(0);
});

test('what happens between listening and waiting is not missed', async () => {
  const [poller, watcher] = [signals.listenForDue(), signals.listenForRun('a')];
  signals.dueAt(1_000_000);
  signals.changed('a');
  expect(await lasts(poller, 700)()).toBe(0);
  expect(await lasts(watcher, 700)()).toBe(0);
});

test('a change of one run wakes all who watch it, and nobody else', async () => {
  const waits = ['a', 'a', 'b'].map((run) => lasts(signals.listenForRun(run), 700));
  await vi.advanceTimersByTimeAsync(100);
  signals.changed('a');
  expect(await Promise.all(waits.map((wait) => wait()))).toEqual([100, 100, 700]);
});

test('an abort ends it, whenever it comes', async () => {
  const gone = new AbortController();
  const wait = lasts(signals.listenForDue(), 700, gone.signal);
  await vi.advanceTimersByTimeAsync(50);
  gone.abort();
  expect(await wait()).toBe(50);
  expect(await lasts(signals.listenForDue(), 700, gone.signal)()).toBe(0);
});
