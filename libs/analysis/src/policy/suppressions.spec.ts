import { describe, expect, it } from 'vitest';
import { suppressionsIn } from './suppressions.js';

const of = (path: string, text: string) =>
  suppressionsIn(path, text).map(({ line, target, rules, reason, until }) => [
    line,
    target,
    rules.join(),
    reason,
    until,
  ]);

describe('comments that silence', () => {
  it.each([
    ['a.ts', 'f(); // devmesh-ignore x-y: known (until 2027-01-31)', [1, 1, 'x-y', 'known', '2027-01-31']],
    ['a.py', '# devmesh-ignore x, y: both\nf()', [1, 2, 'x,y', 'both', undefined]],
    ['a.ts', '/* devmesh-ignore x: block */\n\n// more\nf()', [1, 3, 'x', 'block', undefined]],
    ['a.tsx', 'const a = <p>\n{/* devmesh-ignore x: jsx */}\n<b/></p>;', [2, 3, 'x', 'jsx', undefined]],
    ['a.html', '<!-- devmesh-ignore x: html -->\n<p>', [1, 2, 'x', 'html', undefined]],
    ['a.sql', 'select 1; -- devmesh-ignore x: sql', [1, 1, 'x', 'sql', undefined]],
    [
      'Dockerfile',
      '# devmesh-ignore docker-root-user: base image\nFROM a',
      [1, 2, 'docker-root-user', 'base image', undefined],
    ],
    ['.github/workflows/a.yml', 'a: 1 # devmesh-ignore x: yaml', [1, 1, 'x', 'yaml', undefined]],
    ['a.go', 'f() // devmesh-ignore x', [1, 1, 'x', '', undefined]],
    ['a.java', '/**\n * devmesh-ignore x: doc\n */\nf();', [2, 3, 'x', 'doc', undefined]],
    ['a.ts', 'f() // devmesh-ignore', [1, 1, '', '', undefined]],
    ['a.ts', 'f(); // devmesh-ignore x: soon (until tomorrow)\r\n', [1, 1, 'x', 'soon (until tomorrow)', undefined]],
  ])('%s: %j', (path, text, expected) => {
    expect(of(path, text)).toEqual([expected]);
  });

  it('stand above each other', () => {
    expect(of('a.py', '# devmesh-ignore x: a\n# devmesh-ignore y: b\nf()').map(([, target]) => target)).toEqual([3, 3]);
  });

  it('are comments, and not words in a text', () => {
    expect(of('a.ts', 'const a = "// devmesh-ignore x: y";')).toEqual([]);
    expect(of('a.py', 'a = """\n# devmesh-ignore x: y\n"""')).toEqual([]);
    expect(of('a.ts', '// see devmesh-ignore x: y')).toEqual([]);
  });
});
