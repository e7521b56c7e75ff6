import { describe, expect, it } from 'vitest';
import { LineMap } from './line-map.js';

const hunk = (baseStart: number, baseLines: number, start: number, lines: number) => ({
  baseStart,
  baseLines,
  start,
  lines,
});

describe('a map of lines', () => {
  // Base: 3 becomes other text, 6 and 7 go, three lines come after 11.
  const map = new LineMap({
    path: 'a',
    basePath: 'a',
    hunks: [hunk(3, 1, 3, 1), hunk(6, 2, 5, 0), hunk(11, 0, 10, 3)],
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, undefined],
    [4, 4],
    [5, 5],
    [6, 8],
    [9, 11],
    [10, undefined],
    [12, undefined],
    [13, 12],
    [20, 19],
  ])('finds line %i in the base', (line, before) => {
    expect(map.toBase(line)).toBe(before);
  });

  it.each([
    [1, 2, false],
    [2, 3, true],
    [4, 5, false],
    [5, 6, true],
    [6, 9, false],
    [9, 10, true],
    [13, 99, false],
  ])('tells whether lines %i to %i are touched', (first, last, touched) => {
    expect(map.touches(first, last)).toBe(touched);
  });

  it('has no base for an added file', () => {
    const added = new LineMap({ path: 'a', basePath: null, hunks: [] });
    expect([added.toBase(1), added.touches(1, 1)]).toEqual([undefined, true]);
  });
});
