import { expect, it } from 'vitest';
import { matchesGlob } from './glob.js';

it.each([
  ['src/a.ts', 'src/*.ts', true],
  ['src/b/a.ts', 'src/*.ts', false],
  ['src/b/a.ts', 'src/**/*.ts', true],
  ['src/a.ts', 'src/**/*.ts', true],
  ['src/b/a.ts', '*.ts', true],
  ['a.ts', '?.ts', true],
  ['docs/x/y.md', 'docs/', true],
  ['my/docs/y.md', 'docs/', true],
  ['docs/x/y.md', 'docs/**', true],
  ['src/docs.md', 'docs/', false],
  ['src/a.ts', '/src/a.ts', true],
  ['x/src/a.ts', '/src/a.ts', false],
  ['a.b.c.ts', 'a*c.ts', true],
  ['a.b.c.tsx', 'a*c.ts', false],
  ['.env', '*', true],
])('%s and %s: %s', (path, glob, matches) => {
  expect(matchesGlob(path, glob)).toBe(matches);
});

it('ends soon, whatever the glob', () => {
  expect(matchesGlob('a'.repeat(4000), `${'*a'.repeat(90)}b`)).toBe(false);
  expect(matchesGlob('a/'.repeat(500) + 'x', '**/'.repeat(60) + 'b')).toBe(false);
});
