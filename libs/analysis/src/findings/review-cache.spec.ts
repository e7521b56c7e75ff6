import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempTree, type TempTree } from '../testing/temp-tree.js';
import { reviewTree } from './review-tree.js';

const RUN = "import { exec } from 'node:child_process';\nexport const run = (text) => exec(text);\n";
const WEB =
  "import express from 'express';\nimport { run } from './run.js';\nexpress().get('/', (req, res) => res.json(run('ls ' + req.query.folder)));\n";

let tree: TempTree;
let cache: TempTree;
beforeEach(() => {
  tree = tempTree({
    'run.js': RUN,
    'web.js': WEB,
    'other.py': 'import yaml\nyaml.load("a")\n',
    'made.js': '// @generated\n',
  });
  cache = tempTree({});
});
afterEach(() => {
  tree.remove();
  cache.remove();
});

const review = async () => {
  const { findings, filesFromCache, ...rest } = await reviewTree(tree.path, { cacheFolder: cache.path });
  const { findings: fresh, filesFromCache: _none, ...freshRest } = await reviewTree(tree.path);
  expect(findings).toEqual(fresh);
  expect(rest).toEqual(freshRest);
  return { found: findings.map(({ location, class: kind }) => `${location.path} ${kind}`), filesFromCache };
};

const shards = () =>
  readdirSync(cache.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe('results kept between reviews', () => {
  it('are the same the second time, and no file is looked at again', async () => {
    const first = await review();
    expect(first.filesFromCache).toBe(0);
    expect(first.found).toEqual(['other.py deserialization', 'run.js command-injection']);
    expect(await review()).toEqual({ ...first, filesFromCache: 4 });
  });

  it('of a file fall with each file that it depends on', async () => {
    await review();
    tree.write('run.js', 'export const run = (text) => text;\n');
    expect(await review()).toEqual({ found: ['other.py deserialization'], filesFromCache: 2 });
    tree.write('run.js', RUN);
    expect(await review()).toEqual({
      found: ['other.py deserialization', 'run.js command-injection'],
      // A result is kept for the last content of the others.
      filesFromCache: 3,
    });
  });

  it('of a file fall when a file appears that it asked for in vain', async () => {
    await review();
    // `./run.js` means the TypeScript where there is one.
    tree.write('run.ts', 'export const run = (text: string) => text.length;\n');
    expect((await review()).filesFromCache).toBe(4);
    tree.write('web.py', 'import helper\nfrom flask import request\nhelper.go(request.args["x"])\n');
    expect((await review()).filesFromCache).toBe(5);
    tree.write('helper.py', 'import os\ndef go(x):\n    os.system(x)\n');
    const { found, filesFromCache } = await review();
    expect(found).toContain('helper.py command-injection');
    expect(filesFromCache).toBe(5);
  });

  it('that were damaged are not believed, and replaced', async () => {
    const { found } = await review();
    for (const path of shards())
      writeFileSync(
        path,
        readFileSync(path, 'utf8').replaceAll('other.py', 'other.px').replace('deserialization', 'xss'),
      );
    for (const path of shards().slice(0, 1)) writeFileSync(path, '');
    expect((await review()).found).toEqual(found);
    expect((await review()).filesFromCache).toBe(4);
  });

  it('of other rules are forgotten', async () => {
    cache.write('0123456789abcdef/00.json', 'old');
    cache.write('mine.txt', 'kept');
    await review();
    expect(shards().some((path) => path.includes('0123456789abcdef'))).toBe(false);
    expect(shards()).toContain(join(cache.path, 'mine.txt'));
  });

  it('cost nothing but time where the folder can not be used', async () => {
    cache.write('file', '');
    const { findings } = await reviewTree(tree.path, { cacheFolder: join(cache.path, 'file') });
    expect(findings).toHaveLength(2);
  });
});
