import { FlowSession } from '../findings/flow-session.js';
import { runRules, SAMPLE_PATHS } from '../findings/run-rules.js';
import type { FlowModels } from '../flow/models/extend.js';
import { NO_FILES } from '../flow/module-store.js';
import type { Language } from '../parse/language.js';
import type { RuleDefinition } from '../rules/rule.js';

export interface ExampleResult {
  readonly rule: string;
  readonly label: 'bad' | 'good';
  readonly code: string;
  /** Whether the rule finds something exactly in its bad examples. */
  readonly right: boolean;
}

/** Runs each rule alone over its own examples. */
export async function checkExamples(rules: readonly RuleDefinition[], models?: FlowModels): Promise<ExampleResult[]> {
  return rules.flatMap((rule) =>
    (['bad', 'good'] as const).flatMap((label) =>
      rule.examples[label].map((example): ExampleResult => {
        const code = typeof example === 'string' ? example : example.code;
        const language = (typeof example === 'string' ? undefined : example.language) ?? rule.languages[0];
        const found = language !== undefined && finds(rule, language, code, models);
        return { rule: rule.id, label, code, right: found === (label === 'bad') };
      }),
    ),
  );
}

function finds(rule: RuleDefinition, language: Language, code: string, models: FlowModels | undefined): boolean {
  const path = SAMPLE_PATHS[language];
  const session = new FlowSession([rule], NO_FILES, models);
  const { hits, flow } = runRules([rule], language, code, () => false, { path, flow: session });
  return hits.length > 0 || (flow?.hits.get(path)?.length ?? 0) > 0;
}
