import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkFile } from './chunk-file.js';
import { MAX_LINES } from './chunk.js';

function chunks(path: string, text: string): (readonly [number, number, string?])[] {
  return chunkFile(path, text, text.split('\n')).map(({ startLine, endLine, symbol }) =>
    symbol === undefined ? [startLine, endLine] : [startLine, endLine, symbol],
  );
}

describe('chunks', () => {
  it('end at the borders of symbols of TypeScript', () => {
    const text = `import a from 'a';

/** Says hello. */
export function hello() {
  return a;
}

export class Box {
  open() {}
}

const run = async () => {
  await hello();
  return 1;
};
export type Size = number;
run();
`;
    expect(chunks('a.ts', text)).toEqual([
      [1, 3],
      [4, 6, 'hello'],
      [8, 10, 'Box'],
      [12, 15, 'run'],
      [16, 16, 'Size'],
      [17, 17],
    ]);
  });

  it('take decorators along in Python', () => {
    const text = 'import os\n\n@app.get("/")\ndef index():\n    return 1\n\n\nclass A:\n    x = 1\n';
    expect(chunks('a.py', text)).toEqual([
      [1, 1],
      [3, 5, 'index'],
      [8, 9, 'A'],
    ]);
  });

  it('give long classes method by method', () => {
    const body = (name: string): string => `  ${name}() {\n${'    work();\n'.repeat(50)}  }\n`;
    const found = chunks('a.js', `class Long {\n  field = 1;\n${body('first')}${body('second')}}\n`);
    expect(found.map(([, , symbol]) => symbol)).toEqual(['Long', 'Long.first', 'Long.second', undefined]);
  });

  it('follow headings in Markdown, but not in code', () => {
    expect(chunks('a.md', 'intro\n\n# One\ntext\n```\n# no\n```\n## Two\nmore\n')).toEqual([
      [1, 1],
      [3, 7, 'One'],
      [8, 10, 'Two'],
    ]);
  });

  it('cover every line with content, in bounds, in any file', () => {
    const line = fc.constantFrom(
      '',
      '  ',
      'def f():',
      '    return 1',
      'class A:',
      '# One',
      'function g() {',
      '}',
      'x = 1',
      '```',
      '@d',
    );
    fc.assert(
      fc.property(
        fc.constantFrom('a.py', 'a.ts', 'a.md', 'a.txt', 'Dockerfile'),
        fc.array(line, { maxLength: 250 }),
        (path, lines) => {
          const covered = new Set<number>();
          for (const { startLine, endLine } of chunkFile(path, lines.join('\n'), lines)) {
            expect(startLine).toBeGreaterThan(0);
            expect(endLine).toBeLessThanOrEqual(Math.max(1, lines.length));
            expect(endLine - startLine).toBeLessThan(MAX_LINES);
            for (let at = startLine; at <= endLine; at += 1) covered.add(at);
          }
          lines.forEach((text, index) => {
            if (text.trim() !== '') expect(covered).toContain(index + 1);
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});
