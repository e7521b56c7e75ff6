import type { ActionContract } from '@devmesh/contracts/action';
import { defaultAction, type ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { StepId } from '@devmesh/contracts/ids';
import {
  BRANCH_EVENTS,
  DEFAULT_RETRY,
  WORKFLOW_LIMITS,
  type Branch,
  type StepDefinition,
  type WorkflowDefinition,
  type WorkflowProblem,
} from '@devmesh/contracts/workflow';
import { isMap, isNode, isPair, isScalar, LineCounter, parseDocument, visit, type Document } from 'yaml';
import { finish } from './finish.js';
import { SourceWorkflow, type SourceBranch, type SourceStep } from './source-schema.js';
import { validate, validateFinished, type Locate, type Path } from './validate.js';

export type ParseResult =
  | { readonly workflow: WorkflowDefinition; readonly problems: readonly [] }
  | { readonly workflow: null; readonly problems: readonly WorkflowProblem[] };

type Problem = Omit<WorkflowProblem, 'line' | 'column'> & { path: Path };

/** Where the value at a path stands in the source; of a missing one, where its nearest parent does. */
function locator(document: Document.Parsed, lines: LineCounter): Locate {
  return (path) => {
    for (let length = path.length; length >= 0; length--) {
      const part = path.slice(0, length);
      const last = part.at(-1);
      const parent = length === 0 ? undefined : document.getIn(part.slice(0, -1), true);
      // The key tells better than the value where a member of a map is wrong.
      const pair = isMap(parent)
        ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last)
        : undefined;
      const node = pair?.key ?? document.getIn(part, true);
      if (!isNode(node) || !node.range) continue;
      const { line, col } = lines.linePos(node.range[0]);
      return { line: Math.max(1, line), column: Math.max(1, col) };
    }
    return { line: 1, column: 1 };
  };
}

