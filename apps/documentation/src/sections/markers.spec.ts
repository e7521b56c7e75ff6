import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeSections } from './markers.js';

function written(text: string, sections: Record<string, string>): string {
  const result = writeSections(text, new Map(Object.entries(sections)));
  if ('problem' in result) throw new Error(result.problem);
  return result.text;
}

/** What lies outside the markers, and the markers themselves. */
function outside(text: string): string {
  return text.replace(/(<!-- devmesh:begin (\S+) -->)[\s\S]*?(<!-- devmesh:end \2 -->)/g, '$1$3');
}

const newline = fc.constantFrom('\n', '\r\n');
const prose = fc
  .array(
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('# Title', '', '```', '<!-- note -->', '\t|x|', '\\')),
    { maxLength: 6 },
  )
  .map((lines) => lines.map((line) => line.replace(/[\r\n]|devmesh/g, ' ')));
const content = fc
  .array(fc.string(), { maxLength: 4 })
  .map((lines) => lines.map((line) => line.replace(/[\r\n]|<!--/g, ' ')).join('\n'));

describe('writing sections', () => {
  it('leaves every byte outside the markers, wherever they stand', () => {
    fc.assert(
      fc.property(prose, prose, prose, content, content, content, newline, (a, b, c, old, first, second, end) => {
        const text = [
          ...a,
          `<!-- devmesh:begin one -->`,
          old.split('\n').join(end),
          `<!-- devmesh:end one -->`,
          ...b,
          `x <!-- devmesh:begin theirs -->${end}kept<!-- devmesh:end theirs --> y`,
          ...c,
        ].join(end);
        const result = written(text, { one: first, two: second });
        expect(outside(result).startsWith(outside(text))).toBe(true);
        expect(result).toContain(`<!-- devmesh:begin theirs -->${end}kept<!-- devmesh:end theirs -->`);
      }),
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(prose, content, content, newline, (lines, first, second, end) => {
        const once = written(lines.join(end), { one: first, two: second });
        expect(written(once, { one: first, two: second })).toBe(once);
      }),
    );
  });

  it('keeps CRLF, inside the markers too', () => {
    const result = written('# A\r\n\r\n<!-- devmesh:begin one -->\r\n<!-- devmesh:end one -->\r\n', { one: 'x\ny' });
    expect(result).toBe('# A\r\n\r\n<!-- devmesh:begin one -->\r\nx\r\ny\r\n<!-- devmesh:end one -->\r\n');
  });

  it('keeps a byte order mark, and a last line without its end', () => {
    expect(written('\uFEFF# A', { one: 'x' })).toBe(
      '\uFEFF# A\n\n<!-- devmesh:begin one -->\nx\n<!-- devmesh:end one -->\n',
    );
  });

  it('adds no empty section, and empties one that has nothing left to say', () => {
    expect(written('# A\n', { one: '' })).toBe('# A\n');
    expect(written('<!-- devmesh:begin one -->old<!-- devmesh:end one -->', { one: '' })).toBe(
      '<!-- devmesh:begin one -->\n\n<!-- devmesh:end one -->',
    );
  });

  it.each([
    ['<!-- devmesh:begin one -->', 'has no end'],
    ['<!-- devmesh:end one -->', 'has no begin'],
    ['<!-- devmesh:begin one --><!-- devmesh:end two -->', 'has no begin'],
    ['<!-- devmesh:begin one --><!-- devmesh:begin two --><!-- devmesh:end two --><!-- devmesh:end one -->', 'inside'],
    ['<!-- devmesh:begin one --><!-- devmesh:end one --><!-- devmesh:begin one --><!-- devmesh:end one -->', 'twice'],
    ['<!--devmesh:begin one--><!-- devmesh:end one -->', 'has no begin'],
    ['<!-- DEVMESH: begin one -->', 'damaged'],
  ])('leaves %s alone and says why', (text, why) => {
    expect(writeSections(text, new Map([['one', 'x']]))).toEqual({ problem: expect.stringContaining(why) as string });
  });

  it('never writes a marker into a section', () => {
    expect(writeSections('', new Map([['one', 'a <!-- devmesh:end one --> b']]))).toHaveProperty('problem');
  });
});
