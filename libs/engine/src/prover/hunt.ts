import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import type { Disturbance } from '../simulator/disturbance.js';
import { drive, replaying, type SimulationReport } from '../simulator/drive.js';
import { EVERYTHING, NO_FAULTS, type Flaw, type Scenario } from '../simulator/scenarios.js';
import { chance } from '../simulator/simulate.js';
import { crashPoints } from './explore.js';
import { ofPlot, plotOf, type MoodName } from './plots.js';
import { Judge } from './reference.js';

export interface Hunted {
  readonly workflow: WorkflowDefinition;
  readonly catalogue: ActionCatalogue;
}

/** Where a mutant was found: by what, and how many runs that took. Null: it survived. */
export interface Kill {
  readonly by: string;
  readonly runs: number;
}

const CALM: readonly MoodName[] = ['smooth', 'rework', 'troubled', 'lastMinute'];
const MAX_DECISIONS = 3_000;
/** With fewer seeds than this the hunt is only a look. */
const FEW = 20;
/** Of so many workflows every single crash point is tried, last. */
const SYSTEMATIC = 2;

/**
 * Runs a broken mesh until a promise breaks: calm runs first, then faults by seed. Gives the first violation that `found` fits.
 * `seen` hears of the others.
 */
export async function hunt(
  flaw: Flaw,
  workflows: readonly Hunted[],
  seeds: number,
  found = /./,
  seen: (violation: string) => void = () => undefined,
): Promise<Kill | null> {
  const judge = new Judge();
  let runs = 0;
  const fits = (scenario: Scenario, report: SimulationReport): string | undefined => {
    runs++;
    const violations = report.violations.length > 0 ? report.violations : judge.judge(scenario, report);
    for (const violation of violations) seen(violation);
    return violations.find((violation) => found.test(violation));
  };
  for (const scenario of scenarios(flaw, workflows, seeds)) {
    const { seed, faults } = scenario;
    const by = fits(scenario, await drive(scenario, faults === NO_FAULTS ? () => [] : chance(seed, faults)));
    if (by !== undefined) return { by, runs };
  }
  if (seeds < FEW) return null;
  for await (const [scenario, point] of singles(flaw, workflows.slice(0, SYSTEMATIC))) {
    const by = fits(scenario, await drive(scenario, replaying([point])));
    if (by !== undefined) return { by, runs };
  }
  return null;
}

function* scenarios(flaw: Flaw, workflows: readonly Hunted[], seeds: number): Generator<Scenario> {
  const common = { orchestrators: 2, flaw, maxDecisions: MAX_DECISIONS };
  for (const { workflow, catalogue } of workflows)
    for (const mood of CALM) {
      const plot = ofPlot(plotOf(workflow, catalogue, mood));
      yield { ...common, ...plot, seed: 0, workflow, catalogue, runs: 1, faults: NO_FAULTS };
    }
  for (let seed = 1; seed <= seeds; seed++) {
    const subject = workflows[seed % workflows.length];
    if (!subject) return;
    const { workflow, catalogue } = subject;
    const plot = ofPlot(plotOf(workflow, catalogue, seed % 3 === 0 ? 'rework' : 'troubled', seed));
    yield { ...common, ...plot, seed, workflow, catalogue, runs: 2, faults: EVERYTHING };
  }
}

/** Every single crash point of calm runs. */
async function* singles(flaw: Flaw, workflows: readonly Hunted[]): AsyncGenerator<readonly [Scenario, Disturbance]> {
  for (const { workflow, catalogue } of workflows) {
    const plot = ofPlot(plotOf(workflow, catalogue, 'smooth'));
    const scenario: Scenario = {
      ...plot,
      orchestrators: 2,
      flaw,
      maxDecisions: MAX_DECISIONS,
      seed: 0,
      workflow,
      catalogue,
      runs: 1,
      faults: NO_FAULTS,
    };
    const points: Disturbance[] = [];
    await drive(scenario, () => [], {
      decision: (mesh, at) => {
        for (const fault of crashPoints(mesh)) points.push({ at, ...fault } as Disturbance);
      },
    });
    for (const point of points) yield [scenario, point];
  }
}
