import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { StepId } from '@devmesh/contracts/ids';
import {
  BRANCH_EVENTS,
  WORKFLOW_LIMITS,
  type StepDefinition,
  type WorkflowDefinition,
  type WorkflowProblem,
} from '@devmesh/contracts/workflow';
import { checkCondition } from './condition.js';
import {
  branchesOf,
  graphOf,
  reachable,
  successorsOf,
  topologicalOrder,
  worstCaseRounds,
  type Graph,
} from './graph.js';
import { neverRunning } from './reachability.js';
import { namesBefore } from './readiness.js';
import { parseReference, referencesIn } from './references.js';

export type Path = readonly (string | number)[];
export type Locate = (path: Path) => { line: number; column: number };
export type UnlocatedProblem = Omit<WorkflowProblem, 'line' | 'column'> & { path: Path };

function unknownSteps(workflow: WorkflowDefinition): UnlocatedProblem[] {
  const ids = new Set(workflow.steps.map((step) => step.id));
  const known = [...ids].join(', ');
  return workflow.steps.flatMap((step, index) => {
    const needs = step.needs
      .filter((need) => !ids.has(need))
      .map((need): UnlocatedProblem => ({
        code: 'unknown_step',
        path: ['steps', index, 'needs'],
        message: `${step.id} needs ${need}, which is no step; use one of ${known}`,
      }));
    const branches = branchesOf(step).flatMap(({ on, branch }): UnlocatedProblem[] =>
      'target' in branch && !ids.has(branch.target)
        ? [
            {
              code: 'unknown_step',
              path: ['steps', index, `on_${on}`],
              message: `on_${on} of ${step.id} names ${branch.target}, which is no step and no built-in; use one of ${known}, log_and_notify, fail`,
            },
          ]
        : [],
    );
    return [...needs, ...branches];
  });
}

function duplicates(workflow: WorkflowDefinition): UnlocatedProblem[] {
  const seen = new Set<StepId>();
  return workflow.steps.flatMap((step, index): UnlocatedProblem[] => {
    if (!seen.has(step.id)) {
      seen.add(step.id);
      return [];
    }
    return [
      {
        code: 'duplicate_step',
        path: ['steps', index],
        message: `there is another step ${step.id} before this one; give this one an \`id\` of its own`,
      },
    ];
  });
}

/** The steps of one cycle, in order, first again at the end. */
function findCycle(steps: readonly StepDefinition[]): StepId[] {
  const sorted = new Set(topologicalOrder(steps));
  const successors = successorsOf(steps);
  const inCycle = steps.find(
    (step) =>
      !sorted.has(step.id) &&
      [...(successors.get(step.id) ?? [])].some((next) => reachable(successors, next).has(step.id)),
  );
  if (!inCycle) return [];
  const path: StepId[] = [inCycle.id];
  for (;;) {
    const next = (successors.get(path.at(-1) ?? '') ?? []).find((id) => reachable(successors, id).has(inCycle.id));
    if (next === undefined) return path;
    const again = path.indexOf(next);
    path.push(next);
    if (again >= 0) return path.slice(again);
  }
}

/** Two handlers that send back on the same event would share one counter, and only one could be meant. */
function doubleHandlers(workflow: WorkflowDefinition): UnlocatedProblem[] {
  return workflow.steps.flatMap((step, index) =>
    BRANCH_EVENTS.flatMap((on): UnlocatedProblem[] =>
      step.on[on].filter(({ kind }) => kind === 'rework').length > 1
        ? [
            {
              code: 'schema',
              path: ['steps', index, `on_${on}`],
              message: `on_${on} of ${step.id} sends work back twice; keep one {action: retry, …}, with the target that comes first`,
            },
          ]
        : [],
    ),
  );
}

/** What the implicit last steps make wrong: a name that is taken, a workflow that is too long with them. */
export function validateFinished(written: WorkflowDefinition, finished: WorkflowDefinition): UnlocatedProblem[] {
  const added = finished.steps.slice(written.steps.length).map((step) => step.id);
  const taken = written.steps.flatMap((step, index): UnlocatedProblem[] =>
    added.includes(step.id)
      ? [
          {
            code: 'duplicate_step',
            path: ['steps', index],
            message: `${step.id} is the name of a last step that is added by itself; give this one another \`id\`, or say finish: false`,
          },
        ]
      : [],
  );
  if (taken.length > 0 || finished.steps.length <= WORKFLOW_LIMITS.steps) return taken;
  const message = `a workflow has at most ${WORKFLOW_LIMITS.steps} steps, and ${added.join(' and ')} would be added to its ${written.steps.length}; drop a step, or say finish: false`;
  return [{ code: 'limit', path: ['steps'], message }];
}

