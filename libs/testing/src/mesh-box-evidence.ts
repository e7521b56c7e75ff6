import type { StoredEvent } from '@devmesh/contracts/event';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import { violations } from '@devmesh/engine/simulator/invariants';
import { fold } from '@devmesh/workflow/evolve';
import type { Graph } from '@devmesh/workflow/graph';

/** One run of an action's body, as its file has it. */
export interface Body {
  readonly key: string;
  readonly incarnation: string;
  readonly pid: number;
}

/** A run as the state service and the database tell it. */
export interface RunEvidence {
  readonly id: RunId;
  readonly workflow: Digest;
  readonly graph: Graph;
  readonly events: readonly StoredEvent[];
  /** From its row: status, rows of the inbox that nobody read, and when it is to be looked at again. */
  readonly status: string;
  readonly unread: number;
  readonly wakeAt: string | null;
  /** How often it was acquired. */
  readonly epoch: number;
}

export interface Evidence {
  readonly runs: readonly RunEvidence[];
  readonly bodies: readonly Body[];
  /** Processes of agents that were killed, with the number of bodies that had run by then. */
  readonly deaths: ReadonlyMap<number, number>;
}

/** The lines of a bodies file; a last line that was cut off by its writer's death does not count. */
export function readBodies(text: string): Body[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [key = '', incarnation = '', pid = '0'] = line.split(' ');
      return { key, incarnation, pid: Number(pid) };
    });
}

/** Every promise of docs/engine.md that the evidence breaks, in words: by the judge of the simulator, and what only real processes have. */
export function broken({ runs, bodies, deaths }: Evidence): string[] {
  const found: string[] = [];
  const graphs = new Map(runs.map(({ workflow, graph }) => [workflow, graph]));
  for (const [workflow, graph] of graphs) {
    const mine = runs.filter((run) => run.workflow === workflow);
    const ids = new Set(mine.map(({ id }) => id));
    found.push(
      ...violations({
        graph,
        runs: mine.map(({ id, events, status }) => ({
          id,
          events: events.map(({ event }) => event),
          ended: status === 'ended',
          cancelled: false,
        })),
        bodies: bodies
          .map(({ key, pid }, at) => ({ key, instance: String(pid), at }))
          .filter(({ key }) => ids.has(key.split('/')[0] ?? '')),
        // Which of a commit and a body was first is not on record: real processes have no common clock.
        commits: [],
        deaths: new Map([...deaths].map(([pid, at]) => [String(pid), { agent: 'noop', at }])),
      }),
    );
  }
  const ran = new Set(bodies.map(({ key }) => key));
  for (const { id, events, unread, wakeAt } of runs) {
    if (unread > 0) found.push(`run ${id} has ${unread} unread rows in its inbox`);
    if (wakeAt !== null) found.push(`run ${id} is still to be looked at, at ${wakeAt}`);
    events.forEach(({ seq, event }, at) => {
      if (seq !== at + 1) found.push(`event ${at + 1} of run ${id} has the number ${seq}`);
      if (event.type !== 'StepCompleted') return;
      const { kind } = event.outcome;
      if ((kind === 'succeeded' || kind === 'failed') && !ran.has(event.key))
        found.push(`${event.key} ${kind}, and its body never ran`);
    });
  }
  return found;
}

/** What became of a run, in what must not depend on crashes: its verdict, and of each step phase, iteration, attempt and verdict. */
export function fateOf({ id, graph, events }: RunEvidence): unknown {
  const state = fold(
    graph,
    id,
    null,
    events.map(({ event }) => event),
  );
  return {
    verdict: state.ended?.verdict ?? null,
    steps: Object.fromEntries(
      Object.entries(state.steps).map(([step, { phase, iteration, attempt, outcome }]) => [
        step,
        [phase, iteration, attempt, outcome?.kind ?? null],
      ]),
    ),
  };
}
