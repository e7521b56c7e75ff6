import { expect, it } from 'vitest';
import { quarantineProblems, type Quarantined } from './quarantine.ts';

const NOW = Date.parse('2026-03-10T12:00:00Z');
const entry = (until: string): Quarantined[] => [{ name: 'Consul is found', until, why: 'its port is taken at times' }];
const all = new Set(['Consul is found']);

it.each([
  ['today', '2026-03-10'],
  ['in thirty days', '2026-04-09'],
])('takes one that ends %s', (_, until) => {
  expect(quarantineProblems(entry(until), NOW, all)).toEqual([]);
});

it.each([
  ['ended yesterday', '2026-03-09', all, /ended on 2026-03-09: mend the test/],
  ['lasts too long', '2026-04-11', all, /more than 30 days/],
  ['has no end', 'soon', all, /"soon" is no day/],
  ['names no test', '2026-03-11', new Set<string>(), /no test of that name/],
])('refuses one that %s', (_, until, tests, problem) => {
  expect(quarantineProblems(entry(until), NOW, tests)).toEqual([expect.stringMatching(problem)]);
});

it('does not miss a test where only some were run', () => {
  expect(quarantineProblems(entry('2026-03-11'), NOW, null)).toEqual([]);
});
