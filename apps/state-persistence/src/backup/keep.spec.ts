import { expect, test } from 'vitest';
import { expired } from './keep.js';

const on = (day: string): { at: Date } => ({ at: new Date(`${day}T02:00:00Z`) });
const nightly = (count: number): { at: Date }[] =>
  Array.from({ length: count }, (_, i) => ({ at: new Date(Date.UTC(2026, 5, 30 - i, 2)) }));

test('of half a year of nights, seven days, four weeks and three months are kept', () => {
  const all = nightly(180);
  const gone = new Set(expired(all));
  expect(all.filter((one) => !gone.has(one)).map((one) => one.at.toISOString().slice(0, 10))).toEqual([
    '2026-06-30',
    '2026-06-29',
    '2026-06-28',
    '2026-06-27',
    '2026-06-26',
    '2026-06-25',
    '2026-06-24',
    '2026-06-21',
    '2026-06-14',
    '2026-05-31',
    '2026-04-30',
  ]);
});

test('of one day only the last is kept, in any order, and age alone removes nothing', () => {
  const [early, late] = [on('2020-01-05'), { at: new Date('2020-01-05T20:00:00Z') }];
  expect(expired([late, early])).toEqual([early]);
  expect(expired([early, on('2020-03-01')])).toEqual([]);
  expect(expired([])).toEqual([]);
});
