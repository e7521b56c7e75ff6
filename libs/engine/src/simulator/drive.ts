import type { RunEvent } from '@devmesh/contracts/event';
import type { RunId, UnixMs } from '@devmesh/contracts/ids';
import type { Disturbance, DisturbanceKind } from './disturbance.js';
import { disturb } from './faults.js';
import { violations } from './invariants.js';
import { SimMesh, START } from './mesh.js';
import type { Scenario } from './scenarios.js';
import type { BodyRun, Folded } from './witness.js';

export interface SimulatedRun {
  readonly id: RunId;
  readonly events: readonly RunEvent[];
  readonly ended: boolean;
  readonly cancelled: boolean;
}

export interface SimulationReport {
  readonly runs: readonly SimulatedRun[];
  readonly bodies: readonly BodyRun[];
  /** What broke the promises, in words; empty when they were kept. */
  readonly violations: readonly string[];
  /** The scheduler's decisions, in order. */
  readonly trace: readonly string[];
  /** What went otherwise than in a calm run: with the scenario, all that it takes to replay it. */
  readonly disturbances: readonly Disturbance[];
  /** Disturbances that happened, by kind. */
  readonly faults: Readonly<Partial<Record<DisturbanceKind, number>>>;
  readonly decisions: number;
  /** How long it took on the mesh's own clock, ms. */
  readonly elapsedMs: UnixMs;
}

/** What happens before a decision. Asked once for each, in order. */
export type Disturber = (decision: number, mesh: SimMesh, moves: number) => readonly Disturbance[];

/** Sees a run as it goes. */
export interface Observer {
  /** Before the decision, and before what is done to it. */
  decision?(mesh: SimMesh, decision: number): void;
  disturbed?(mesh: SimMesh, disturbance: Disturbance): void;
  /** Every event that is put on record, with the state before it and after. */
  readonly folded?: Folded;
}

const MAX_DECISIONS = 200_000;
/** What is still under way when all runs are over: actors that find out what they did. */
const LAST_DECISIONS = 2_000;

/** Lets everything that can go on without the scheduler go on. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Runs a mesh to the end of its runs. The same scenario and disturbances give the same report. */
export async function drive(
  scenario: Scenario,
  disturber: Disturber,
  observer: Observer = {},
): Promise<SimulationReport> {
  const mesh = new SimMesh(scenario, observer.folded);
  const happened: Disturbance[] = [];
  const faults: Partial<Record<DisturbanceKind, number>> = {};
  const most = scenario.maxDecisions ?? MAX_DECISIONS;
  let decisions = 0;
  for (; decisions < most && !mesh.isOver; decisions++) {
    await settle();
    observer.decision?.(mesh, decisions);
    let pick = 0;
    let waits = false;
    for (const disturbance of disturber(decisions, mesh, mesh.moves().length)) {
      if (!disturb(mesh, disturbance)) continue;
      observer.disturbed?.(mesh, disturbance);
      happened.push(disturbance);
      faults[disturbance.kind] = (faults[disturbance.kind] ?? 0) + 1;
      if (disturbance.kind === 'reorder') ({ pick } = disturbance);
      if (disturbance.kind === 'wait') waits = true;
    }
    if (happened.at(-1)?.at === decisions) await settle();
    const moves = waits ? [] : mesh.moves();
    const move = moves[Math.min(pick, moves.length - 1)];
    if (move) move();
    else if (!mesh.passTime()) mesh.now += 100;
    for (const id of mesh.runIds) mesh.witness.look(mesh.store, id);
  }
  const elapsedMs = mesh.now - START;
  const wasOver = mesh.isOver;
  if (wasOver) await finish(mesh);
  const runs = mesh.runIds.map((id): SimulatedRun => {
    const row = mesh.store.look(id);
    return {
      id,
      events: row?.events.map(({ event }) => event) ?? [],
      ended: row?.status === 'ended',
      cancelled: mesh.cancelled.has(id),
    };
  });
  const { graph, witness, dead } = mesh;
  const found = violations({ graph, runs, bodies: witness.bodies, commits: witness.commits, deaths: dead });
  if (!wasOver) found.push(`not over after ${decisions} decisions`);
  return {
    runs,
    bodies: witness.bodies,
    violations: [...mesh.failures, ...witness.violations, ...found],
    trace: mesh.trace,
    disturbances: happened,
    faults,
    decisions,
    elapsedMs,
  };
}

/** What is still on its way arrives when all is over, and must do no harm. */
async function finish(mesh: SimMesh): Promise<void> {
  for (let decision = 0; decision < LAST_DECISIONS; decision++) {
    await settle();
    const [move] = mesh.moves();
    if (move) move();
    else if (!mesh.passTime()) return;
  }
}

/** The given disturbances, where they stand. */
export function replaying(disturbances: readonly Disturbance[]): Disturber {
  const at = new Map<number, Disturbance[]>();
  for (const disturbance of disturbances) at.set(disturbance.at, [...(at.get(disturbance.at) ?? []), disturbance]);
  return (decision) => at.get(decision) ?? [];
}
