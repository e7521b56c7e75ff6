import type { Disturbance, Fault } from '../simulator/disturbance.js';
import { drive, replaying, type Disturber, type Observer, type SimulationReport } from '../simulator/drive.js';
import type { SimMesh } from '../simulator/mesh.js';
import type { Scenario } from '../simulator/scenarios.js';
import type { Coverage } from './coverage.js';
import { distance, fingerprint, hashOf } from './fingerprint.js';

/** How long a process hears nothing that is paused past its turn's lease; and past an execution's, ms. */
const SHORT_PAUSE_MS = 6_000;
const LONG_PAUSE_MS = 25_000;
const LATE_MS = 5_000;
const VERY_LATE_MS = 100_000;

/** What crash points are made of; a long pause is none. */
const CRASHES: ReadonlySet<Disturbance['kind']> = new Set(['crash', 'freeze', 'agentCrash', 'loss', 'duplicate']);

/** The crash points of a boundary: orchestrators in a turn, agents that hold something, the next call, its job, its owner. */
export function crashPoints(mesh: SimMesh): Fault[] {
  const faults: Fault[] = [];
  for (const [of, { inTurn, frozenUntil }] of mesh.orchestrators.entries()) {
    if (inTurn.size === 0) continue;
    faults.push({ kind: 'crash', of });
    if (frozenUntil <= mesh.now) faults.push({ kind: 'freeze', of, ms: SHORT_PAUSE_MS });
  }
  for (const [agent, { executions }] of mesh.agents)
    if (executions.size > 0) faults.push({ kind: 'agentCrash', agent });
  const call = mesh.nextCall();
  if (call >= 0) faults.push({ kind: 'loss', call });
  if (mesh.queue.length === 0) faults.push({ kind: 'duplicate', run: 0 });
  return faults;
}

/** What else may happen at a boundary: what is late, twice, paused for long; what people say. */
export function disturbancesAt(mesh: SimMesh): Fault[] {
  const faults: Fault[] = [];
  for (const [of, { inTurn }] of mesh.orchestrators.entries())
    if (inTurn.size > 0) faults.push({ kind: 'freeze', of, ms: LONG_PAUSE_MS });
  for (const [agent, { executions }] of mesh.agents) {
    if (executions.size === 0) continue;
    faults.push({ kind: 'agentFreeze', agent, ms: LONG_PAUSE_MS }, { kind: 'away', agent, ms: LONG_PAUSE_MS });
  }
  const call = mesh.nextCall();
  if (call >= 0) {
    faults.push({ kind: 'echo', call, ms: 0 }, { kind: 'echo', call, ms: VERY_LATE_MS });
    faults.push({ kind: 'late', call, ms: LATE_MS }, { kind: 'late', call, ms: VERY_LATE_MS });
  }
  faults.push({ kind: 'stateRestart' }, { kind: 'emptyQueue' }, { kind: 'cancel', run: 0 });
  faults.push({ kind: 'pause', run: 0, ms: LATE_MS });
  return faults;
}

export interface Finding {
  readonly scenario: Scenario;
  readonly plot: string;
  readonly report: SimulationReport;
}

/** A set of numbers without its limit on the number of members. */
class NumberSet {
  private readonly parts = Array.from({ length: 16 }, () => new Set<number>());

  add(value: number): boolean {
    const part = this.parts[value % 16];
    if (!part || part.has(value)) return false;
    part.add(value);
    return true;
  }

  get size(): number {
    return this.parts.reduce((sum, { size }) => sum + size, 0);
  }
}

/** Goes through runs, and keeps count of the states they were in and of what was done to them there. */
export class Explorer {
  readonly findings: Finding[] = [];
  runs = 0;
  /** Pairs of crash points whose second one was met in the same state before. */
  known = 0;
  private readonly states = new NumberSet();
  private readonly pairs = new NumberSet();

  constructor(
    private readonly coverage: Coverage,
    /** Judges a run that ended without a violation: what else is wrong with it. */
    private readonly judge: (scenario: Scenario, report: SimulationReport) => readonly string[],
    private readonly maxFindings = 3,
    /** Of what was met before, what is done again all the same, by its number. */
    private readonly again: (count: number) => boolean = () => false,
  ) {}

