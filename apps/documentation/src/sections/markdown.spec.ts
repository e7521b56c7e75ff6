import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { code, plain, table } from './markdown.js';

/** Bars that GitHub takes for the border of a cell. */
function borders(line: string): number {
  return [...line.matchAll(/(?<!\\)(?:\\\\)*\|/g)].length;
}

describe('text of others in Markdown', () => {
  it('can bring neither HTML nor lines nor links', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const shown = plain(text);
        expect(shown).not.toMatch(/[<>\n\r]/);
        expect(shown).not.toMatch(/(?<!\\)(?:\\\\)*[`[\]*]/);
      }),
    );
  });

  it.each([
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
    ['[x](javascript:y)', '\\[x\\](javascript:y)'],
    ['a\n# b', 'a # b'],
    ['# b', '\\# b'],
    ['1. one', '1\\. one'],
    ['@team', '&#64;team'],
    ['snake_case', 'snake_case'],
    ['see https://a.example', 'see https:&#47;&#47;a.example'],
  ])('shows %s as it is', (text, shown) => {
    expect(plain(text)).toBe(shown);
  });

  it('can not end its code', () => {
    expect(code('a ` b')).toBe('``a ` b``');
    expect(code('`')).toBe('`` ` ``');
    expect(code('a\n\n<b>')).toBe('`a <b>`');
  });

  it('can not break a table', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string()), { minLength: 1, maxLength: 5 }), (rows) => {
        const lines = table(
          ['A', 'B'],
          rows.map(([a, b]) => [plain(a), code(b)]),
        ).split('\n');
        expect(lines).toHaveLength(rows.length + 2);
        for (const line of lines) expect(borders(line)).toBe(3);
      }),
    );
  });
});
