import type { RuleDefinition } from '../rules/rule.js';
import type { FlowModels } from '../flow/models/extend.js';
import { readBaseline, type Baseline } from './baseline.js';
import type { PolicyProblem } from './located-yaml.js';
import { readProjectRules } from './project-rules.js';
import { POLICY_FILE, ReviewPolicy } from './review-policy.js';
import type { SettingsFiles } from './settings-files.js';

/** What a project says of its review. What is broken counts as not said, and is among `problems`. */
export interface ProjectSettings {
  readonly policy: ReviewPolicy;
  readonly baseline: Baseline;
  /** The project's own, which load. */
  readonly rules: readonly RuleDefinition[];
  /** Undefined where the shipped ones are all. */
  readonly models: FlowModels | undefined;
  readonly problems: readonly PolicyProblem[];
}

export function projectSettings(files: SettingsFiles, shipped: readonly RuleDefinition[]): ProjectSettings {
  const own = readProjectRules(files.texts, shipped);
  const problems: PolicyProblem[] = [...own.problems];
  let policy = ReviewPolicy.DEFAULT;
  const policyText = files.texts.get(POLICY_FILE);
  if (policyText !== undefined) {
    const read = ReviewPolicy.read(policyText, [...shipped, ...own.rules]);
    if (read instanceof ReviewPolicy) policy = read;
    else problems.push(...read.problems);
  }
  let baseline: Baseline = [];
  const baselineFile = files.texts.get(policy.baseline);
  if (baselineFile !== undefined) {
    const read = readBaseline(policy.baseline, baselineFile);
    if ('baseline' in read) baseline = read.baseline;
    else problems.push(...read.problems);
  }
  // Other JSON in the folder is none of the review's business.
  const unreadable = files.problems.filter(({ path }) => !path.endsWith('.json') || path === policy.baseline);
  return { policy, baseline, rules: own.rules, models: own.models, problems: [...unreadable, ...problems] };
}
