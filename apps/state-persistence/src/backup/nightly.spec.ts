import { expect, test } from 'vitest';
import { nextBackup } from './nightly.js';

test.for([
  ['after the one of last night', '2026-01-05T02:00:01Z', '2026-01-05T02:05:00Z', '2026-01-06T02:00:00.000Z'],
  ['before two', '2026-01-04T02:00:01Z', '2026-01-05T01:59:59Z', '2026-01-05T02:00:00.000Z'],
  ['at two', '2026-01-04T02:00:01Z', '2026-01-05T02:00:00Z', '2026-01-05T02:00:00.000Z'],
  ['when a night was missed', '2026-01-03T02:00:01Z', '2026-01-05T12:00:00Z', '2026-01-05T12:00:00.000Z'],
  ['when one was made by hand since', '2026-01-05T11:00:00Z', '2026-01-05T12:00:00Z', '2026-01-06T02:00:00.000Z'],
  ['at first', null, '2026-01-05T12:00:00Z', '2026-01-05T12:00:00.000Z'],
  ['over the end of a year', '2026-12-31T02:00:01Z', '2026-12-31T12:00:00Z', '2027-01-01T02:00:00.000Z'],
] as const)('the next backup %s', ([, last, now, next]) => {
  expect(nextBackup(last === null ? null : new Date(last), new Date(now)).toISOString()).toBe(next);
});
