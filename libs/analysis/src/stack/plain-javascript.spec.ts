import { describe, expect, it } from 'vitest';
import { readPlainJavaScript } from './plain-javascript.js';

describe('a file that does nothing but import', () => {
  it('says what it imports when it runs, with lines, and not what is a type', () => {
    const text = [
      "import a, { b, type C, default as d } from './a.js';",
      "import * as all from 'all';",
      "import 'effect';",
      "import type T from './types.js';",
      "import { type U } from './types.js';",
      "import { both } from './both.js';",
      "export { e } from './e.js';",
      "export * from './f.js';",
      "export type { G } from './g.js';",
      'export { both };',
    ].join('\n');
    expect(readPlainJavaScript('src/x.ts', text)?.imports).toEqual([
      { module: './a.js', names: ['b', 'C', 'default'], line: 1 },
      { module: 'all', names: [], line: 2 },
      { module: 'effect', names: [], line: 3 },
      { module: './both.js', names: ['both'], line: 6 },
      { module: './e.js', names: [], line: 7 },
      { module: './f.js', names: [], line: 8 },
    ]);
  });

  it.each([
    'server.listen(3000)',
    'export const httpPort = 8080;',
    'const level = process.env.LEVEL;',
    "app.get('/health', check);",
    '@Controller() class A {}',
    "const store = require('store');",
    "const kind = { dialect: 'postgres' };",
    "const url = required('STORE_URL');",
    'const broken = (;',
  ])('is none with %s', (text) => {
    expect(readPlainJavaScript('src/x.ts', text)).toBeUndefined();
  });
});
