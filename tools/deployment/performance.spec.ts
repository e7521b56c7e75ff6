import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { figuresOf, regressions } from './performance.ts';
import { root } from '../check/command.ts';

const committed = readFileSync(join(root, 'docs/benchmarks.md'), 'utf8');
const table = (figures: Readonly<Record<string, string>>): string =>
  Object.entries(figures)
    .map(([name, value]) => `| ${name.padEnd(60)} | ${value.padEnd(10)} |      |`)
    .join('\n');
const RUNS = 'six steps, 32 at once: runs/s';
const CPU = 'six steps, 32 at once: CPU per run, gateway + orchestrator + state + database';
const HOPS = 'six steps, 1 at once: hops per run';

test('reads the figures of a table as they are printed', () => {
  const figures = figuresOf(committed);
  expect(figures.get(RUNS)).toBeGreaterThan(100);
  expect(figures.get(CPU)).toBeGreaterThan(1);
  expect(figures.get(HOPS)).toBeGreaterThan(5);
  expect(figures.get('PSS idle, nine services')).toBeGreaterThan(300);
  expect([...figures.keys()].filter((name) => name.includes('p95'))).toEqual([]);
  expect(regressions([committed], [committed])).toEqual([]);
});

test.for([
  ['as fast', { [RUNS]: '200' }, { [RUNS]: '161' }, 0],
  ['slower', { [RUNS]: '200' }, { [RUNS]: '159' }, 1],
  ['more CPU', { [CPU]: '5.00 ms' }, { [CPU]: '6.10 ms' }, 1],
  ['as much CPU', { [CPU]: '5.00 ms' }, { [CPU]: '5.90 ms' }, 0],
  ['more hops', { [HOPS]: '14.0' }, { [HOPS]: '15.6' }, 1],
  ['noise of small counts', { 'a: hops per run': '0.5' }, { 'a: hops per run': '0.7' }, 0],
  ['a figure that is held to nothing', { 'up, warm (median)': '4.00 s' }, { 'up, warm (median)': '9.00 s' }, 0],
  ['a figure that is new', {}, { [CPU]: '6.00 ms' }, 0],
] as const)('%s', ([, before, after, count]) => {
  expect(regressions([table(before)], [table(after)])).toHaveLength(count);
});

test('of several measurements the best counts', () => {
  const slow = table({ [RUNS]: '100' });
  const fast = table({ [RUNS]: '200' });
  expect(regressions([fast, slow], [slow, fast])).toEqual([]);
  expect(regressions([slow, fast], [slow, slow])).toEqual([{ figure: RUNS, before: 200, after: 100 }]);
});
