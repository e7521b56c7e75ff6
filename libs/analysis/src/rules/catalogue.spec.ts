import { describe, expect, it } from 'vitest';
import type { Language } from '../parse/language.js';
import { runRules } from '../findings/run-rules.js';
import { loadRules, RULES } from './catalogue.js';
import type { Example, RuleDefinition } from './rule.js';

function of(rule: RuleDefinition, example: Example): { language: Language; code: string } {
  if (typeof example !== 'string') return { language: example.language ?? rule.languages[0]!, code: example.code };
  return { language: rule.languages[0]!, code: example };
}

describe.each(RULES.map((rule) => [rule.id, rule] as const))('%s', (_, rule) => {
  it.each(rule.examples.bad.map((example) => of(rule, example)))('finds $code', ({ language, code }) => {
    const { hits, parses } = runRules([rule], language, code);
    expect(parses).toBe(true);
    // A place where one defect is seen twice is one finding; data that takes two ways may be two.
    expect(hits.length).toBeGreaterThan(0);
    if (Array.isArray(rule.matches)) expect(hits).toHaveLength(1);
  });

  it.each(rule.examples.good.map((example) => of(rule, example)))('is quiet about $code', ({ language, code }) => {
    const { hits, parses } = runRules([rule], language, code);
    expect(parses).toBe(true);
    expect(hits).toEqual([]);
  });
});

describe('loading', () => {
  const [whole] = RULES;
  it('refuses a rule without enough examples, and names it', () => {
    expect(() => loadRules([{ ...whole!, examples: { ...whole!.examples, good: [] } }])).toThrow(
      /sql-built-from-text.*at least 3 good/,
    );
  });
  it('refuses an id that is taken, a wrong CWE and a rule for no language', () => {
    expect(() => loadRules([whole!, whole!])).toThrow(/taken/);
    expect(() => loadRules([{ ...whole!, cwe: 79 }])).toThrow(/89/);
    expect(() => loadRules([{ ...whole!, languages: [] }])).toThrow(/language/);
  });
  it('has rules for every class that the sample needs, in every language', () => {
    expect(RULES.length).toBeGreaterThanOrEqual(12);
    for (const language of ['javascript', 'typescript', 'tsx', 'python', 'dockerfile'] as const) {
      expect(RULES.some((rule) => rule.languages.includes(language))).toBe(true);
    }
  });
});
