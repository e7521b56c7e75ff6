import { expect, it } from 'vitest';
import { nextOccurrence } from './occurrences.js';

const at = (text: string) => Date.parse(text);
const next = (cron: string, after: string, timezone = 'UTC') => {
  const found = nextOccurrence({ kind: 'schedule', cron, timezone }, at(after));
  return found === null ? null : new Date(found).toISOString();
};

it('is the first one after the instant, and never that instant itself', () => {
  expect(next('0 3 * * *', '2026-01-01T02:59:59.999Z')).toBe('2026-01-01T03:00:00.000Z');
  expect(next('0 3 * * *', '2026-01-01T03:00:00.000Z')).toBe('2026-01-02T03:00:00.000Z');
});

it('keeps to the wall clock of its zone when that changes', () => {
  expect(next('30 3 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T01:30:00.000Z');
  expect(next('30 3 * * *', '2026-03-27T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-28T02:30:00.000Z');
});

it('is none for a day that never comes', () => {
  expect(next('0 0 30 2 *', '2026-01-01T00:00:00Z')).toBeNull();
});

it.each([
  ['every day', 'UTC', 'five fields'],
  ['61 * * * *', 'UTC', '61 * * * *'],
  ['* * * * *', 'Mars/Olympus', 'Mars/Olympus'],
])('refuses %s in %s, and says what it takes', (cron, timezone, says) => {
  expect(() => nextOccurrence({ kind: 'schedule', cron, timezone }, 0)).toThrow(says);
});
