import { DevmeshError } from '@devmesh/contracts/errors';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Breaker, BREAKER_DEFAULTS } from './breaker.js';
import { TransportError } from './transport-error.js';

const broken = new TransportError('broken', 'x');
const refused = new TransportError('refused', 'x');
const conflict = new DevmeshError('conflict', 'x');

const open: Breaker[] = [];
function make(failures = 3, openMs = 1000): Breaker {
  const breaker = new Breaker('code-review', { failures, openMs });
  open.push(breaker);
  return breaker;
}
async function fail(breaker: Breaker, error: Error, times = 1): Promise<void> {
  for (let time = 0; time < times; time++) await expect(breaker.run(() => Promise.reject(error))).rejects.toBe(error);
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  for (const breaker of open.splice(0)) breaker.close();
  vi.useRealTimers();
});

describe('Breaker', () => {
  it('opens after so many failures in a row, without calling again', async () => {
    const breaker = make();
    await fail(breaker, broken, 2);
    expect(breaker.state).toBe('closed');
    await fail(breaker, broken);
    expect(breaker.state).toBe('open');
    const work = vi.fn<() => Promise<string>>();
    await expect(breaker.run(work)).rejects.toMatchObject({
      code: 'circuit_open',
      retryable: true,
      retryAfterMs: 1000,
    });
    expect(work).not.toHaveBeenCalled();
  });

  it('counts only failures in a row', async () => {
    const breaker = make();
    await fail(breaker, broken, 2);
    await breaker.run(() => Promise.resolve('well'));
    await fail(breaker, broken, 2);
    await fail(breaker, conflict);
    await fail(breaker, broken, 2);
    expect(breaker.state).toBe('closed');
  });

  it.each([
    ['a refused connection', refused, 'closed'],
    ['an aborted call', new TransportError('aborted', 'x'), 'closed'],
    ['a 409', conflict, 'closed'],
    ['a 404', new DevmeshError('not_found', 'x'), 'closed'],
    ['an orderly end', new DevmeshError('shutting_down', 'x'), 'closed'],
    ['a full queue', new DevmeshError('unavailable', 'x'), 'closed'],
    ['a timeout', new TransportError('timeout', 'x'), 'open'],
    ['a 500', new DevmeshError('internal', 'x'), 'open'],
    ['a reply against the contract', new DevmeshError('bad_reply', 'x'), 'open'],
  ])('after three times %s it is %s', async (_, error, state) => {
    const breaker = make();
    await fail(breaker, error, 3);
    expect(breaker.state).toBe(state);
  });

  it('lets one call probe after its time, and closes when that goes well', async () => {
    const breaker = make();
    await fail(breaker, broken, 3);
    await vi.advanceTimersByTimeAsync(999);
    expect(breaker.state).toBe('open');
    await vi.advanceTimersByTimeAsync(1);
    expect(breaker.state).toBe('half_open');
    let finish: (value: string) => void = () => undefined;
    const probe = breaker.run(() => new Promise<string>((resolve) => (finish = resolve)));
    await expect(breaker.run(() => Promise.resolve('second'))).rejects.toMatchObject({ code: 'circuit_open' });
    finish('well');
    await expect(probe).resolves.toBe('well');
    expect(breaker.state).toBe('closed');
    await fail(breaker, broken, 2);
    expect(breaker.state).toBe('closed');
  });

  it('opens again at once when the probe fails', async () => {
    const breaker = make();
    await fail(breaker, broken, 3);
    await vi.advanceTimersByTimeAsync(1000);
    await fail(breaker, broken);
    expect(breaker.state).toBe('open');
  });

  it('is one failure from open after a probe that learned nothing', async () => {
    const breaker = make();
    await fail(breaker, broken, 3);
    await vi.advanceTimersByTimeAsync(1000);
    await fail(breaker, refused);
    await fail(breaker, broken);
    expect(breaker.state).toBe('open');
  });

  it('has the thresholds that were decided for the agents', () => {
    expect(BREAKER_DEFAULTS['feature-dev']).toEqual({ failures: 5, openMs: 60_000 });
    expect(BREAKER_DEFAULTS['code-review']).toEqual({ failures: 3, openMs: 30_000 });
  });
});
