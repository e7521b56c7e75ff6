import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Plan } from '@devmesh/contracts/orchestrator-api';
import { parseWorkflow } from '@devmesh/workflow/parse';
import { clausesOf } from './clauses.js';

interface Rule {
  readonly agent: string;
  readonly action: string;
  readonly words: RegExp;
  /** Looks only: an order that begins with a change is none of its work, whatever it names ("fix what the review finds"). */
  readonly looksOnly?: true;
}

const CHANGES =
  /^\s*(?:please\s+)?(?:build|implement|add|develop|fix|mend|repair|resolve|refactor|change|update|remove|rename|improve|harden|migrate|upgrade)\b/i;

/** Asked in this order; the first whose words a clause has takes it. */
const RULES: readonly Rule[] = [
  {
    agent: 'cicd',
    action: 'cicd/generate',
    words: /\b(ci|cd|ci\/cd|pipelines?|github actions?|gitlab|continuous (?:integration|delivery)|workflow file)\b/i,
  },
  {
    agent: 'infrastructure',
    action: 'infrastructure/generate',
    words:
      /\b(deploy\w*|infrastructure|docker\w*|containers?|containeri[sz]e|compose|terraform|kubernetes|k8s|helm|provision\w*|images?|droplets?|clusters?)\b/i,
  },
  {
    agent: 'documentation',
    action: 'documentation/generate',
    words: /\b(document\w*|docs?|readme|changelog|api reference|describe)\b/i,
  },
  {
    agent: 'code-review',
    action: 'code-review/review',
    words: /\b(review\w*|audit\w*|scan\w*|vulnerabilit\w+|security check|find (?:bugs|problems|issues))\b/i,
    looksOnly: true,
  },
  {
    agent: 'rag-context',
    action: 'rag-context/index',
    words: /\b(index\w*|explain|understand|search (?:the|this) (?:code|repository))\b/i,
    looksOnly: true,
  },
];
const FEATURE: Rule = {
  agent: 'feature-dev',
  action: 'feature-dev/implement',
  words: /\b(features?|implement|build|add|fix|refactor|change|develop|create|write|code|bugs?)\b/i,
};

/** Clauses that one task may have; more is no task but a list of tasks. */
const MAX_CLAUSES = 20;

interface PlannedStep {
  id: string;
  action: string;
  needs: string[];
  with?: Record<string, string>;
  gate?: boolean;
  on_rejection?: { action: 'retry'; target: string; max_attempts: number };
}

/**
 * Plans a text by rules: each order becomes a step of the agent whose words it has; orders joined by "and" run in parallel, those after
 * "then" wait. Work on code is reviewed, and sent back at most 3 times. Says for each step why. Throws `invalid_request` for a text
 * without an order.
 */
export function planTask(task: string, catalogue: ActionCatalogue): Plan {
  const clauses = clausesOf(task);
  if (clauses.length === 0)
    throw new DevmeshError('invalid_request', 'the task is empty: say what is to be done, or name a workflow');
  if (clauses.length > MAX_CLAUSES) {
    throw new DevmeshError(
      'invalid_request',
      `the task has ${clauses.length} orders, more than ${MAX_CLAUSES}: give them as several runs, or as a workflow`,
    );
  }
  const steps: PlannedStep[] = [];
  const because: Plan['because'] = [];
  let before: string[] = [];
  let group: string[] = [];
  for (const clause of clauses) {
    if (clause.after) {
      before = group.length > 0 ? group : before;
      group = [];
    }
    group.push(addSteps(clause.text, before, steps, because));
  }
  const source = JSON.stringify({
    name: 'planned',
    version: 1,
    description: 'Planned from the text of the task.',
    steps,
  });
  const parsed = parseWorkflow(source, catalogue);
  if (parsed.workflow === null)
    throw new Error(
      `the planner made an invalid workflow: ${parsed.problems.map((problem) => problem.message).join('; ')}`,
    );
  for (const step of parsed.workflow.steps) {
    if (step.id === 'finish-integrate')
      because.push({ step: step.id, because: 'patches of other steps become commits at the end' });
    if (step.id === 'finish-report') because.push({ step: step.id, because: 'every run ends with a report' });
  }
  return { workflow: parsed.workflow, because };
}

/** Adds the steps of one order; gives the id of the step that later ones wait for. */
function addSteps(text: string, needs: readonly string[], steps: PlannedStep[], because: Plan['because']): string {
  const said = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  for (const rule of RULES) {
    const word = rule.words.exec(text)?.[0];
    // "build a feature that searches images" is work on code: its verb and object decide over a word inside.
    if (
      word === undefined ||
      (rule.looksOnly === true && CHANGES.test(text)) ||
      /^\s*(?:build|implement|add|develop|create)\s+(?:an?\s+|the\s+)?(?:\w+\s+)?feature\b/i.test(text)
    )
      continue;
    const id = freeId(rule.agent, steps);
    steps.push({ id, action: rule.action, needs: [...needs], ...(rule.agent === 'code-review' ? { gate: true } : {}) });
    because.push({ step: id, because: `"${said}" says "${word}", which is work for ${rule.agent}${order(needs)}` });
    return id;
  }
  const word = FEATURE.words.exec(text)?.[0];
  const id = freeId('feature-dev', steps);
  const review = freeId('code-review', steps);
  steps.push({ id, action: FEATURE.action, needs: [...needs] });
  steps.push({
    id: review,
    action: 'code-review/review',
    needs: [id],
    with: { rejectOn: 'fixable', rejectAt: 'info', fixHistory: `\${{ steps.${id}.output.fixHistory }}` },
    on_rejection: { action: 'retry', target: id, max_attempts: 3 },
  });
  because.push({
    step: id,
    because:
      word === undefined
        ? `"${said}" names no agent's work, so it is taken as a change of the code${order(needs)}`
        : `"${said}" says "${word}", which is work for feature-dev${order(needs)}`,
  });
  because.push({ step: review, because: `what ${id} changes is reviewed, and sent back at most 3 times` });
  return review;
}

function order(needs: readonly string[]): string {
  return needs.length === 0 ? '' : `, after ${needs.join(', ')}`;
}

function freeId(agent: string, steps: readonly PlannedStep[]): string {
  const taken = new Set(steps.map((step) => step.id));
  for (let number = 1; ; number++) {
    const id = number === 1 ? agent : `${agent}-${number}`;
    if (!taken.has(id)) return id;
  }
}
