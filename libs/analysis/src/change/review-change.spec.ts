import { afterEach, describe, expect, it } from 'vitest';
import { tempTree, type TempTree } from '../testing/temp-tree.js';
import { dependentsOf } from './dependents.js';
import type { ChangedLines, FileChange } from './line-map.js';
import { reviewChange } from './review-change.js';

const trees: TempTree[] = [];
afterEach(() => trees.splice(0).forEach((tree) => tree.remove()));

type Tree = Readonly<Record<string, string>>;

/** Hunks that say: from this line of both on, so many lines were replaced by so many. */
function hunksOf(before: string, after: string): ChangedLines[] {
  const squeeze = (text: string): string[] => text.split('\n').map((line) => line.replace(/\s+/g, ''));
  const [a, b] = [squeeze(before), squeeze(after)];
  let from = 0;
  while (from < Math.min(a.length, b.length) && a[from] === b[from]) from += 1;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - from && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const [baseLines, lines] = [a.length - from - tail, b.length - from - tail];
  if (baseLines === 0 && lines === 0) return [];
  return [{ baseStart: baseLines ? from + 1 : from, baseLines, start: lines ? from + 1 : from, lines }];
}

async function changeOf(before: Tree, after: Tree, renamed: Tree = {}) {
  const tree = tempTree(after);
  trees.push(tree);
  const files: FileChange[] = [];
  const moved = new Set(Object.values(renamed));
  for (const [path, text] of Object.entries(after)) {
    const basePath = renamed[path] ?? (before[path] === undefined ? null : path);
    const old = basePath === null ? undefined : before[basePath];
    if (old !== text || basePath !== path)
      files.push({ path, basePath, hunks: old === undefined ? [] : hunksOf(old, text) });
  }
  for (const path of Object.keys(before))
    if (after[path] === undefined && !moved.has(path)) files.push({ path: null, basePath: path, hunks: [] });
  const baseContents = new Map(
    files.flatMap(({ basePath }) => (basePath === null ? [] : [[basePath, Buffer.from(before[basePath] ?? '')]])),
  );
  const { introduced, existing, fixed, ...counts } = await reviewChange(tree.path, { files, baseContents });
  const places = (list: typeof introduced) =>
    list.map(({ class: kind, location: at }) => `${at.path}:${at.startLine} ${kind}`);
  return { introduced: places(introduced), existing: places(existing), fixed: places(fixed), ...counts };
}

const EVAL = 'import os\ndef f(x):\n    return eval(x)\n';
const TLS = (line: string): string => `import requests\n${line}\n`;
const VERIFY = 'requests.get("https://a.example", verify=False, timeout=9)';

