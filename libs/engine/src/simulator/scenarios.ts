import type { ActionContract } from '@devmesh/contracts/action';
import { defineAction } from '@devmesh/contracts/action';
import type { EventOf } from '@devmesh/contracts/event';
import { catalogueOf, type ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { ExecutionRequest } from '@devmesh/contracts/execution';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { parseWorkflow } from '@devmesh/workflow/parse';
import { z } from 'zod';
import type { TurnPorts } from '../ports.js';
import type { Core } from '../turn.js';
import type { AgentHabits } from './sim-agent.js';
import type { Script } from './sim-execution.js';
import type { PeopleScript } from './sim-people.js';
import type { SimWorld } from './sim-ports.js';
import type { StateStore } from './state-store.js';

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
  beside: workflowOf(`
name: beside
steps:
  - { id: make, agent: alpha }
  - { id: left, agent: beta, needs: make }
  - { id: right, agent: gamma, needs: make }
  - { id: gate, agent: judge, needs: make, on_rejection: { action: retry, target: make, max_attempts: 3 } }
  - { id: join, agent: alpha, needs: [left, right, gate] }
`),
  spare: workflowOf(`
name: spare
steps:
  - { id: guess, agent: alpha, fallback: { output: { note: guessed } } }
  - { id: use, agent: beta, needs: guess, with: { note: "\${{ steps.guess.output.note }}" } }
  - { id: check, agent: gamma, needs: use, with: { note: "\${{ steps.guess.output.note }}" } }
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
      if (roll < 18) return { kind: 'failed', error: { code: 'action_failed', message: 'no', retryable: false } };
      if (request.action.startsWith('judge/')) {
        const verdict = (dice >>> 16) % 100 < 40 ? 'rejected' : 'approved';
        return { kind: 'succeeded', verdict, output: { note: `${step} ${iteration}`, verdict } };
      }
      return { kind: 'succeeded', output: { note: `${step} ${iteration}.${attempt}` } };
    })();
    return { outcome, takesMs };
  };
}

/** Verdicts by seed: mostly yes, sometimes no, sometimes nothing at all; at once, soon, or near the deadline. */
export function peopleOf(seed: number): PeopleScript {
  return ({ id }) => {
    const dice = hash(`${seed} ${id}`);
    const takesMs = [0, 20, 2_000, 30_000, 119_000][dice % 5] ?? 0;
    const roll = (dice >>> 8) % 100;
    if (roll < 15) return null;
    return { verdict: roll < 35 ? 'rejected' : 'approved', takesMs };
  };
}

/** Chances per decision of the scheduler, in [0, 1]. */
export interface Faults {
  /** A request or an answer gets lost. */
  readonly loss: number;
  /** An orchestrator dies (and starts again). */
  readonly crash: number;
  /** An orchestrator hears nothing for a while. */
  readonly freeze: number;
  /** An agent dies (and starts again as another instance). */
  readonly agentCrash: number;
  /** The queue is emptied. */
  readonly emptyQueue: number;
  /** A job is delivered twice. */
  readonly duplicate: number;
  /** Somebody cancels a run. */
  readonly cancel: number;
  /** Nothing reaches an agent for a while, nor comes from it; requests arrive afterwards. */
  readonly away: number;
  /** The caller hears of a broken connection, and its request arrives later. */
  readonly late: number;
  /** A request arrives once more, whenever that may be. */
  readonly echo: number;
  /** An agent's process hears nothing for a while. */
  readonly agentFreeze: number;
  /** Somebody pauses a run, and resumes it. */
  readonly pause: number;
  /** The state service restarts between commit and reply. */
  readonly stateRestart: number;
}

export const NO_FAULTS: Faults = {
  loss: 0,
  crash: 0,
  freeze: 0,
  agentCrash: 0,
  emptyQueue: 0,
  duplicate: 0,
  cancel: 0,
  away: 0,
  late: 0,
  echo: 0,
  agentFreeze: 0,
  pause: 0,
  stateRestart: 0,
};

/** Something broken in the mesh, to show that the checks see it. What is left out is as it should be. */
export interface Flaw {
  readonly habits?: Partial<AgentHabits>;
  readonly store?: () => StateStore;
  readonly ports?: (ports: TurnPorts, world: SimWorld) => TurnPorts;
  readonly core?: (core: Core) => Core;
  /** Called before each run: what the broken part remembers belongs to one. */
  readonly forget?: () => void;
}

export interface Scenario {
  readonly seed: number;
  readonly workflow: WorkflowDefinition;
  readonly runs: number;
  readonly orchestrators: number;
  readonly script: Script;
  readonly people: PeopleScript;
  readonly catalogue: ActionCatalogue;
  readonly faults: Faults;
  /** Of a fork: how the steps stand that are not done again. */
  readonly inherited?: EventOf<'StepsInherited'>;
  readonly flaw?: Flaw;
  /** The longest that a body takes, ms, when runs are held to a time. */
  readonly longestBodyMs?: number;
  /** What comes of it depends on a moment: verdicts at their deadline. */
  readonly racesTime?: boolean;
  /** When to give up, in decisions of the scheduler. */
  readonly maxDecisions?: number;
}

/** All faults at once, each often enough to happen several times in a run. */
export const EVERYTHING: Faults = {
  loss: 0.04,
  crash: 0.02,
  freeze: 0.01,
  agentCrash: 0.01,
  emptyQueue: 0.02,
  duplicate: 0.03,
  cancel: 0.004,
  away: 0.005,
  late: 0.02,
  echo: 0.02,
  agentFreeze: 0.005,
  pause: 0.005,
  stateRestart: 0.01,
};

const NAMES = Object.keys(SIM_WORKFLOWS) as (keyof typeof SIM_WORKFLOWS)[];

/** The scenario of a seed: one of the workflows, two runs, two orchestrators. */
export function scenarioOf(seed: number, faults: Faults, change: Partial<Scenario> = {}): Scenario {
  const name = NAMES[seed % NAMES.length] ?? 'sixSteps';
  return {
    seed,
    workflow: SIM_WORKFLOWS[name],
    runs: 2,
    orchestrators: 2,
    script: scriptOf(seed),
    people: peopleOf(seed),
    catalogue: SIM_CATALOGUE,
    faults,
    ...change,
  };
}
