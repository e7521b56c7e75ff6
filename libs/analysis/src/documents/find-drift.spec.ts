import { Finding } from '@devmesh/contracts/finding';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { detectStack } from '../stack/detect-stack.js';
import { tempTree, type TempTree } from '../testing/temp-tree.js';
import { SourceTree } from '../tree/source-tree.js';
import { commandsOf } from './commands.js';
import { documentKind } from './document.js';
import { findDrift, type DriftReport } from './find-drift.js';
import { readMarkdown } from './read-markdown.js';
import { readRst } from './read-rst.js';

const folders: TempTree[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

async function drift(files: Record<string, string>): Promise<DriftReport> {
  const folder = tempTree(files);
  folders.push(folder);
  const tree = await SourceTree.open(folder.path);
  return findDrift(tree, await detectStack(tree));
}

const markup = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        '[a](b.md)',
        '```sh',
        '```',
        '`src/x.ts`',
        '| a | b |',
        '| - | - |',
        '# T',
        '<a name="',
        '](',
        '\\',
        '``',
        '::',
        '$ npm run x',
        "'",
        '"',
        '.. code-block:: sh',
        '[r]: x',
        '\u0000',
        '\u202e',
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join('\n'));

describe('what documents say', () => {
  it('is read from any text, with places that lie inside of it', () => {
    fc.assert(
      fc.property(markup, (text) => {
        for (const read of [readMarkdown, readRst]) {
          const document = read('README.md', text, 'guide');
          const commands = commandsOf(document, new Set(['x']));
          const words = commands.flatMap((command) => [...command.words, ...command.sets]);
          for (const { start, end } of [
            ...document.links,
            ...document.spans,
            ...document.blocks,
            ...document.prose,
            ...words,
          ]) {
            expect(start).toBeGreaterThanOrEqual(0);
            expect(end).toBeGreaterThanOrEqual(start);
            expect(end).toBeLessThanOrEqual(text.length + 1);
          }
        }
      }),
    );
  });

  it('gives words of commands that stand where they are said to', () => {
    const text = '# A\n\n```console\n$ a --b \\\n    "c d" && e=1 f\nout put\n```\n';
    const commands = commandsOf(readMarkdown('README.md', text, 'guide'), new Set());
    const shown = commands.map(({ words, sets }) =>
      [...sets, ...words].map(({ text: word, start, end }) => [word, text.slice(start, end)]),
    );
    expect(shown).toEqual([
      [
        ['a', 'a'],
        ['--b', '--b'],
        ['c d', '"c d"'],
      ],
      [
        ['e=1', 'e=1'],
        ['f', 'f'],
      ],
    ]);
  });

  it.each([
    ['README.md', 'guide'],
    ['docs/guide/set-up.md', 'guide'],
    ['docs/adr/0001-x.md', 'record'],
    ['docs/migration-to-2.md', 'record'],
    ['CHANGELOG.md', undefined],
    ['tests/fixtures/readme.md', undefined],
    ['.changeset/x.md', undefined],
    ['src/a.ts', undefined],
  ])('%s is a %s', (path, kind) => {
    expect(documentKind(path)).toBe(kind);
  });
});

describe('a finding', () => {
  it('is at its place, says what the code says, and what to write instead', async () => {
    const { findings, documents } = await drift({
      'README.md': '# Shop\n\nFirst line.\n\nRun `npm run biuld` now.\n',
      'package.json': '{\n  "name": "shop",\n  "private": true,\n  "scripts": {\n    "build": "tsc"\n  }\n}\n',
    });
    expect(documents).toBe(1);
    expect(findings.map((one) => Finding.parse(one))).toEqual(findings);
    expect(findings).toMatchObject([
      {
        rule: 'docs-unknown-script',
        class: 'docs-drift',
        severity: 'low',
        location: { path: 'README.md', startLine: 5, startColumn: 6 },
        message:
          '"npm run biuld" is to be run, and no package.json has that script: package.json has build (package.json:5). The script build is there.',
      },
    ]);
  });

  it('names the only file of the same name, or the same in other letters', async () => {
    const { findings } = await drift({
      'README.md': '[pool](src/pool.ts), [guide](docs/Guide.md)\n',
      'lib/pool.ts': 'export {};\n',
      'docs/guide.md': '# Guide\n',
      '.gitignore': 'x\n',
    });
    expect(findings.map(({ message }) => message)).toEqual([
      'The link goes to src/pool.ts, which is not in the repository; the only file of that name is lib/pool.ts. Link to lib/pool.ts.',
      'The link goes to docs/Guide.md, which is not in the repository; docs/guide.md is, in other letters. Link to docs/guide.md.',
    ]);
  });

  it('has no control characters and no line of its own, whatever the document says', async () => {
    const { findings } = await drift({
      'README.md': '[a](<docs/\u0007\u202e`x`\u2028.md>)\n',
      'docs/y.md': 'y\n',
      '.gitignore': 'x\n',
    });
    expect(findings).toHaveLength(1);
    expect(findings[0]?.message).not.toMatch(/[\u0000-\u001f\u202a-\u202e\u2028]/);
  });

  it('comes from no document that is too large, and hostile ones end', async () => {
    const files = {
      'README.md': `${'['.repeat(20_000)}\nx${'`'.repeat(20_000)}\n${'<a '.repeat(5_000)}\n${'*'.repeat(5_000)}\n\n[x](gone.md)\n`,
      'docs/large.md': `[x](gone.md)\n${'text\n'.repeat(200_000)}`,
      '.gitignore': `${'*a'.repeat(50)}\n`,
    };
    const { findings } = await drift(files);
    expect(findings.map(({ location }) => location.path)).toEqual(['README.md']);
  });
});
