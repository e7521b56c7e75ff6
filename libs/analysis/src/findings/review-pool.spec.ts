import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { RULES } from '../rules/catalogue.js';
import { tempTree, type TempTree } from '../testing/temp-tree.js';
import { ReviewPool } from './review-pool.js';
import { reviewTree } from './review-tree.js';

const BAD = 'import yaml\nyaml.load("a")\n';
const ACROSS = {
  'run.ts': "import { exec } from 'node:child_process';\nexport const run = (text: string) => exec(text);\n",
  'web.ts':
    "import express from 'express';\nimport { run } from './run.js';\nconst app = express();\napp.get('/', (req, res) => res.json(run('ls ' + req.query.folder)));\n",
};

let tree: TempTree;
let pool: ReviewPool;
afterEach(() => {
  pool.close();
  tree.remove();
});

const hostile = (hangMs: number) =>
  new ReviewPool({ processes: 1, hangMs, entry: new URL('../testing/hostile-process.ts', import.meta.url) });

/** Ids of the processes that this one has started. */
function childProcesses(): string[] {
  return readdirSync('/proc').filter((name) => {
    try {
      return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(process.pid);
    } catch {
      return false;
    }
  });
}

// Each process reads the sources anew, which takes a while on a busy machine.
describe('processes of a review', { timeout: 60_000 }, () => {
  it('find what one alone finds, across files, in any number', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 130 }, (_, i) => [`m${i}.py`, i % 50 === 0 ? BAD : 'x = 1\n']),
    );
    tree = tempTree({ ...ACROSS, ...many });
    const alone = await reviewTree(tree.path);
    expect(alone.findings).toHaveLength(4);
    pool = new ReviewPool({ processes: 2 });
    expect(await reviewTree(tree.path, { pool })).toEqual(alone);
    // The same processes, for another review.
    expect(await reviewTree(tree.path, { pool })).toEqual(alone);
  });

  it('are there before there is work, for whoever asks', async () => {
    // Those of the test before may be on their way out still.
    const others = new Set(childProcesses());
    const started = (): string[] => childProcesses().filter((pid) => !others.has(pid));
    tree = tempTree({ 'a.py': BAD });
    pool = new ReviewPool({ processes: 1 });
    pool.warm();
    pool.warm();
    const [warmed, ...more] = started();
    expect([typeof warmed, more]).toEqual(['string', []]);
    expect((await reviewTree(tree.path, { pool })).findings).toHaveLength(1);
    expect(started()).toEqual([warmed]);
  });

  it('lose only the file that hangs and the one that crashes them twice, and say which', async () => {
    tree = tempTree({ 'a.py': BAD, 'crashes.py': BAD, 'hangs.py': BAD, 'z.py': BAD });
    pool = hostile(1500);
    const { findings, incomplete, filesReviewed } = await reviewTree(tree.path, { pool });
    expect(findings.map(({ location }) => location.path)).toEqual(['a.py', 'z.py']);
    expect(incomplete).toEqual([
      { path: 'crashes.py', reason: 'it ended its process twice (SIGSEGV)' },
      { path: 'hangs.py', reason: 'it was ended: no answer after 1.5 s of CPU' },
    ]);
    expect(filesReviewed).toBe(4);
  });

  it('end with the reason of the signal, though a file hangs', async () => {
    tree = tempTree({ 'a.py': BAD, 'hangs.py': BAD });
    pool = hostile(60_000);
    const stop = new AbortController();
    // The hanging file is under way once the one before it is settled.
    const progress = pool.review(
      [
        { path: 'a.py', exact: true, bytes: Buffer.from(`${tree.path}/a.py`) },
        { path: 'hangs.py', exact: true, bytes: Buffer.from(`${tree.path}/hangs.py`) },
      ],
      [
        { path: 'a.py', exact: true, bytes: Buffer.from(`${tree.path}/a.py`) },
        { path: 'hangs.py', exact: true, bytes: Buffer.from(`${tree.path}/hangs.py`) },
      ],
      () => stop.abort(new Error('enough')),
      { signal: stop.signal },
    );
    await expect(progress).rejects.toThrow('enough');
  });

  it('are not asked for rules that they do not know', async () => {
    tree = tempTree({ 'a.py': BAD });
    pool = hostile(60_000);
    const { findings } = await reviewTree(tree.path, {
      pool,
      rules: RULES.filter(({ class: kind }) => kind === 'xss'),
    });
    expect(findings).toEqual([]);
  });
});
