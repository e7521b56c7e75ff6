import type { StoredEvent } from '@devmesh/contracts/event';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import { apply, fold } from '@devmesh/workflow/evolve';
import type { Graph } from '@devmesh/workflow/graph';
import type { RunState } from '@devmesh/workflow/state';

/** One run of an action's body, as its file has it. */
export interface Body {
  readonly key: string;
  readonly incarnation: string;
  readonly pid: number;
  /** Its place among all bodies of the box, from 0. */
  readonly at: number;
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
    .map((line, at) => {
      const [key = '', incarnation = '', pid = '0'] = line.split(' ');
      return { key, incarnation, pid: Number(pid), at };
    });
}

/** Every promise of docs/engine.md that the evidence breaks, in words. Knows nothing of the simulator's judge: two see more than one. */
export function broken({ runs, bodies, deaths }: Evidence): string[] {
  const ran = new Set(bodies.map(({ key }) => key));
  return [
    ...runs.flatMap((run) => [...unfinished(run), ...illegal(run), ...tooEarly(run), ...unfounded(run, ran)]),
    ...ranTwice(bodies, deaths),
  ];
}

/** A body runs again only after the process that ran it is dead. */
function ranTwice(bodies: readonly Body[], deaths: Evidence['deaths']): string[] {
  const found: string[] = [];
  const last = new Map<string, Body>();
  for (const body of bodies) {
    const before = last.get(body.key);
    last.set(body.key, body);
    if (before === undefined) continue;
    const died = deaths.get(before.pid);
    if (died === undefined || died > body.at)
      found.push(`${body.key} ran at ${before.pid}, and again at ${body.pid} while that was alive`);
  }
  return found;
}

function unfinished({ id, status, unread, wakeAt }: RunEvidence): string[] {
  const found: string[] = [];
  if (status !== 'ended') found.push(`run ${id} did not end: it is ${status}`);
  if (unread > 0) found.push(`run ${id} has ${unread} unread rows in its inbox`);
  if (wakeAt !== null) found.push(`run ${id} is still to be looked at, at ${wakeAt}`);
  return found;
}

/** The events obey the transition table, and their numbers have no gap. */
function illegal({ id, graph, events }: RunEvidence): string[] {
  const gap = events.findIndex(({ seq }, at) => seq !== at + 1);
  if (gap >= 0) return [`event ${gap + 1} of run ${id} has the number ${events[gap]?.seq}`];
  let state: RunState | null = null;
  for (const { event } of events) {
    try {
      state = apply(graph, id, state, event);
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }
  return [];
}

/** A step is scheduled once a key, and after everything that it needs succeeded in the iteration that counts. */
function tooEarly({ graph, events }: RunEvidence): string[] {
  const found: string[] = [];
  const settled = new Map<string, string>();
  const keys = new Set<string>();
  for (const { event } of events) {
    if (event.type === 'StepSettled') settled.set(event.step, event.as);
    else if (event.type === 'ReworkStarted') for (const { step } of event.reset) settled.delete(step);
    else if (event.type === 'StepScheduled') {
      if (keys.has(event.key)) found.push(`${event.key} was scheduled twice`);
      keys.add(event.key);
      for (const need of graph.steps.get(event.step)?.needs ?? []) {
        const as = settled.get(need) ?? 'not settled';
        if (as !== 'succeeded') found.push(`${event.key} was scheduled while ${need} was ${as}`);
      }
    }
  }
  return found;
}

/** What the action itself answered, its body has done. */
function unfounded({ events }: RunEvidence, ran: ReadonlySet<string>): string[] {
  return events.flatMap(({ event }) => {
    if (event.type !== 'StepCompleted' || ran.has(event.key)) return [];
    const { kind } = event.outcome;
    return kind === 'succeeded' || kind === 'failed' ? [`${event.key} ${kind}, and its body never ran`] : [];
  });
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
