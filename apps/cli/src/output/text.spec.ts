import { describe, expect, it } from 'vitest';
import { bytes, cut, duration, padStart, plain, table, width } from './text.js';

describe('width', () => {
  it.each([
    ['plain', 5],
    ['\u001b[32mgreen\u001b[39m', 5],
    ['日本', 4],
    ['e\u0301', 1],
    ['👩‍💻', 2],
    ['✔ ├─', 4],
  ])('%s takes %i columns', (text, columns) => expect(width(text)).toBe(columns));
});

describe('cut', () => {
  it.each([
    ['short', 10, 'short'],
    ['exactly ten', 11, 'exactly ten'],
    ['a long remark', 6, 'a lon…'],
    ['日本語', 4, '日…'],
    ['x', 0, ''],
  ])('%s in %i is %s', (text, columns, shown) => expect(cut(text, columns)).toBe(shown));
});

describe('duration', () => {
  it.each([
    [-5, '0.0 s'],
    [0, '0.0 s'],
    [9_949, '9.9 s'],
    [9_960, '10 s'],
    [59_499, '59 s'],
    [59_999, '1 m 00 s'],
    [185_000, '3 m 05 s'],
    [7_440_000, '2 h 04 m'],
    [3_599_999, '1 h 00 m'],
    [3 * 86_400_000 + 4 * 3_600_000, '3 d 4 h'],
  ])('%i ms is %s', (ms, shown) => expect(duration(ms)).toBe(shown));
});

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KB'],
    [1024 ** 2 - 1, '1.0 MB'],
    [1.5 * 1024 ** 2, '1.5 MB'],
    [200 * 1024 ** 3, '200 GB'],
  ])('%i is %s', (size, shown) => expect(bytes(size)).toBe(shown));
});

describe('plain', () => {
  it('takes away what would steer the terminal', () => {
    expect(plain('\u001b[2Jhidden\r\nnext\u202e!')).toBe('[2Jhidden next !');
  });
});

describe('table', () => {
  it('aligns by what is seen, and cuts the last column', () => {
    const lines = table(
      ['NAME', 'N', 'NOTE'],
      [
        ['\u001b[1ma\u001b[22m', '5', 'short'],
        ['longer', '12', 'a note that is too long'],
      ],
      26,
      [1],
    );
    expect(lines).toEqual(['NAME     N  NOTE', '\u001b[1ma\u001b[22m        5  short', 'longer  12  a note that i…']);
  });

  it('pads numbers to the right', () => expect(padStart('7', 3)).toBe('  7'));
});
