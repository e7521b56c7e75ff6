import { describe, expect, it } from 'vitest';
import { deathsInARow, restartDelay } from './backoff.js';

const backoff = { initialMs: 250, maxMs: 15_000, quietMs: 60_000 };

describe('restartDelay', () => {
  it('doubles up to its bound', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 5000].map((deaths) => restartDelay(deaths, backoff))).toEqual([
      250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
    ]);
  });
});

describe('deathsInARow', () => {
  it('counts on, and begins anew after a quiet life', () => {
    expect(deathsInARow(0, 10, backoff)).toBe(1);
    expect(deathsInARow(3, 59_999, backoff)).toBe(4);
    expect(deathsInARow(3, 60_000, backoff)).toBe(1);
  });
});
