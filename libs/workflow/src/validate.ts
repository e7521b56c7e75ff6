import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { StepId } from '@devmesh/contracts/ids';
import {
  BRANCH_EVENTS,
  WORKFLOW_LIMITS,
  type StepDefinition,
  type WorkflowDefinition,
  type WorkflowProblem,
} from '@devmesh/contracts/workflow';
import { branchesOf, graphOf, reachable, successorsOf, topologicalOrder, worstCaseRounds } from './graph.js';
import { neverRunning } from './reachability.js';
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

function references(workflow: WorkflowDefinition): UnlocatedProblem[] {
  const graph = graphOf(workflow);
  return workflow.steps.flatMap((step, index) =>
    referencesIn(step.with).flatMap(({ path, text }): UnlocatedProblem[] => {
      const at: Path = ['steps', index, 'with', ...path];
      const reference = parseReference(text);
      if (!reference) {
        return [
          {
            code: 'bad_reference',
            path: at,
            message: `\${{ ${text} }} is none of run.id, run.task, run.summary, repository, patches, steps.STEP.output.PATH`,
          },
        ];
      }
      if (reference.of === 'step' && !(graph.upstream.get(step.id) ?? []).includes(reference.step)) {
        return [
          {
            code: 'bad_reference',
            path: at,
            message: `${step.id} refers to ${reference.step}, which does not come before it; add it to its needs`,
          },
        ];
      }
      return [];
    }),
  );
}

function verdicts(workflow: WorkflowDefinition, catalogue: ActionCatalogue): UnlocatedProblem[] {
  return workflow.steps.flatMap((step, index): UnlocatedProblem[] =>
    step.gate && !catalogue.get(step.action)?.givesVerdict
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

/** Problems of a workflow whose shape is right, each with the path to what is wrong. */
export function validate(workflow: WorkflowDefinition, catalogue: ActionCatalogue): UnlocatedProblem[] {
  const names = [...duplicates(workflow), ...unknownSteps(workflow), ...doubleHandlers(workflow)];
  if (names.length > 0) return names;
  const cyclic = cycles(workflow);
  if (cyclic.length > 0) return cyclic;
  return [...loops(workflow), ...unreachable(workflow), ...references(workflow), ...verdicts(workflow, catalogue)];
}
