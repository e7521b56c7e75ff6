import { describe, expect, it } from 'vitest';
import type { Finding } from '@devmesh/contracts/finding';
import { oncePerDefect, ranked } from './ranking.js';

const finding = (rule: string, over: Partial<Finding> = {}, at: Partial<Finding['location']> = {}): Finding => ({
  rule,
  class: 'xss',
  severity: 'high',
  confidence: 'high',
  message: 'm',
  location: { path: 'a.ts', startLine: 3, startColumn: 5, endLine: 3, endColumn: 20, ...at },
  snippet: '',
  fingerprint: '0'.repeat(64),
  ...over,
});
const rules = (findings: readonly Finding[]) => findings.map(({ rule }) => rule);

describe('the rank of findings', () => {
  it('is severity, then confidence, then a way of data, then place', () => {
    const all = [
      finding('place-2', {}, { path: 'b.ts' }),
      finding('place-1'),
      finding('unsure', { confidence: 'low' }),
      finding('way', { trace: [] }),
      finding('critical', { severity: 'critical', confidence: 'low' }),
    ];
    expect(rules(ranked(all))).toEqual(['critical', 'way', 'place-1', 'place-2', 'unsure']);
  });
});

describe('one defect', () => {
  it('is one finding: the better one of those that overlap in a class', () => {
    const found = oncePerDefect([
      finding('own', { severity: 'low' }),
      finding('shipped', {}, { startColumn: 10, endLine: 4, endColumn: 2 }),
    ]);
    expect(rules(found)).toEqual(['shipped']);
  });

  it.each([
    ['side by side', {}, { startColumn: 20, endColumn: 30 }],
    ['on other lines', {}, { startLine: 4, endLine: 4 }],
    ['in other files', {}, { path: 'b.ts' }],
    ['of other classes', { class: 'ssrf' } as const, {}],
  ])('is not two that are %s', (_, over, at) => {
    expect(oncePerDefect([finding('a'), finding('b', over, at)])).toHaveLength(2);
  });

  it('is not what one rule finds twice', () => {
    expect(oncePerDefect([finding('a'), finding('a')])).toHaveLength(2);
  });
});
