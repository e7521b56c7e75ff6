import type { EventOf, RunEvent } from '@devmesh/contracts/event';
import type { AgentName, ExecutionKey, RunId, UnixMs } from '@devmesh/contracts/ids';
import { advance, commandsOf, nextTimer, start, type Command, type Input } from '@devmesh/workflow/advance';
import { fold } from '@devmesh/workflow/evolve';
import { forkOf } from '@devmesh/workflow/fork';
import { graphOf, type Graph } from '@devmesh/workflow/graph';
import type { RunState } from '@devmesh/workflow/state';
import type { Disturbance, DisturbanceKind } from '../simulator/disturbance.js';
import type { SimulationReport } from '../simulator/drive.js';
import type { Scenario } from '../simulator/scenarios.js';

/** How a run comes out: what must not depend on what went wrong on the way. */
export interface Fate {
  readonly verdict: string;
  /** Phase, iteration, attempt and outcome of each step. */
  readonly steps: Readonly<Record<string, string>>;
  /** How long it took, ms. */
  readonly elapsedMs: number;
}

const START = 1_000_000;
const MOST_STEPS = 5_000;

export function fateOf(state: RunState): Fate {
  const steps = Object.entries(state.steps).map(([id, { phase, iteration, attempt, outcome }]) => {
    const verdict = outcome?.kind === 'succeeded' ? (outcome.verdict ?? '') : '';
    return [id, `${phase} ${iteration}.${attempt} ${outcome?.kind ?? '-'} ${verdict}`.trim()] as const;
  });
  return {
    verdict: state.ended?.verdict ?? 'not ended',
    steps: Object.fromEntries(steps),
    elapsedMs: (state.ended?.at ?? state.createdAt) - state.createdAt,
  };
}

/** The core alone, with agents that answer on time and nothing between it and them: what a run should come to. */
class Reference {
  private now: UnixMs = START;
  private readonly under = new Map<ExecutionKey, { readonly at: UnixMs; readonly input: Input }>();
  private readonly asked = new Map<string, { readonly at: UnixMs; readonly input: Input } | null>();
  private readonly graph: Graph;

  constructor(private readonly scenario: Scenario) {
    this.graph = graphOf(scenario.workflow);
  }

  run(runId: RunId): RunState {
    const { graph } = this;
    const env = () => ({ now: this.now, instances: (agent: AgentName) => [`${agent}#1`] });
    const first = start(graph, runId, created(this.scenario, this.now), env(), this.scenario.inherited);
    // What a create leaves to the first turn.
    let { state } = advance(graph, first.state, [], env());
    for (let step = 0; step < MOST_STEPS && !state.ended; step++) {
      for (const command of commandsOf(graph, state)) this.send(command);
      this.ask(state);
      const inputs = this.due();
      if (inputs.length === 0) {
        const next = Math.min(...this.times(), nextTimer(graph, state) ?? Infinity);
        if (next === Infinity) break;
        this.now = Math.max(this.now, next);
      }
      ({ state } = advance(graph, state, inputs.length > 0 ? inputs : this.due(), env()));
    }
    return state;
  }

  private send(command: Command): void {
    const { key } = command;
    const known = this.under.get(key);
    if (command.kind === 'cancel') {
      this.under.set(key, { at: this.now, input: { kind: 'stopped', key } });
    } else if (!known) {
      const { action, instance, input, rework, notAfter } = command;
      const request = { key, action, epoch: 1, instance, notAfter, input, rework, acknowledge: [] };
      const { outcome, takesMs } = this.scenario.script(request);
      if (this.now + takesMs < notAfter)
        this.under.set(key, { at: this.now + takesMs, input: { kind: 'result', key, outcome } });
    }
  }

  private ask(state: RunState): void {
    for (const { approval } of Object.values(state.steps)) {
      if (!approval || this.asked.has(approval.id)) continue;
      const said = this.scenario.people({
        id: approval.id,
        runId: state.runId,
        withinMs: approval.expiresAt - this.now,
      });
      const input = said && {
        kind: 'verdict' as const,
        approvalId: approval.id,
        verdict: said.verdict,
        by: 'ann',
        comment: '',
      };
      this.asked.set(approval.id, said && input ? { at: this.now + said.takesMs, input } : null);
    }
  }

  private times(): UnixMs[] {
    return [...this.under.values(), ...this.asked.values()].flatMap((each) => (each ? [each.at] : []));
  }

  private due(): Input[] {
    const found: Input[] = [];
    for (const [key, { at, input }] of this.under) {
      if (at > this.now) continue;
      found.push(input);
      this.under.set(key, { at: Infinity, input });
    }
    for (const [id, each] of this.asked) {
      if (!each || each.at > this.now) continue;
      found.push(each.input);
      this.asked.set(id, null);
    }
    return found;
  }
}

