import { beforeEach, describe, expect, it } from 'vitest';
import { InstancePool, type Instance } from './instance-pool.js';

let now = 0;
let pool: InstancePool;
beforeEach(() => {
  now = 0;
  pool = new InstancePool(() => now);
});

const [a, b, c] = ['a', 'b', 'c'].map((address) => ({ address, instance: null })) as [Instance, Instance, Instance];
function refuse(address: string): void {
  pool.begin(address);
  pool.end(address, true);
}

describe('InstancePool', () => {
  it('has nothing to pick from nothing', () => {
    expect(pool.pick([])).toBeUndefined();
  });

  it('picks the one with the fewest calls under way', () => {
    pool.begin('a');
    pool.begin('a');
    pool.begin('b');
    pool.begin('c');
    pool.begin('c');
    expect(pool.pick([a, b, c])).toBe(b);
    pool.end('a', false);
    pool.end('a', false);
    expect(pool.pick([a, b, c])).toBe(a);
  });

  it('lets equal ones take turns', () => {
    const picked = new Set(Array.from({ length: 3 }, () => pool.pick([a, b, c])?.address));
    expect(picked).toEqual(new Set(['a', 'b', 'c']));
  });

  it('passes over an address that refused, for longer each time', () => {
    refuse('a');
    pool.begin('b');
    expect(pool.pick([a, b])).toBe(b);
    now = 1000;
    expect(pool.pick([a, b])).toBe(a);
    refuse('a');
    now = 2999;
    expect(pool.pick([a, b])).toBe(b);
    now = 3000;
    expect(pool.pick([a, b])).toBe(a);
  });

  it('forgets the refusals when a call gets through, and when discovery says that it passes', () => {
    refuse('a');
    pool.begin('b');
    pool.begin('a');
    pool.end('a', false);
    expect(pool.pick([a, b])).toBe(a);
    refuse('a');
    expect(pool.pick([a, b])).toBe(b);
    pool.passing(['a']);
    expect(pool.pick([a, b])).toBe(a);
  });

  it('tries the one that has waited longest when all refused', () => {
    refuse('a');
    now = 10;
    refuse('b');
    expect(pool.pick([a, b])).toBe(a);
    expect(pool.pick([b])).toBe(b);
  });
});
