import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { tempTree, type TempTree } from '../testing/temp-tree.js';
import { SourceTree } from '../tree/source-tree.js';
import { nodeEntryPoints } from './entry-points.js';
import { readJavaScriptModule } from './javascript-module.js';
import { summaryOf } from './module.js';
import { moduleMap } from './module-map.js';
import { Modules } from './modules.js';
import { readPythonModule } from './python-module.js';

const folders: TempTree[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

async function treeOf(files: Record<string, string>): Promise<SourceTree> {
  const folder = tempTree(files);
  folders.push(folder);
  return SourceTree.open(folder.path);
}

const source = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        'export ',
        'default',
        'class A',
        '{',
        '}',
        '/** x',
        '*/',
        'def f(',
        '):',
        '"""',
        'import ',
        ' from ',
        "'./a.js'",
        '__all__ = [',
        'module.exports',
        '=',
        '\n',
        '<T>',
        '`',
      ),
    ),
    { maxLength: 15 },
  )
  .map((parts) => parts.join(' '));

describe('modules', () => {
  it('are read from any text, with signatures on one line', () => {
    fc.assert(
      fc.property(source, (text) => {
        for (const facts of [readJavaScriptModule('a.ts', text), readPythonModule('a.py', text)]) {
          for (const { signature, summary, members } of facts?.declarations.values() ?? []) {
            for (const shown of [signature, summary ?? '', ...members.map((member) => member.signature)]) {
              expect(shown).not.toMatch(/[\r\n]/);
              expect(shown.length).toBeLessThanOrEqual(300);
            }
          }
        }
      }),
    );
  });

  it('pass on what others declare, in circles too', async () => {
    const tree = await treeOf({
      'index.ts':
        "export * from './a.js';\nexport { b as c, default as d } from './b.js';\nimport { e } from './b.js';\nexport { e };\nexport * as all from './a.js';",
      'a.ts': "export * from './index.js';\nexport const a = 1;",
      'b.ts':
        'export function b(x: string): void {}\nexport default class D {}\nexport const e = (y = 2): number => y;',
    });
    const { names, complete } = new Modules(tree).exportsOf('index.ts', '.');
    const shown = [...names.values()].map(({ name, path, declaration }) => [name, path, declaration?.signature]);
    expect(shown.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1))).toEqual([
      ['a', 'a.ts', 'const a = 1'],
      ['all', 'index.ts', undefined],
      ['c', 'b.ts', 'function b(x: string): void'],
      ['d', 'b.ts', 'class D'],
      ['e', 'b.ts', 'const e = (y = 2): number'],
    ]);
    expect(complete).toBe(true);
  });

  it('may export more where code makes the exports', async () => {
    const tree = await treeOf({
      'one.js': 'module.exports = { a, ...rest };',
      'two.js': 'exports.a = 1;\nexports.b = 2;',
      'three.ts': "export * from 'other';",
      'four.py': 'from other import *',
      'five.py': 'from os import path\nx: int = 1\nif x:\n    y = 2\n',
    });
    const modules = new Modules(tree);
    expect(
      ['one.js', 'two.js', 'three.ts', 'four.py', 'five.py'].map((path) => modules.exportsOf(path, '.').complete),
    ).toEqual([false, true, false, false, true]);
    expect([...modules.exportsOf('five.py', '.').names.keys()]).toEqual(['path', 'x', 'y']);
    expect(modules.publicNames('five.py', '.').map(({ name }) => name)).toEqual(['x', 'y']);
  });

  it('are followed in time that grows with their number, not with their ways', async () => {
    const files: Record<string, string> = {};
    for (let i = 0; i < 60; i += 1) {
      const below = Array.from({ length: 8 }, (_, k) => (i + k + 1) % 60);
      files[`m${i}.py`] =
        `${below.map((n) => `from .m${n} import a${n}, b${n}`).join('\n')}\ndef a${i}(): pass\ndef b${i}(): pass\n`;
    }
    const tree = await treeOf(files);
    const { names } = new Modules(tree).exportsOf('m0.py', '.');
    expect(names.get('a8')?.path).toBe('m8.py');
    expect(names.size).toBe(18);
  });

  it('are mapped by folders when there are many, within bounds, always the same', async () => {
    const files: Record<string, string> = {};
    for (let i = 0; i < 300; i += 1)
      files[`src/d${i % 40}/f${i}.ts`] = `import '../d${(i * 7) % 40}/f${(i * 7) % 40}.js';\n`;
    const tree = await treeOf(files);
    const map = await moduleMap(new Modules(tree), new Map());
    expect(map?.nodes.length).toBeLessThanOrEqual(24);
    expect(map?.edges.length).toBeLessThanOrEqual(80);
    expect(await moduleMap(new Modules(tree), new Map())).toEqual(map);
    expect(
      await moduleMap(new Modules(await treeOf({ 'a.ts': "import './b.js';", 'b.ts': '' })), new Map()),
    ).toBeUndefined();
  });
});

describe('the doors of a package', () => {
  it('lead to the sources of what is built, and let in what they name', async () => {
    const tree = await treeOf({
      'src/index.ts': '',
      'src/node/fs.ts': '',
      'tsconfig.json': '{"compilerOptions": {"outDir": "out", "rootDir": "src"}}',
    });
    const doors = nodeEntryPoints(tree, '.', {
      name: '@acme/kit',
      exports: {
        '.': { types: './out/index.d.ts', default: './out/index.js' },
        './fs': './out/node/fs.js',
        './x/*.js': './out/*.js',
        './gone': null,
      },
    });
    expect(doors?.entries).toEqual([
      { specifier: '@acme/kit', path: 'src/index.ts' },
      { specifier: '@acme/kit/fs', path: 'src/node/fs.ts' },
    ]);
    const asked = [
      '@acme/kit',
      '@acme/kit/fs',
      '@acme/kit/x/y.js',
      '@acme/kit/x/y',
      '@acme/kit/gone',
      '@acme/kit/other',
    ];
    expect(asked.map((one) => doors?.allows(one))).toEqual([true, true, true, false, false, false]);
  });
});

describe('a doc comment', () => {
  it.each([
    ['* One sentence. Another.\n * More.', 'One sentence.'],
    ['* Over\n * two lines\n * @param x y', 'Over two lines'],
    ['* @internal', undefined],
    ['* See {@link Other|this} e.g. here', 'See Other e.g. here'],
  ])('%j says %j', (comment, wanted) => {
    expect(summaryOf(comment)).toBe(wanted);
  });
});
