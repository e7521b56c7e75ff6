import fc from 'fast-check';
import { expect, it } from 'vitest';
import { whatPasses } from './what-passes.js';

const always = () => true;

it('leaves out what fails, and keeps all the rest', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 20 }), fc.nat(40), async (parts, limit) => {
      // Together they fail, as whoever asks has seen.
      const bad = new Set(parts.filter((part) => part >= limit));
      fc.pre(bad.size > 0);
      const passes = async (some: readonly number[]) => !some.some((part) => bad.has(part));
      const { kept, rejected } = await whatPasses(parts, passes, always);
      expect(new Set(rejected)).toEqual(bad);
      expect(new Set([...kept, ...rejected])).toEqual(new Set(parts));
    }),
  );
});

it('asks few questions for one bad part among many', async () => {
  const parts = Array.from({ length: 64 }, (_, i) => i);
  for (const bad of [0, 31, 63]) {
    let asked = 0;
    const passes = async (some: readonly number[]) => {
      asked += 1;
      return !some.includes(bad);
    };
    expect(await whatPasses(parts, passes, always)).toMatchObject({ rejected: [bad] });
    expect(asked).toBeLessThanOrEqual(12);
  }
});

it('leaves out one of two that fail only together', async () => {
  const passes = async (some: readonly string[]) => !(some.includes('a') && some.includes('d'));
  const { kept, rejected } = await whatPasses(['a', 'b', 'c', 'd'], passes, always);
  expect(rejected).toEqual(['d']);
  expect(kept).toEqual(['a', 'b', 'c']);
});

it('keeps nothing that it could not ask about', async () => {
  let left = 1;
  const passes = async (some: readonly number[]) => !some.includes(7);
  const { kept, rejected } = await whatPasses([1, 2, 7, 8], passes, () => left-- > 0);
  expect(kept).toEqual([1, 2]);
  expect(rejected.toSorted((a, b) => a - b)).toEqual([7, 8]);
});
