import { FINDING_CLASSES } from '@devmesh/contracts/finding';
import { ACTIONS_RULES } from './definitions/actions.rules.js';
import { COMPOSE_RULES } from './definitions/compose.rules.js';
import { CRYPTO_RULES } from './definitions/crypto.rules.js';
import { DOCKER_LINT_RULES } from './definitions/docker-lint.rules.js';
import { DOCKER_RULES } from './definitions/docker.rules.js';
import { JAVA_FACT_RULES } from './definitions/java-facts.rules.js';
import { JAVA_FLOW_RULES } from './definitions/java-flow.rules.js';
import { GO_FACT_RULES } from './definitions/go-facts.rules.js';
import { GO_FLOW_RULES } from './definitions/go-flow.rules.js';
import { INJECTION_RULES } from './definitions/injection.rules.js';
import { JAVASCRIPT_FACT_RULES } from './definitions/javascript-facts.rules.js';
import { JAVASCRIPT_FLOW_RULES } from './definitions/javascript-flow.rules.js';
import { KUBERNETES_RULES } from './definitions/kubernetes.rules.js';
import { PYTHON_FACT_RULES } from './definitions/python-facts.rules.js';
import { PYTHON_FLOW_RULES } from './definitions/python-flow.rules.js';
import { SECRET_RULES } from './definitions/secret.rules.js';
import { TERRAFORM_RULES } from './definitions/terraform.rules.js';
import { WEB_RULES } from './definitions/web.rules.js';
import type { RuleDefinition } from './rule.js';

/** Fewest examples of each kind without which a rule does not load. */
export const MIN_EXAMPLES = 3;

/** Takes rules in, or throws with the name of the one that is not complete and what it lacks. */
export function loadRules(rules: readonly RuleDefinition[]): readonly RuleDefinition[] {
  const ids = new Set<string>();
  for (const rule of rules) {
    const say = (problem: string): never => {
      throw new Error(`rule ${rule.id} does not load: ${problem}`);
    };
    if (ids.has(rule.id)) say('its id is taken');
    ids.add(rule.id);
    if (rule.examples.bad.length < MIN_EXAMPLES) say(`it needs at least ${MIN_EXAMPLES} bad examples`);
    if (rule.examples.good.length < MIN_EXAMPLES) say(`it needs at least ${MIN_EXAMPLES} good examples`);
    if (rule.languages.length === 0) say('it names no language');
    const cwes: readonly number[] = FINDING_CLASSES[rule.class];
    if (rule.cwe === undefined ? cwes.length > 0 : !cwes.includes(rule.cwe)) {
      say(`its CWE must be one of its class ${rule.class} (${cwes.join(', ') || 'none'})`);
    }
  }
  return rules;
}

/** Every shipped rule. */
export const RULES = loadRules([
  ...INJECTION_RULES,
  ...CRYPTO_RULES,
  ...WEB_RULES,
  ...DOCKER_RULES,
  ...ACTIONS_RULES,
  ...DOCKER_LINT_RULES,
  ...JAVASCRIPT_FLOW_RULES,
  ...JAVASCRIPT_FACT_RULES,
  ...PYTHON_FLOW_RULES,
  ...PYTHON_FACT_RULES,
  ...GO_FLOW_RULES,
  ...GO_FACT_RULES,
  ...JAVA_FLOW_RULES,
  ...JAVA_FACT_RULES,
  ...KUBERNETES_RULES,
  ...COMPOSE_RULES,
  ...TERRAFORM_RULES,
  ...SECRET_RULES,
]);