describe('a change', () => {
  it('is told only what it brings in', async () => {
    const before = { 'a.py': TLS(VERIFY), 'b.py': TLS(VERIFY) };
    const after = { 'a.py': `${TLS(VERIFY)}${VERIFY.replace('a.', 'c.')}\n`, 'b.py': TLS(VERIFY) };
    expect(await changeOf(before, after)).toMatchObject({
      introduced: ['a.py:3 tls-verify-off'],
      existing: ['a.py:2 tls-verify-off'],
      fixed: [],
      filesReviewed: 1,
    });
  });

  it('tells the upper one of two equals, when the upper one is new', async () => {
    const after = { 'a.py': `import requests\n${VERIFY}\nprint(1)\n${VERIFY}\n` };
    const found = await changeOf({ 'a.py': `import requests\n${VERIFY}\n` }, after);
    expect(found.introduced).toHaveLength(1);
    expect(found.existing).toHaveLength(1);
  });

  it('follows moved lines, other indentation, renamed files and code that moves between files', async () => {
    const before = {
      'a.py': `${TLS(VERIFY)}print(1)\nprint(2)\n`,
      'old.py': TLS(VERIFY),
      'c.py': TLS(VERIFY),
      'd.py': 'x = 1\n',
    };
    const after = {
      'a.py': `import requests\nprint(1)\nprint(2)\nif 1:\n    ${VERIFY}\n`,
      'new.py': `# new\n${TLS(VERIFY)}`,
      'c.py': 'import requests\n',
      'd.py': `x = 1\n${TLS(VERIFY)}`,
    };
    const found = await changeOf(before, after, { 'new.py': 'old.py' });
    expect(found.introduced).toEqual([]);
    expect(found.existing).toHaveLength(3);
    expect(found.fixed).toEqual([]);
  });

  it('counts what is gone', async () => {
    const found = await changeOf({ 'a.py': TLS(VERIFY), 'b.py': TLS(VERIFY) }, { 'a.py': 'import requests\n' });
    expect(found.fixed).toEqual(['a.py:2 tls-verify-off', 'b.py:2 tls-verify-off']);
  });

  it('tells another secret in the place of one', async () => {
    const key = (letter: string) =>
      `token: ${['ghp', letter.repeat(4) + 'B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7'].join('_')}\n`;
    const found = await changeOf({ 'k.txt': key('a') }, { 'k.txt': key('z') });
    expect(found.introduced).toEqual(['k.txt:1 hardcoded-secret']);
  });

  const APP = "import { find } from './find.js';\nexport const f = (req, res) => find(req.query.id);\n";
  const HELPER = "import { run } from './run.js';\nexport function find(id) {\n  return run(id);\n}\n";
  const SAFE = "export function run(id) {\n  return pool.query('select * from u where id = $1', [id]);\n}\n";
  const UNSAFE = "export function run(id) {\n  return pool.query('select * from u where id = ' + id);\n}\n";

  it('finds what data of files that it leaves alone does in what it changes', async () => {
    const same = { 'src/app.js': APP, 'src/find.js': HELPER };
    const found = await changeOf({ ...same, 'src/run.js': SAFE }, { ...same, 'src/run.js': UNSAFE });
    expect(found.introduced).toEqual(['src/run.js:2 sql-injection']);
    expect(found.filesWalked).toBe(2);
  });

  it('tells a finding of an untouched file only when its data passes the change', async () => {
    const same = { 'src/find.js': HELPER, 'src/run.js': UNSAFE };
    const quiet = APP.replace('req.query.id', 'Number(req.query.id)');
    const found = await changeOf({ ...same, 'src/app.js': quiet }, { ...same, 'src/app.js': APP });
    expect(found.introduced).toEqual(['src/run.js:2 sql-injection']);
    const other = await changeOf({ ...same, 'src/app.js': APP }, { ...same, 'src/app.js': `${APP}// more\n` });
    expect(other.introduced).toEqual([]);
  });

  it('does not read a file that it removes', async () => {
    const found = await changeOf({ 'a.py': EVAL }, {});
    expect(found).toMatchObject({ introduced: [], filesReviewed: 0 });
  });
});

describe('who uses a file', () => {
  const TEXTS: Tree = {
    'src/a.ts': "import { b } from './b.js';",
    'src/b.ts': "export * from '../lib';",
    'lib/index.ts': 'export const x = 1;',
    'src/c.ts': "const x = await import('./a.js');",
    'app/views.py': 'from app.models import (User, Group)\n',
    'app/models/__init__.py': 'from .user import User\n',
    'app/models/user.py': 'x = 1\n',
    'other.py': 'import app.views as v, os\n',
  };
  const of = (path: string, limit = 100) => dependentsOf([path], Object.keys(TEXTS), (at) => TEXTS[at], limit);

  it('follows imports of JavaScript and Python', () => {
    expect(of('lib/index.ts')).toEqual(['src/b.ts', 'src/a.ts', 'src/c.ts']);
    expect(of('app/models/user.py')).toEqual(['app/models/__init__.py', 'app/views.py', 'other.py']);
    expect(of('other.py')).toEqual([]);
  });

  it('stops at its limit, with the nearest first', () => {
    expect(of('lib/index.ts', 1)).toEqual(['src/b.ts']);
  });
});
