import { drive, type Disturber, type SimulationReport } from './drive.js';
import type { Disturbance, Fault } from './disturbance.js';
import type { SimMesh } from './mesh.js';
import { Random } from './random.js';
import type { Faults, Scenario } from './scenarios.js';

/** Faults stop after this many decisions, so that what can end does. */
const FAULTY_DECISIONS = 600;

/** Chance, by seed: what is possible comes in any order, and faults as often as they are said to. */
export function chance(seed: number, faults: Faults): Disturber {
  const random = new Random(seed);
  return (at, mesh, moves) => {
    const found: Disturbance[] = [];
    const fault = at < FAULTY_DECISIONS ? draw(random, faults, mesh) : undefined;
    if (fault) found.push({ at, ...fault } as Disturbance);
    const pick = random.below(Math.max(1, moves));
    if (pick > 0) found.push({ at, kind: 'reorder', pick });
    // Time passes between any two things, now and then by a lot.
    if (random.chance(0.05)) found.push({ at, kind: 'wait' });
    return found;
  };
}

/** When a request arrives that takes its time: mostly soon, sometimes when its deadline has passed, ms. */
function aWhile(random: Random): number {
  return random.below(random.chance(0.3) ? 150_000 : 500);
}

function draw(random: Random, faults: Faults, mesh: SimMesh): Fault | undefined {
  const run = random.below(mesh.runIds.length);
  const of = random.below(mesh.orchestrators.length);
  const agent = random.pick([...mesh.agents.keys()]) ?? '';
  const call = random.below(mesh.network.calls.length);
  if (random.chance(faults.crash)) return { kind: 'crash', of };
  if (random.chance(faults.freeze)) return { kind: 'freeze', of, ms: 1000 + random.below(30_000) };
  if (random.chance(faults.agentCrash)) return { kind: 'agentCrash', agent };
  if (random.chance(faults.agentFreeze)) return { kind: 'agentFreeze', agent, ms: 1000 + random.below(40_000) };
  if (random.chance(faults.emptyQueue)) return { kind: 'emptyQueue' };
  if (random.chance(faults.duplicate)) return { kind: 'duplicate', run };
  if (random.chance(faults.cancel)) return { kind: 'cancel', run };
  if (random.chance(faults.pause)) return { kind: 'pause', run, ms: random.below(20_000) };
  if (random.chance(faults.loss)) return { kind: 'loss', call };
  if (random.chance(faults.stateRestart)) return { kind: 'stateRestart' };
  if (random.chance(faults.away)) return { kind: 'away', agent, ms: random.below(100_000) };
  if (random.chance(faults.late)) return { kind: 'late', call, ms: aWhile(random) };
  if (random.chance(faults.echo)) return { kind: 'echo', call, ms: aWhile(random) };
  return undefined;
}

/** Runs one scenario to its end, with the faults of its seed. The same scenario gives the same report. */
export function simulate(scenario: Scenario): Promise<SimulationReport> {
  return drive(scenario, chance(scenario.seed, scenario.faults));
}
