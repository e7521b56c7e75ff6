import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { EventOf, RunEvent } from '@devmesh/contracts/event';
import type { AgentName, InstanceId, RunId, UnixMs } from '@devmesh/contracts/ids';
import type { Plan, SubmitRun } from '@devmesh/contracts/orchestrator-api';
import type { CreateOp } from '@devmesh/contracts/state-api';
import type { StepDefinition, WorkflowDefinition } from '@devmesh/contracts/workflow';
import { start } from '@devmesh/workflow/advance';
import { z } from 'zod';
import { planTask } from '../planning/planner.js';
import { loadWorkflow, type LoadedWorkflow, type WorkflowLibrary } from '../planning/workflow-library.js';

/** A run without an answer to its hint is due after this, ms. */
export const HINT_GRACE_MS = 2_000;

export interface SubmissionParts {
  readonly library: WorkflowLibrary;
  readonly catalogue: ActionCatalogue;
  readonly instances: (agent: AgentName) => readonly InstanceId[];
  readonly now: () => UnixMs;
  readonly traceparent: () => string | null;
}

export interface Submission {
  readonly op: CreateOp;
  readonly workflow: LoadedWorkflow;
}

type Chosen = { readonly workflow: LoadedWorkflow; readonly plan: Plan['because'] | null };

/**
 * What a submit runs: the named or given workflow, the plan of the text, or `deliver` when there is no text. Where tests are asked for, each
 * step that can run some does. Throws `invalid_request` when none can.
 */
export function chooseWorkflow(
  parts: Pick<SubmissionParts, 'library' | 'catalogue'>,
  request: Pick<SubmitRun, 'workflow' | 'task' | 'runTests'>,
): Chosen {
  const chosen = namedOrPlanned(parts, request);
  if (request.runTests !== true) return chosen;
  return { ...chosen, workflow: loadWorkflow(withTests(parts.catalogue, chosen.workflow.definition)) };
}

function withTests(catalogue: ActionCatalogue, definition: WorkflowDefinition): WorkflowDefinition {
  const canRun = ({ action }: StepDefinition): boolean => 'runTests' in inputShape(catalogue, action);
  if (!definition.steps.some(canRun)) {
    const able = [...catalogue.keys()].filter((action) => 'runTests' in inputShape(catalogue, action)).join(', ');
    throw new DevmeshError(
      'invalid_request',
      `no step of workflow ${definition.name} runs tests (${able} does): leave runTests out, or choose another workflow`,
    );
  }
  return {
    ...definition,
    steps: definition.steps.map((step) => (canRun(step) ? { ...step, with: { ...step.with, runTests: true } } : step)),
  };
}

function namedOrPlanned(
  parts: Pick<SubmissionParts, 'library' | 'catalogue'>,
  request: Pick<SubmitRun, 'workflow' | 'task'>,
): Chosen {
  const { workflow, task } = request;
  if (workflow !== null && 'name' in workflow) return { workflow: parts.library.named(workflow.name), plan: null };
  if (workflow !== null) return { workflow: parts.library.fromSource(workflow.source), plan: null };
  if (task.trim() === '') return { workflow: parts.library.named('deliver'), plan: null };
  const plan = planTask(task, parts.catalogue);
  return { workflow: loadWorkflow(plan.workflow), plan: plan.because };
}

/** The create of a run: RunCreated, and its first decisions unless it is held. */
export function prepare(parts: SubmissionParts, runId: RunId, request: SubmitRun, held: boolean): Submission {
  const { workflow, plan } = chooseWorkflow(parts, request);
  // A held run is a plan to look at first, and a text alone has one.
  if (request.repository === null && !held) assertNeedsNone(parts.catalogue, workflow);
  const at = parts.now();
  const created: EventOf<'RunCreated'> = {
    type: 'RunCreated',
    at,
    workflow: { name: workflow.definition.name, digest: workflow.digest },
    task: request.task,
    repository: request.repository,
    requestedBy: request.requestedBy,
    plan,
    traceparent: parts.traceparent(),
  };
  const events: readonly RunEvent[] = held
    ? [created]
    : start(workflow.graph, runId, created, { now: at, instances: parts.instances }).events;
  const { maxConcurrentRuns } = workflow.definition;
  const op: CreateOp = {
    op: 'create',
    runId,
    projectId: request.projectId,
    events: [...events],
    workflow: { digest: workflow.digest, name: workflow.definition.name },
    task: request.task,
    repository: request.repository,
    idempotency: request.idempotency,
    wakeAt: held ? null : at + HINT_GRACE_MS,
    ...(request.priority === undefined ? {} : { priority: request.priority }),
    ...(maxConcurrentRuns === null ? {} : { maxConcurrent: maxConcurrentRuns }),
  };
  return { op, workflow };
}

/** Throws for a workflow that works on a repository. */
export function assertNeedsNone(catalogue: ActionCatalogue, { definition }: LoadedWorkflow): void {
  const needing = definition.steps.find(
    (step) => 'repository' in inputShape(catalogue, step.action) && step.with['repository'] === '${{ repository }}',
  );
  if (needing === undefined) return;
  throw new DevmeshError(
    'invalid_request',
    `workflow ${definition.name} works on a repository (step ${needing.id}): give one`,
  );
}

function inputShape(catalogue: ActionCatalogue, action: string): object {
  const input = catalogue.get(action)?.input;
  return input instanceof z.ZodObject ? input.shape : {};
}
