import type { ActionContract } from '@devmesh/contracts/action';
import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { StepDefinition, WorkflowDefinition } from '@devmesh/contracts/workflow';
import { PLAIN_STEP } from './plain-step.js';
import { z } from 'zod';
import { reachable, successorsOf } from './graph.js';

const INTEGRATE = 'feature-dev/integrate';
const REPORT = 'documentation/report';

function hasMember(schema: z.ZodType | undefined, name: string): boolean {
  return schema instanceof z.ZodObject && name in schema.shape;
}

function lastStep(id: string, action: ActionContract, needs: readonly string[]): StepDefinition {
  return {
    ...PLAIN_STEP,
    id,
    agent: action.id.split('/')[0] ?? '',
    action: action.id,
    with: { ...action.defaults },
    needs: [...needs],
    always: true,
    timeoutMs: action.timeoutMs,
    onLost: action.onLost,
  };
}

/** Steps that nothing follows. */
function leaves(steps: readonly StepDefinition[]): string[] {
  const successors = successorsOf(steps);
  return steps.filter((step) => successors.get(step.id)?.length === 0).map((step) => step.id);
}

/** Adds the implicit last steps (docs/engine.md, section 2), where the catalogue has their actions. */
export function finish(workflow: WorkflowDefinition, catalogue: ActionCatalogue): WorkflowDefinition {
  const steps = [...workflow.steps];
  const successors = successorsOf(steps);
  const takesPatches = (id: string) =>
    hasMember(catalogue.get(steps.find((step) => step.id === id)?.action ?? '')?.input, 'patches');
  const loose = steps.filter(
    (step) =>
      hasMember(catalogue.get(step.action)?.output, 'patch') &&
      ![...reachable(successors, step.id)].some((id) => id !== step.id && takesPatches(id)),
  );
  const integrate = catalogue.get(INTEGRATE);
  if (loose.length > 0 && integrate) steps.push(lastStep('finish-integrate', integrate, leaves(steps)));
  const report = catalogue.get(REPORT);
  if (report && !steps.some((step) => step.action === REPORT))
    steps.push(lastStep('finish-report', report, leaves(steps)));
  return { ...workflow, steps };
}