function cycles(workflow: WorkflowDefinition): UnlocatedProblem[] {
  if (topologicalOrder(workflow.steps).length === workflow.steps.length) return [];
  const cycle = findCycle(workflow.steps);
  const index = workflow.steps.findIndex((step) => step.id === cycle[0]);
  return [
    {
      code: 'cycle',
      path: ['steps', Math.max(0, index)],
      message: `steps wait for each other: ${cycle.join(' -> ')}; to send work back use on_rejection: {action: retry, target: STEP, max_attempts: N}`,
    },
  ];
}

function loops(workflow: WorkflowDefinition): UnlocatedProblem[] {
  const graph = graphOf(workflow);
  const problems: UnlocatedProblem[] = [];
  const totals = worstCaseRounds(graph);
  for (const loop of graph.loops.values()) {
    const path: Path = ['steps', graph.order.indexOf(loop.by), `on_${loop.on}`];
    if (loop.on !== 'rejection' && loop.on !== 'failure') {
      problems.push({
        code: 'unbounded_loop',
        path,
        message: `on_${loop.on} of ${loop.by} cannot send work back; only on_rejection and on_failure can`,
      });
    } else if (!loop.closure.has(loop.by)) {
      problems.push({
        code: 'unbounded_loop',
        path,
        message: `on_${loop.on} of ${loop.by} sends work back to ${loop.target}, which does not come before it; name a step that ${loop.by} follows from`,
      });
    }
    const total = totals.get(loop.id) ?? 0;
    if (total > WORKFLOW_LIMITS.nestedRounds) {
      problems.push({
        code: 'limit',
        path,
        message: `on_${loop.on} of ${loop.by} may go round ${total} times in its nesting, more than ${WORKFLOW_LIMITS.nestedRounds}; lower max_attempts`,
      });
    }
  }
  return problems;
}

function unreachable(workflow: WorkflowDefinition): UnlocatedProblem[] {
  const graph = graphOf(workflow);
  return [...neverRunning(graph)].map(([id, torn]) => ({
    code: 'unreachable_step',
    path: ['steps', graph.order.indexOf(id)],
    message: `${id} can never run: no end of ${torn} leads to all that it waits for; drop a need or a branch`,
  }));
}

/** What a reference of this step may speak of, beside steps that come before it. */
function referenceProblem(
  graph: Graph,
  step: StepDefinition,
  text: string,
  where: 'with' | 'undo' | 'for_each',
): string | undefined {
  const reference = parseReference(text);
  if (!reference)
    return `\${{ ${text} }} is none of run.id, run.task, run.origin, run.history, run.summary, repository, patches, steps.STEP.output.PATH, item, index`;
  if (reference.of === 'step' && !(graph.upstream.get(step.id) ?? []).includes(reference.step))
    return where === 'undo' && reference.step === step.id
      ? undefined
      : `${step.id} refers to ${reference.step}, which does not come before it; add it to its needs`;
  if ((reference.of === 'item' || reference.of === 'index') && (!step.forEach || where === 'for_each'))
    return `\${{ ${text} }} is for steps with for_each; ${step.id} has none`;
  if (reference.of === 'own' && where !== 'undo') return `\${{ ${text} }} is for the \`with\` of an undo`;
  // What a person approves must still be the same when it is done.
  if (reference.of === 'run' && reference.member === 'summary' && step.guardedBy !== null)
    return `${step.id} is bound by the approval ${step.guardedBy}, and run.summary changes from then on; refer to the output of a step`;
  return undefined;
}

function references(workflow: WorkflowDefinition): UnlocatedProblem[] {
  const graph = graphOf(workflow);
  const told = (message: string | undefined, path: Path): UnlocatedProblem[] =>
    message === undefined ? [] : [{ code: 'bad_reference', path, message }];
  return workflow.steps.flatMap((step, index) => {
    const own = referencesIn(step.with).flatMap(({ path, text }) =>
      told(referenceProblem(graph, step, text, 'with'), ['steps', index, 'with', ...path]),
    );
    const undo = referencesIn(step.undo?.with ?? {}).flatMap(({ path, text }) =>
      told(referenceProblem(graph, step, text, 'undo'), ['steps', index, 'undo', 'with', ...path]),
    );
    const items = step.forEach
      ? told(referenceProblem(graph, step, step.forEach.items, 'for_each'), ['steps', index, 'for_each'])
      : [];
    return [...own, ...undo, ...items];
  });
}

function joins(workflow: WorkflowDefinition): UnlocatedProblem[] {
  return workflow.steps.flatMap((step, index): UnlocatedProblem[] => {
    const path: Path = ['steps', index, 'join'];
    const { id, quorum, needs, losers } = step;
    if (quorum !== null && quorum > needs.length)
      return [
        {
          code: 'schema',
          path,
          message: `${id} wants ${quorum} of its ${needs.length} needs; lower the quorum or add a need`,
        },
      ];
    if (losers === 'cancel' && quorum === null)
      return [
        {
          code: 'schema',
          path: ['steps', index, 'losers'],
          message: `${id} waits for all its needs, so there are no losers; say join: any or join: quorum N`,
        },
      ];
    return [];
  });
}

