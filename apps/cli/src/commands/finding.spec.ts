import { describe, expect, it } from 'vitest';
import type { FindingRecord } from '@devmesh/contracts/finding-fate';
import { resolveFinding } from './finding.js';

const RUN = '01900000-0000-7000-8000-000000000000';
const of = (fingerprint: string): FindingRecord => ({
  fingerprint: fingerprint.padEnd(64, '0'),
  rule: 'r',
  class: 'bug',
  severity: 'low',
  path: 'a.ts',
  fate: 'open',
  since: '2026-01-01T00:00:00.000Z',
  firstRunId: RUN,
  lastRunId: RUN,
  judgedBy: null,
  reason: null,
});
const ITEMS = [of('abcdef12'), of('abcdef99'), of('123456')];
const resolve = (given: string) => resolveFinding(ITEMS, given, './devmesh', 'last').fingerprint;

describe('a finding that a user means', () => {
  it('is known by the beginning of its fingerprint', () => {
    expect(resolve('ABCDEF1')).toBe(ITEMS[0]!.fingerprint);
    expect(resolve(ITEMS[2]!.fingerprint)).toBe(ITEMS[2]!.fingerprint);
  });

  it.each([
    ['abcdef', /may be several/],
    ['fedcba', /no finding of this run begins with fedcba: \.\/devmesh finding list last/],
    ['abc', /is no fingerprint/],
    ['nonsense', /is no fingerprint/],
  ])('is not guessed: %s', (given, problem) => {
    expect(() => resolve(given)).toThrow(problem);
  });
});