  get isDone(): boolean {
    return this.findings.length >= this.maxFindings;
  }

  get counts(): { readonly states: number; readonly pairs: number } {
    return { states: this.states.size, pairs: this.pairs.size };
  }

  /** One run. `at` is asked at every boundary what could be done there. */
  async run(
    scenario: Scenario,
    plot: string,
    disturber: Disturber,
    at?: (mesh: SimMesh, decision: number, state: number) => void,
  ): Promise<SimulationReport> {
    let state = 0;
    const observer: Observer = {
      folded: this.coverage.folded,
      decision: (mesh, decision) => {
        state = fingerprint(mesh);
        this.states.add(state);
        at?.(mesh, decision, state);
      },
      disturbed: (_mesh, disturbance) => {
        // Another order and time that passes are no faults: they are what takes a run to other states.
        if (disturbance.kind !== 'reorder' && disturbance.kind !== 'wait') this.pairs.add(pairOf(state, disturbance));
      },
    };
    const report = await drive(scenario, disturber, observer);
    this.runs++;
    const violations = report.violations.length > 0 ? report.violations : this.judge(scenario, report);
    if (violations.length > 0) this.findings.push({ scenario, plot, report: { ...report, violations } });
    return report;
  }

  /** Whether this fault was never done to this state before; from now on it was. */
  isNew(state: number, fault: Fault): boolean {
    const fresh = this.met.add(pairOf(state, fault));
    if (!fresh) this.known++;
    return fresh || this.again(this.known);
  }

  private readonly met = new NumberSet();
}

/** A fault done to a state. How long it lasts counts coarsely, as times do in a state. */
function pairOf(state: number, fault: Fault): number {
  const { at: _at, ...what } = fault as Disturbance;
  const whole = 'ms' in what ? { ...what, ms: distance(what.ms, 0) } : what;
  return hashOf(`${state} ${JSON.stringify(whole)}`);
}

interface Point {
  readonly disturbance: Disturbance;
  readonly state: number;
}

/** Every fault of a run's boundaries after decision `from`. */
function collecting(
  faults: (mesh: SimMesh) => Fault[],
  from: number,
): { points: Point[]; at: (mesh: SimMesh, decision: number, state: number) => void } {
  const points: Point[] = [];
  return {
    points,
    at: (mesh, decision, state) => {
      if (decision <= from) return;
      for (const fault of faults(mesh)) points.push({ disturbance: { at: decision, ...fault } as Disturbance, state });
    },
  };
}

export interface Singles {
  /** Pairs of crash points whose second one meets a state that it was not done to before. */
  readonly pairs: readonly (readonly [Disturbance, Disturbance])[];
  /** False when the budget was used up before all singles were run. */
  readonly complete: boolean;
}

/** A calm run, then every single fault at every boundary of it. Collects the pairs that are left to run, when it is to be `paired`. */
export async function exploreSingles(
  explorer: Explorer,
  scenario: Scenario,
  plot: string,
  paired: boolean,
  isOver: () => boolean,
): Promise<Singles> {
  const calm = collecting((mesh) => [...crashPoints(mesh), ...disturbancesAt(mesh)], -1);
  await explorer.run(scenario, plot, () => [], calm.at);
  const pairs: [Disturbance, Disturbance][] = [];
  for (const { disturbance: first } of calm.points) {
    if (explorer.isDone || isOver()) return { pairs, complete: false };
    const second = collecting(crashPoints, first.at);
    const isCrash = paired && CRASHES.has(first.kind) && !(first.kind === 'freeze' && first.ms > SHORT_PAUSE_MS);
    await explorer.run(scenario, plot, replaying([first]), isCrash ? second.at : undefined);
    for (const { disturbance, state } of second.points)
      if (explorer.isNew(state, disturbance)) pairs.push([first, disturbance]);
  }
  return { pairs, complete: true };
}

/** Runs pairs until the budget is used up; gives how many. */
export async function explorePairs(
  explorer: Explorer,
  scenario: Scenario,
  plot: string,
  pairs: Singles['pairs'],
  isOver: () => boolean,
): Promise<number> {
  let count = 0;
  for (const pair of pairs) {
    if (explorer.isDone || isOver()) break;
    await explorer.run(scenario, plot, replaying(pair));
    count++;
  }
  return count;
}