function conditions(workflow: WorkflowDefinition): UnlocatedProblem[] {
  const graph = graphOf(workflow);
  return workflow.steps.flatMap((step, index): UnlocatedProblem[] => {
    if (step.when === null) return [];
    const path: Path = ['steps', index, 'when'];
    const checked = checkCondition(step.when);
    if (checked.problem !== undefined)
      return [{ code: 'bad_condition', path, message: `when of ${step.id}: ${checked.problem}` }];
    const names = namesBefore(graph, step.id);
    return checked.steps
      .filter((name) => !names.has(name))
      .map((name) => ({
        code: 'bad_reference',
        path,
        message: `when of ${step.id} names ${name}, which does not come before it; use one of ${[...names.keys()].join(', ') || 'none: it needs no step'}`,
      }));
  });
}

function approvals(workflow: WorkflowDefinition): UnlocatedProblem[] {
  const graph = graphOf(workflow);
  const seen = new Set<StepId>();
  return workflow.steps.flatMap((step, index): UnlocatedProblem[] => {
    const of = step.approval?.of;
    if (of === null || of === undefined) return [];
    const path: Path = ['steps', index, 'approval'];
    const wrong = (message: string): UnlocatedProblem[] => [{ code: 'schema', path, message }];
    const guarded = graph.steps.get(of);
    if (!guarded) return [{ code: 'unknown_step', path, message: `${step.id} asks for ${of}, which is no step` }];
    if (guarded.kind !== 'action' || guarded.forEach)
      return wrong(`${step.id} asks for ${of}; only a step with one action can be bound to an approval`);
    if (seen.has(of)) return wrong(`${of} has another approval already; one asks for one step`);
    seen.add(of);
    if (!guarded.needs.includes(step.id)) return wrong(`${of} must need ${step.id}, which asks for it`);
    const before = graph.upstream.get(step.id) ?? [];
    const late = guarded.needs.find((need) => need !== step.id && !before.includes(need));
    return late === undefined
      ? []
      : wrong(
          `${of} needs ${late}, which ${step.id} does not wait for: nobody could see what is approved; let ${step.id} need it too`,
        );
  });
}

function verdicts(workflow: WorkflowDefinition, catalogue: ActionCatalogue): UnlocatedProblem[] {
  return workflow.steps.flatMap((step, index): UnlocatedProblem[] =>
    step.kind === 'action' && step.gate && !catalogue.get(step.action)?.givesVerdict
      ? [
          {
            code: 'schema',
            path: ['steps', index],
            message: `${step.id} has branches on a verdict, but ${step.action} gives none; use on_success and on_failure`,
          },
        ]
      : [],
  );
}

/** Where nobody can stand in for what was to happen: a judgement, a consent, an effect that may have to be taken back. */
function fallbacks(workflow: WorkflowDefinition, catalogue: ActionCatalogue): UnlocatedProblem[] {
  return workflow.steps.flatMap((step, index): UnlocatedProblem[] => {
    if (step.fallback === null) return [];
    const wrong = (message: string, ...path: Path): UnlocatedProblem[] => [
      { code: 'schema', path: ['steps', index, 'fallback', ...path], message },
    ];
    if (step.gate) return wrong(`${step.id} decides, and a fallback decides nothing; drop it, or use on_failure`);
    if (step.guardedBy !== null)
      return wrong(`${step.id} acts on an approval, and a fallback would say that it did; use on_failure`);
    if (step.undo !== null)
      return wrong(
        `${step.id} has an undo, and nobody could say what it is to take back; drop the undo or the fallback`,
      );
    const issue = catalogue.get(step.action)?.output.safeParse(step.fallback.output).error?.issues[0];
    return issue === undefined
      ? []
      : wrong(
          `the output of ${step.action} is another one: ${issue.path.map(String).join('.') || 'the whole'}: ${issue.message}`,
          'output',
        );
  });
}

/** Problems of a workflow whose shape is right, each with the path to what is wrong. */
export function validate(workflow: WorkflowDefinition, catalogue: ActionCatalogue): UnlocatedProblem[] {
  const names = [...duplicates(workflow), ...unknownSteps(workflow), ...doubleHandlers(workflow)];
  if (names.length > 0) return names;
  const cyclic = cycles(workflow);
  if (cyclic.length > 0) return cyclic;
  return [
    ...loops(workflow),
    ...joins(workflow),
    ...unreachable(workflow),
    ...references(workflow),
    ...conditions(workflow),
    ...approvals(workflow),
    ...fallbacks(workflow, catalogue),
    ...verdicts(workflow, catalogue),
  ];
}