function created({ workflow }: Scenario, at: UnixMs): Extract<RunEvent, { type: 'RunCreated' }> {
  return {
    type: 'RunCreated',
    at,
    workflow: { name: workflow.name, digest: 'a'.repeat(64) },
    task: 'simulate',
    repository: null,
    requestedBy: 'simulator',
    plan: null,
    traceparent: null,
  };
}

/** A calm run may take so much longer than the core alone: turns, waits and the way to the inbox, ms. */
const SLACK_MS = 5_000;
/** What a single crash may cost besides: until its lease is over, and what has to be done again, ms. */
const COSTS: Readonly<Partial<Record<DisturbanceKind, number>>> = {
  crash: 5_000,
  loss: 20_000,
  duplicate: 5_000,
  freeze: 15_000,
  agentCrash: 20_000,
};

/** How long a run may take that was disturbed like that, beyond what the core alone takes, ms; null: no bound is told. */
function allowance(disturbances: readonly Disturbance[], longestBodyMs: number): number | null {
  let total = SLACK_MS;
  for (const disturbance of disturbances) {
    const cost = COSTS[disturbance.kind];
    if (cost === undefined || disturbances.length > 1) return null;
    total += cost + longestBodyMs + ('ms' in disturbance ? disturbance.ms : 0);
  }
  return total;
}

/** Whether the end of a run depends on which of two things came first. */
function isOrderFree({ workflow, steps, loops }: Graph): boolean {
  if (workflow.timeoutMs !== null || loops.size > 1) return false;
  return [...steps.values()].every(
    ({ quorum, on }) =>
      quorum === null && !Object.values(on).some((branches) => branches.some(({ kind }) => kind === 'fail')),
  );
}

/** What time did, or people: after these a run may come out otherwise. */
function isDecidedByTime(event: RunEvent): boolean {
  switch (event.type) {
    case 'CancelRequested':
    case 'ApprovalExpired':
    case 'RunTimedOut':
      return true;
    case 'StepCompleted':
      return event.outcome.kind === 'timed_out' || event.outcome.kind === 'lost' || event.outcome.kind === 'cancelled';
    default:
      return false;
  }
}

/** Holds runs against what the core alone comes to. Keeps the fate of each scenario. */
export class Judge {
  private readonly fates = new WeakMap<Scenario['script'], Map<RunId, Fate>>();

  /** In words, what came out otherwise than it should. */
  readonly judge = (scenario: Scenario, report: SimulationReport): readonly string[] => {
    const graph = graphOf(scenario.workflow);
    const isCalm = report.disturbances.length === 0;
    const orderFree = isOrderFree(graph);
    const isTimed = isCalm || scenario.racesTime !== true;
    const allowed = isTimed ? allowance(report.disturbances, scenario.longestBodyMs ?? Infinity) : null;
    if (!orderFree && allowed === null) return [];
    return report.runs.flatMap(({ id, events }) => {
      const expected = this.fate(scenario, id);
      const state = fold(graph, id, null, events);
      const fate = fateOf(state);
      const late =
        allowed !== null && fate.elapsedMs > expected.elapsedMs + allowed
          ? [`run ${id} took ${fate.elapsedMs} ms, and the core alone ${expected.elapsedMs}`]
          : [];
      if (!orderFree || scenario.racesTime === true || (!isCalm && events.some(isDecidedByTime))) return late;
      return [...late, ...differences(id, expected, fate)];
    });
  };

  private fate(scenario: Scenario, id: RunId): Fate {
    const known = this.fates.get(scenario.script) ?? new Map<RunId, Fate>();
    this.fates.set(scenario.script, known);
    const fate = known.get(id) ?? fateOf(new Reference(scenario).run(id));
    known.set(id, fate);
    return fate;
  }
}

/** What a run begins with that does again what a run of the core alone did, all but its first step. */
export function inheritedBy(scenario: Scenario): EventOf<'StepsInherited'> | undefined {
  const graph = graphOf(scenario.workflow);
  const state = new Reference(scenario).run('00000000-0000-7000-8000-000000000000');
  const second = (graph.successors.get(graph.order[0] ?? '') ?? [])[0];
  if (second === undefined) return undefined;
  const source = { created: created(scenario, START), state, at: 1 };
  const request = {
    kind: 'fork',
    from: second,
    input: null,
    now: START,
    requestedBy: 'ann',
    traceparent: null,
  } as const;
  const fork = forkOf(graph, source, request);
  return 'refused' in fork ? undefined : (fork.inherited ?? undefined);
}

function differences(id: RunId, expected: Fate, fate: Fate): string[] {
  const found =
    expected.verdict === fate.verdict ? [] : [`run ${id} ended as ${fate.verdict}, and not as ${expected.verdict}`];
  for (const step of new Set([...Object.keys(expected.steps), ...Object.keys(fate.steps)])) {
    const [one, other] = [expected.steps[step] ?? 'not there', fate.steps[step] ?? 'not there'];
    if (one !== other) found.push(`step ${step} of run ${id} came out as ${other}, and not as ${one}`);
  }
  return found;
}