/** Where the first alias of the document stands. */
function aliasIn(document: Document.Parsed, lines: LineCounter): { line: number; column: number } {
  let offset = 0;
  visit(document, {
    Alias: (_key, alias) => {
      offset = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

const BUILT_IN: Readonly<Record<string, Branch>> = {
  log_and_notify: { kind: 'log_and_notify' },
  fail: { kind: 'fail' },
};

function branchOf(source: SourceBranch): Branch {
  if (typeof source !== 'string') return { kind: 'rework', target: source.target, maxAttempts: source.max_attempts };
  return BUILT_IN[source] ?? { kind: 'goto', target: source };
}

/** What a step is called: its id, its name, or its agent's name. */
function idOf(step: SourceStep): StepId | undefined {
  return step.id ?? step.name ?? step.agent ?? step.action?.split('/')[0];
}

function actionOf(step: SourceStep, index: number, catalogue: ActionCatalogue): ActionContract | Problem {
  const known = [...catalogue.keys()].join(', ');
  if (step.action !== undefined) {
    const action = catalogue.get(step.action);
    if (!action)
      return {
        code: 'unknown_action',
        path: ['steps', index, 'action'],
        message: `no agent has an action ${step.action}; use one of ${known}`,
      };
    if (step.agent !== undefined && !step.action.startsWith(`${step.agent}/`)) {
      return {
        code: 'schema',
        path: ['steps', index, 'agent'],
        message: `action ${step.action} is not of agent ${step.agent}; leave \`agent\` out`,
      };
    }
    return action;
  }
  if (step.agent === undefined)
    return { code: 'schema', path: ['steps', index], message: 'a step names an `agent` or an `action`' };
  return (
    defaultAction(catalogue, step.agent) ?? {
      code: 'unknown_action',
      path: ['steps', index, 'agent'],
      message: `there is no agent ${step.agent} with a default action; use one of ${[...new Set([...catalogue.keys()].map((id) => id.split('/')[0]))].join(', ')}`,
    }
  );
}

function stepOf(source: SourceStep, id: StepId, action: ActionContract): StepDefinition {
  const { retry } = source;
  const on = {
    success: source.on_success.map(branchOf),
    failure: source.on_failure.map(branchOf),
    approval: source.on_approval.map(branchOf),
    rejection: source.on_rejection.map(branchOf),
  };
  return {
    id,
    agent: action.id.split('/')[0] ?? '',
    action: action.id,
    with: { ...action.defaults, ...source.with },
    needs: [...new Set(typeof source.needs === 'string' ? [source.needs] : source.needs)],
    always: source.always,
    gate: source.gate ?? on.approval.length + on.rejection.length > 0,
    timeoutMs: source.timeout ?? action.timeoutMs,
    retry: {
      maxAttempts: retry.max_attempts ?? DEFAULT_RETRY.maxAttempts,
      initialDelayMs: retry.initial_delay ?? DEFAULT_RETRY.initialDelayMs,
      factor: retry.factor ?? DEFAULT_RETRY.factor,
      maxDelayMs: retry.max_delay ?? Math.max(DEFAULT_RETRY.maxDelayMs, retry.initial_delay ?? 0),
    },
    on,
  };
}

/** The deepest issues of a union tell what is wrong; the union itself only says "invalid". */
function schemaProblems(error: import('zod').ZodError): Problem[] {
  return error.issues.map((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const at = issue.code === 'unrecognized_keys' && issue.keys[0] !== undefined ? [...path, issue.keys[0]] : path;
    const where = path.length === 0 ? 'the workflow' : `\`${path.join('.')}\``;
    const isBranch = BRANCH_EVENTS.some((on) => path.includes(`on_${on}`));
    const cure =
      issue.code === 'invalid_union' && isBranch
        ? 'the name of a step, log_and_notify, fail, or {action: retry, target: STEP, max_attempts: N}'
        : issue.message;
    const unbounded =
      isBranch &&
      (path.at(-1) === 'max_attempts' ||
        (issue.code === 'invalid_union' && /^(?!.*"action").*max_attempts/s.test(JSON.stringify(issue.errors))));
    const tooMany = issue.code === 'too_big' && path.join('.') === 'steps';
    return {
      code: unbounded ? 'unbounded_loop' : tooMany ? 'limit' : 'schema',
      path: at,
      message: unbounded
        ? `${where}: a loop says how often it may go round: max_attempts, 1 to ${WORKFLOW_LIMITS.reworkRounds}`
        : `${where}: ${cure}`,
    };
  });
}

/**
 * Parses a workflow's YAML. Gives the normalised workflow, or every problem found with line, column and cure: syntax,
 * shape, unknown steps and actions, cycles, steps that nothing leads to, loops without a bound, bad references, limits.
 */
export function parseWorkflow(source: string, catalogue: ActionCatalogue): ParseResult {
  const fail = (problems: readonly WorkflowProblem[]): ParseResult => ({ workflow: null, problems });
  if (Buffer.byteLength(source) > WORKFLOW_LIMITS.sourceBytes) {
    return fail([
      { code: 'limit', line: 1, column: 1, message: `a workflow has at most ${WORKFLOW_LIMITS.sourceBytes} bytes` },
    ]);
  }
  const lines = new LineCounter();
  const document = parseDocument(source, {
    lineCounter: lines,
    prettyErrors: false,
    maxAliasCount: 0,
    stringKeys: true,
  } as Parameters<typeof parseDocument>[1]);
  if (document.errors.length > 0) {
    return fail(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { code: 'yaml', line: Math.max(1, line), column: Math.max(1, col), message: error.message };
      }),
    );
  }
  const locate = locator(document, lines);
  const located = (problem: Problem): WorkflowProblem => ({
    code: problem.code,
    message: problem.message,
    ...locate(problem.path),
  });
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    return fail([{ code: 'yaml', ...aliasIn(document, lines), message: 'aliases are not read; write the value out' }]);
  }
  const parsed = SourceWorkflow.safeParse(value);
  if (!parsed.success) return fail(schemaProblems(parsed.error).map(located));

  const problems: Problem[] = [];
  const steps: StepDefinition[] = [];
  parsed.data.steps.forEach((step, index) => {
    const id = idOf(step);
    const action = actionOf(step, index, catalogue);
    if ('code' in action) problems.push(action);
    else if (id !== undefined) steps.push(stepOf(step, id, action));
  });
  if (problems.length > 0) return fail(problems.map(located));

  const { name, version, description } = parsed.data;
  const written: WorkflowDefinition = { name, version, description, steps };
  const invalid = validate(written, catalogue);
  if (invalid.length > 0) return fail(invalid.map(located));
  if (!parsed.data.finish) return { workflow: written, problems: [] };
  const finished = finish(written, catalogue);
  const spoilt = validateFinished(written, finished);
  return spoilt.length > 0 ? fail(spoilt.map(located)) : { workflow: finished, problems: [] };
}
