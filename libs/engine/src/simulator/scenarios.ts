import type { ActionContract } from '@devmesh/contracts/action';
import { defineAction } from '@devmesh/contracts/action';
import { catalogueOf } from '@devmesh/contracts/catalogue';
import type { ExecutionRequest } from '@devmesh/contracts/execution';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { parseWorkflow } from '@devmesh/workflow/parse';
import { z } from 'zod';
import type { Script } from './sim-agent.js';

function action(agent: string, givesVerdict: boolean): ActionContract {
  return defineAction({
    id: `${agent}/act`,
    title: agent,
    isDefault: true,
    givesVerdict,
    timeoutMs: 60_000,
    input: z.looseObject({}),
    output: z.looseObject({}),
  });
}

/** Agents of the simulated mesh: three that work, one that judges. */
export const SIM_CATALOGUE = catalogueOf([
  action('alpha', false),
  action('beta', false),
  action('gamma', false),
  action('judge', true),
]);

/** A workflow of the simulated mesh, from its YAML. */
export function workflowOf(source: string): WorkflowDefinition {
  const parsed = parseWorkflow(source, SIM_CATALOGUE);
  if (parsed.workflow === null) throw new Error(JSON.stringify(parsed.problems));
  return parsed.workflow;
}

/** Workflows that have every kind of edge between them. */
export const SIM_WORKFLOWS = {
  sixSteps: workflowOf(`
name: six_steps
steps:
  - { id: plan, agent: alpha }
  - { id: a, agent: alpha, needs: plan }
  - { id: b, agent: beta, needs: plan }
  - { id: c, agent: gamma, needs: plan }
  - { id: d, agent: beta, needs: plan }
  - { id: summary, agent: gamma, needs: [a, b, c, d] }
`),
  deliver: workflowOf(`
name: deliver
steps:
  - { id: understand, agent: alpha }
  - { id: review, agent: judge, needs: understand, gate: false }
  - { id: images, agent: beta, needs: understand }
  - { id: implement, agent: gamma, needs: [review, images], with: { found: "\${{ steps.review.output.note }}" } }
  - { id: verify, agent: judge, needs: implement, on_rejection: { action: retry, target: implement, max_attempts: 3 } }
  - { id: report, agent: alpha, needs: verify, always: true }
`),
  branches: workflowOf(`
name: branches
steps:
  - { id: try, agent: alpha, on_success: good, on_failure: [mend, log_and_notify], retry: { max_attempts: 2, initial_delay: 100ms } }
  - { id: good, agent: beta }
  - { id: mend, agent: gamma }
  - { id: close, agent: beta, needs: [], on_failure: fail }
  - { id: last, agent: alpha, needs: [good], always: true }
`),
  nested: workflowOf(`
name: nested
steps:
  - { id: design, agent: alpha }
  - { id: build, agent: beta, needs: design }
  - { id: side, agent: gamma, needs: build }
  - { id: inner, agent: judge, needs: build, on_rejection: { action: retry, target: build, max_attempts: 2 } }
  - { id: outer, agent: judge, needs: [inner, side], on_rejection: { action: retry, target: design, max_attempts: 2 } }
`),
} as const;

function hash(text: string): number {
  let value = 2166136261;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 16777619) >>> 0;
  // The last characters differ most between keys, and FNV leaves them in the low bits.
  return Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) >>> 0;
}

/** Outcomes by seed and key: mostly success; failures of both kinds; verdicts; bodies from at once to longer than a lease. */
export function scriptOf(seed: number): Script {
  return (request: ExecutionRequest) => {
    const dice = hash(`${seed} ${request.key}`);
    const { step, iteration, attempt } = parseExecutionKey(request.key);
    const takesMs = [0, 0, 40, 300, 1500, 40_000, 70_000][dice % 7] ?? 0;
    const outcome = ((): Outcome => {
      const roll = (dice >>> 8) % 100;
      if (roll < 8) return { kind: 'failed', error: { code: 'unavailable', message: 'try again', retryable: true } };
      if (roll < 12) return { kind: 'failed', error: { code: 'action_failed', message: 'no', retryable: false } };
      if (request.action.startsWith('judge/')) {
        const verdict = (dice >>> 16) % 100 < 40 ? 'rejected' : 'approved';
        return { kind: 'succeeded', verdict, output: { note: `${step} ${iteration}`, verdict } };
      }
      return { kind: 'succeeded', output: { note: `${step} ${iteration}.${attempt}` } };
    })();
    return { outcome, takesMs };
  };
}
