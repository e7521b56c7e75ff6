import { runRules } from '../findings/run-rules.js';
import type { RuleDefinition } from '../rules/rule.js';

export interface ExampleResult {
  readonly rule: string;
  readonly label: 'bad' | 'good';
  readonly code: string;
  /** Whether the rule finds something exactly in its bad examples. */
  readonly right: boolean;
}

/** Runs each rule alone over its own examples. */
export async function checkExamples(rules: readonly RuleDefinition[]): Promise<ExampleResult[]> {
  return rules.flatMap((rule) =>
    (['bad', 'good'] as const).flatMap((label) =>
      rule.examples[label].map((example): ExampleResult => {
        const code = typeof example === 'string' ? example : example.code;
        const language = (typeof example === 'string' ? undefined : example.language) ?? rule.languages[0];
        const found = language !== undefined && runRules([rule], language, code).hits.length > 0;
        return { rule: rule.id, label, code, right: found === (label === 'bad') };
      }),
    ),
  );
}
