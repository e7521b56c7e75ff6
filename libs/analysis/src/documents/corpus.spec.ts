import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { judgeCases, readDocumentCases, scoreOf } from './corpus.js';
import { DRIFT_RULES } from './drift.js';

const cases = readDocumentCases(fileURLToPath(new URL('../../corpus/documents', import.meta.url)));

describe('the labelled documents', () => {
  it('are judged as they are labelled', async () => {
    const judged = await judgeCases(cases);
    const wrong = judged
      .filter((one) => one.falseAlarms > 0 || one.hit !== (one.case.rule !== undefined))
      .map((one) => [
        one.case.name,
        one.case.rule ?? 'holds',
        one.found.map(({ rule, message }) => `${rule}: ${message}`),
      ]);
    expect(wrong).toEqual([]);
    expect(scoreOf(judged)).toMatchObject({ falseAlarms: 0 });
  });

  it('have every rule, and as many that hold', () => {
    const planted = new Set(cases.map(({ rule }) => rule));
    for (const rule of Object.keys(DRIFT_RULES)) expect(planted, rule).toContain(rule);
    const holding = cases.filter(({ rule }) => rule === undefined).length;
    expect(holding).toBeGreaterThanOrEqual(25);
    expect(cases.length - holding).toBeGreaterThanOrEqual(25);
  });
});
