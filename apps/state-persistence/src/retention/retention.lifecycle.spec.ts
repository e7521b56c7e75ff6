import type { ShutdownStep } from '@devmesh/service-kit/shutdown/shutdown';
import { describe, expect, it } from 'vitest';
import { RetentionLifecycle } from './retention.lifecycle.js';

/** A lifecycle that rests so many times and is then told to end. */
async function live(enabled: boolean, rests: number): Promise<{ sweeps: number; waits: number[]; warned: unknown[] }> {
  const steps: ShutdownStep[] = [];
  const waits: number[] = [];
  const warned: unknown[] = [];
  let sweeps = 0;
  const sweep = (): Promise<void> =>
    ++sweeps === 1 ? Promise.reject(new Error('the database is away')) : Promise.resolve();
  const lifecycle = new RetentionLifecycle(
    { enabled, sweepMinutes: 10 },
    { sweep },
    { warn: (...said) => void warned.push(said) },
    { signal: new AbortController().signal, add: (step) => void steps.push(step) },
    (ms) => Promise.resolve(waits.push(ms) <= rests),
  );
  lifecycle.onApplicationBootstrap();
  for (const step of steps) await step.run();
  return { sweeps, waits, warned };
}

describe('the sweeps of a service', () => {
  it('come after a start and then at about the time that is set, also after one that failed', async () => {
    const { sweeps, waits, warned } = await live(true, 3);
    expect([sweeps, warned.length]).toEqual([3, 1]);
    const [first = 0, ...later] = waits.map((ms) => ms / 60_000);
    expect(first).toBeGreaterThanOrEqual(0.5);
    expect(first).toBeLessThanOrEqual(1);
    expect(later).toHaveLength(3);
    for (const minutes of later) expect(Math.abs(minutes - 10)).toBeLessThanOrEqual(1);
  });

  it('are left out where they are turned off', async () => {
    expect((await live(false, 3)).waits).toEqual([]);
  });
});
