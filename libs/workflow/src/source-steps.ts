import type { ActionContract } from '@devmesh/contracts/action';
import { defaultAction, type ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { StepId } from '@devmesh/contracts/ids';
import {
  DEFAULT_RETRY,
  ENGINE_AGENT,
  type ApprovalSpec,
  type Branch,
  type StepDefinition,
} from '@devmesh/contracts/workflow';
import { PLAIN_STEP } from './plain-step.js';
import { referenceText } from './references.js';
import type { Problem } from './source-file.js';
import type { SourceApproval, SourceBranch, SourceStep } from './source-schema.js';

const BUILT_IN: Readonly<Record<string, Branch>> = {
  log_and_notify: { kind: 'log_and_notify' },
  fail: { kind: 'fail' },
};

const DAY_MS = 24 * 3600_000;
const DEFAULT_FAN_OUT = { maxItems: 50, maxParallel: 10 };

function branchOf(source: SourceBranch): Branch {
  if (typeof source !== 'string') return { kind: 'rework', target: source.target, maxAttempts: source.max_attempts };
  return BUILT_IN[source] ?? { kind: 'goto', target: source };
}

/** What a step is called: its id, its name, or what its agent or workflow is called. */
export function idOf(step: SourceStep): StepId | undefined {
  return step.id ?? step.name ?? step.agent ?? step.action?.split('/')[0] ?? step.workflow;
}

function unknown(path: Problem['path'], message: string): Problem {
  return { code: 'unknown_action', path, message };
}

function actionOf(step: SourceStep, index: number, catalogue: ActionCatalogue): ActionContract | Problem {
  const known = [...catalogue.keys()].join(', ');
  if (step.action !== undefined) {
    const action = catalogue.get(step.action);
    if (!action)
      return unknown(['steps', index, 'action'], `no agent has an action ${step.action}; use one of ${known}`);
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
    return {
      code: 'schema',
      path: ['steps', index],
      message: 'a step names an `agent` or an `action`, a `workflow`, or asks for an `approval`',
    };
  const agents = [...new Set([...catalogue.keys()].map((id) => id.split('/')[0]))].join(', ');
  return (
    defaultAction(catalogue, step.agent) ??
    unknown(['steps', index, 'agent'], `there is no agent ${step.agent} with a default action; use one of ${agents}`)
  );
}

/** What a step of any kind says of its place in the graph. */
export function edgesOf(source: SourceStep, id: StepId): Omit<StepDefinition, 'agent' | 'action' | 'with'> {
  const on = {
    success: source.on_success.map(branchOf),
    failure: source.on_failure.map(branchOf),
    approval: source.on_approval.map(branchOf),
    rejection: source.on_rejection.map(branchOf),
  };
  return {
    ...PLAIN_STEP,
    id,
    needs: [...new Set(typeof source.needs === 'string' ? [source.needs] : source.needs)],
    quorum: source.join,
    losers: source.losers,
    when: source.when ?? null,
    always: source.always,
    priority: source.priority,
    gate: source.gate ?? on.approval.length + on.rejection.length > 0,
    on,
  };
}

function approvalOf(source: SourceApproval, id: StepId): ApprovalSpec {
  const { of, escalate_to: to } = source;
  return {
    title: source.title ?? (of === undefined ? `May the run go on after ${id}?` : `May ${of} be done?`),
    of: of ?? null,
    deadlineMs: source.deadline ?? 3 * DAY_MS,
    remindMs: source.remind_after ?? null,
    escalateMs: source.escalate_after ?? null,
    escalateTo: to === undefined ? [] : [to].flat(),
    onExpiry: source.on_expiry ?? 'reject',
  };
}

/** Members that only some kinds of steps have. */
function misplaced(source: SourceStep, index: number, what: string, members: readonly (keyof SourceStep)[]): Problem[] {
  return members
    .filter((member) => source[member] !== undefined && !isEmpty(source[member]))
    .map((member) => ({
      code: 'schema',
      path: ['steps', index, member],
      message: `${what} has no \`${member}\`; leave it out`,
    }));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

export function groupProblems(source: SourceStep, index: number): Problem[] {
  return misplaced(source, index, 'a step that runs a workflow', [
    'agent',
    'action',
    'approval',
    'for_each',
    'undo',
    'fallback',
    'timeout',
    'retry',
  ]);
}

/** The definition of a step that runs no workflow; or what is wrong with it. */
export function stepOf(
  source: SourceStep,
  id: StepId,
  index: number,
  catalogue: ActionCatalogue,
): StepDefinition | Problem[] {
  const edges = edgesOf(source, id);
  if (source.approval !== undefined) {
    const wrong = misplaced(source, index, 'an approval', [
      'agent',
      'action',
      'with',
      'for_each',
      'undo',
      'fallback',
      'timeout',
      'retry',
    ]);
    if (wrong.length > 0) return wrong;
    const approval = approvalOf(source.approval === true ? {} : source.approval, id);
    return {
      ...edges,
      kind: 'approval',
      agent: ENGINE_AGENT,
      action: `${ENGINE_AGENT}/approval`,
      with: {},
      approval,
      gate: true,
    };
  }
  const action = actionOf(source, index, catalogue);
  if ('code' in action) return [action];
  const { retry, for_each: forEach, undo, fallback } = source;
  const undoAction = undo && catalogue.get(undo.action);
  if (undo && !undoAction)
    return [
      unknown(
        ['steps', index, 'undo', 'action'],
        `no agent has an action ${undo.action}; use one of ${[...catalogue.keys()].join(', ')}`,
      ),
    ];
  return {
    ...edges,
    agent: agentOf(action),
    action: action.id,
    with: { ...action.defaults, ...source.with },
    timeoutMs: source.timeout ?? action.timeoutMs,
    onLost: action.onLost,
    retry: {
      maxAttempts: retry.max_attempts ?? DEFAULT_RETRY.maxAttempts,
      initialDelayMs: retry.initial_delay ?? DEFAULT_RETRY.initialDelayMs,
      factor: retry.factor ?? DEFAULT_RETRY.factor,
      maxDelayMs: retry.max_delay ?? Math.max(DEFAULT_RETRY.maxDelayMs, retry.initial_delay ?? 0),
      jitter: retry.jitter ?? DEFAULT_RETRY.jitter,
    },
    forEach: forEach
      ? {
          items: referenceText(forEach.items) ?? '',
          maxItems: ('max_items' in forEach ? forEach.max_items : undefined) ?? DEFAULT_FAN_OUT.maxItems,
          maxParallel: ('max_parallel' in forEach ? forEach.max_parallel : undefined) ?? DEFAULT_FAN_OUT.maxParallel,
        }
      : null,
    undo:
      undo && undoAction
        ? {
            agent: agentOf(undoAction),
            action: undoAction.id,
            with: undo.with,
            timeoutMs: undo.timeout ?? undoAction.timeoutMs,
          }
        : null,
    fallback: fallback ?? null,
  };
}

function agentOf(action: ActionContract): string {
  return action.id.split('/')[0] ?? '';
}
