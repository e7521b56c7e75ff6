import type { RunEvent } from '@devmesh/contracts/event';
import type { ExecutionKey, StepId, UnixMs } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import type { Outcome } from '@devmesh/contracts/outcome';
import fc from 'fast-check';
import { advance, nextTimer, start, type Input } from '../advance.js';
import { definitionOf, graphOf, type Graph } from '../graph.js';
import { parseWorkflow } from '../parse.js';
import type { RunState } from '../state.js';
import { approved, CATALOGUE, created, environment, failed, ok, rejected, RUN, T0 } from './fixtures.js';

const often = <T>(usual: T, now: T) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constant(now) });
const BranchKind = fc.oneof(
  { weight: 4, arbitrary: fc.constant('goto' as const) },
  { weight: 4, arbitrary: fc.constant('rework' as const) },
  { weight: 2, arbitrary: fc.constant('log_and_notify' as const) },
  { weight: 2, arbitrary: fc.constant('fail' as const) },
);

/** What a generated step is made of; numbers name other steps, modulo how many there are on that side. */
const Shape = fc.record({
  needs: fc.array(fc.nat(6), { minLength: 1, maxLength: 2 }),
  isRoot: often(false, true),
  always: often(false, true),
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('worker' as const, 'judge' as const) },
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        'actor' as const,
        'approval' as const,
        'group' as const,
        'items' as const,
        'items' as const,
      ),
    },
  ),
  join: often('all', 'any'),
  cancelsLosers: fc.boolean(),
  when: often(0, 1),
  undoes: fc.boolean(),
  priority: fc.integer({ min: 0, max: 2 }),
  attempts: fc.integer({ min: 1, max: 3 }),
  on: fc.dictionary(
    fc.constantFrom('on_success', 'on_failure', 'on_failure', 'on_approval', 'on_rejection', 'on_rejection'),
    fc.array(BranchKind, { minLength: 1, maxLength: 2 }),
    { minKeys: 1, maxKeys: 2 },
  ),
  target: fc.nat(6),
  rounds: fc.integer({ min: 1, max: 3 }),
});
type Shape = typeof Shape extends fc.Arbitrary<infer T> ? T : never;

const nameOf = (index: number): StepId => `s${index}`;

/** A workflow that others run: one step that works, and one that judges and sends back. */
const GROUP = JSON.stringify({
  name: 'group',
  finish: false,
  steps: [
    { id: 'work', action: 'actor/act', undo: { action: 'actor/undo', with: { of: '${{ output.note }}' } } },
    {
      id: 'judge',
      action: 'judge/act',
      needs: 'work',
      with: { what: '${{ inputs.what }}', of: '${{ steps.work.output.note }}' },
      on_rejection: { action: 'retry', target: 'work', max_attempts: 1 },
    },
  ],
});

/** Steps as they are written: needs and rework point back, goto branches point on, so there is no cycle. */
function written(shapes: readonly Shape[]): JsonObject[] {
  const before = new Map<StepId, StepId[]>();
  return shapes.map((shape, index) => {
    const isFirst = index === 0 || shape.isRoot;
    const needs = isFirst ? [] : [...new Set(shape.needs.map((need) => nameOf(need % index)))];
    const upstream = [...new Set(needs.flatMap((need) => [...(before.get(need) ?? []), need]))];
    before.set(nameOf(index), upstream);
    const on: Record<string, JsonObject[string]> = {};
    for (const [event, kinds] of Object.entries(shape.on)) {
      const judges = shape.kind === 'judge' || shape.kind === 'approval' || shape.kind === 'group';
      if (!judges && (event === 'on_approval' || event === 'on_rejection')) continue;
      const branches = [...new Set(kinds)].flatMap((kind): JsonObject[string][] => {
        const after = shapes.length - index - 1;
        if (kind === 'goto') return after > 0 ? [nameOf(index + 1 + (shape.target % after))] : [];
        if (kind !== 'rework') return [kind];
        if (event === 'on_success' || event === 'on_approval') return [];
        const target = upstream[shape.target % Math.max(1, upstream.length)] ?? nameOf(index);
        return [{ action: 'retry', target, max_attempts: shape.rounds }];
      });
      if (branches.length > 0) on[event] = branches;
    }
    const need = needs[0];
    const common: JsonObject = {
      id: nameOf(index),
      needs,
      always: shape.always,
      priority: shape.priority,
      ...(shape.join === 'any' && needs.length > 1
        ? { join: 'any', ...(shape.cancelsLosers ? { losers: 'cancel' } : {}) }
        : {}),
      ...(shape.when === 1 && need !== undefined
        ? { when: `steps.${need}.status != "rejected" || ${shape.undoes}` }
        : {}),
      ...on,
    };
    const retry = { max_attempts: shape.attempts, initial_delay: '1s' };
    const fallback = shape.undoes ? { fallback: { output: { note: 'none', items: [] } } } : {};
    const undo = shape.undoes ? { undo: { action: 'actor/undo', with: { of: '${{ output.note }}' } } } : {};
    switch (shape.kind) {
      case 'approval':
        return {
          ...common,
          approval: {
            deadline: '30s',
            remind_after: '10s',
            escalate_after: '20s',
            on_expiry: shape.undoes ? 'fail' : 'reject',
          },
        };
      case 'group':
        return { ...common, workflow: 'group', with: { what: 'it' } };
      case 'items':
        return need === undefined
          ? { ...common, action: 'worker/act', retry, ...fallback }
          : {
              ...common,
              action: 'actor/act',
              with: { item: '${{ item }}' },
              for_each: { items: `\${{ steps.${need}.output.items }}`, max_parallel: 2 },
              retry,
              ...undo,
            };
      default:
        return { ...common, action: `${shape.kind}/act`, retry, ...undo };
    }
  });
}

const Whole = fc.record(
  {
    timeout: fc.constantFrom('20s', '2m'),
    max_parallel_agents: fc.integer({ min: 1, max: 2 }),
    allow_partial_completion: fc.constant(true),
  },
  { requiredKeys: [] },
);

/** Valid workflows with all that a workflow may have, of one to seven steps. */
export const randomGraph: fc.Arbitrary<Graph> = fc
  .tuple(fc.array(Shape, { minLength: 1, maxLength: 7, size: 'max' }), Whole)
  .map(([shapes, whole]) => {
    const source = JSON.stringify({ name: 'random', ...whole, steps: written(shapes) });
    return parseWorkflow(source, CATALOGUE, (name) => (name === 'group' ? GROUP : undefined)).workflow;
  })
  .filter((workflow) => workflow !== null)
  .map((workflow) => graphOf(workflow));

/** Choices of whoever plays against the core; when they run out, everything goes well. */
export const randomChoices = fc.array(fc.nat(999), { maxLength: 150, size: 'max' });

/** One call of `advance`, to be looked at afterwards. */
export interface Turn {
  readonly before: RunState;
  readonly inputs: readonly Input[];
  readonly now: UnixMs;
  readonly instances: readonly string[];
  readonly after: RunState;
  readonly events: readonly RunEvent[];
}

export interface PlayedRun {
  readonly graph: Graph;
  readonly events: readonly RunEvent[];
  readonly turns: readonly Turn[];
  readonly end: RunState;
  readonly over: boolean;
}

const OUTCOMES: readonly Outcome[] = [
  ok({ note: 'done', items: [1, 2, 3] }),
  ok({ note: 'done', items: [] }),
  approved({ items: ['a', 'b'] }),
  approved({ items: [{ deep: 1 }] }),
  rejected({ note: 'again' }),
  rejected({ note: 'again' }),
  failed(true),
  failed(false),
  { kind: 'timed_out' },
  { kind: 'lost', message: 'who knows' },
  { kind: 'cancelled' },
];
const MAX_TURNS = 3000;

/**
 * Plays a run to its end against the choices: results one by one or together in any order, twice, late, of keys that no
 * longer count; instances that come and go; timers; cancels. `advance` is strict: an event out of order throws.
 */
export function playRandomly(graph: Graph, choices: readonly number[]): PlayedRun {
  const env = environment(T0, ['i1', 'i2']);
  const first = start(graph, RUN, created(), env);
  // What a create leaves to the first turn.
  const { state, events } = advance(graph, first.state, [], env);
  return playOn(graph, state, [...first.events, ...events], choices);
}

/** As `playRandomly`, from a state that these events led to. */
export function playOn(
  graph: Graph,
  begun: RunState,
  before: readonly RunEvent[],
  choices: readonly number[],
): PlayedRun {
  const left = [...choices];
  const choose = (below: number): number => (left.shift() ?? 0) % below;
  let instances: readonly string[] = ['i1', 'i2'];
  let now = begun.createdAt;
  let state = begun;
  const events = [...before];
  const turns: Turn[] = [];
  const old: ExecutionKey[] = [];

  const result = (id: StepId, key: ExecutionKey): Input => {
    const going = left.length > 0;
    const gate = definitionOf(graph, id)?.gate ?? false;
    const outcome = going ? OUTCOMES[choose(OUTCOMES.length)] : undefined;
    return { kind: 'result', key, outcome: outcome ?? (gate ? approved() : ok({ items: ['x'] })) };
  };

  const verdict = (): Input | undefined => {
    const asked = Object.values(state.steps).flatMap(({ approval }) => approval ?? []);
    const one = asked[choose(Math.max(1, asked.length))];
    const given = choose(3) === 1 ? 'rejected' : 'approved';
    return one && { kind: 'verdict', approvalId: one.id, verdict: given, by: 'me', comment: '' };
  };

  const inputs = (): Input[] => {
    const running = Object.entries(state.steps).flatMap(([id, { phase, key, instance }]) =>
      phase === 'running' && key !== null ? [{ id, key, instance }] : [],
    );
    const one = running[choose(Math.max(1, running.length))];
    if (left.length === 0 && state.paused) return [{ kind: 'resume', by: 'me' }];
    switch (left.length === 0 ? 0 : choose(20)) {
      case 16:
        return state.paused ? [{ kind: 'resume', by: 'me' }] : [{ kind: 'pause', by: 'me', reason: '' }];
      case 17:
      case 18: {
        const said = verdict();
        return said ? (choose(4) === 0 ? [said, said] : [said]) : [];
      }
      case 1:
      case 2: {
        const some = running.filter(() => choose(3) > 0).map(({ id, key }) => result(id, key));
        return choose(2) === 0 ? some : some.reverse();
      }
      case 3: {
        const key = old[choose(Math.max(1, old.length))];
        return key === undefined ? [] : [{ kind: 'result', key, outcome: OUTCOMES[choose(OUTCOMES.length)] ?? ok() }];
      }
      case 4:
        return one ? [result(one.id, one.key), result(one.id, one.key)] : [];
      case 5:
      case 6:
        return one ? [{ kind: 'gone', key: one.key, instance: one.instance ?? 'i1' }] : [];
      case 7:
        instances = [['i1', 'i2'], ['i2'], [], ['i3', 'i1']][choose(4)] ?? [];
        return [];
      case 8: {
        const some = one ? [result(one.id, one.key)] : [];
        return choose(6) === 0 ? [...some, { kind: 'cancel', by: 'me', reason: '' }] : some;
      }
      case 9: {
        const stopping = state.stopping[0];
        return stopping ? [{ kind: 'stopped', key: stopping.key }] : [{ kind: 'wake' }];
      }
      case 10:
      case 11: {
        now = Math.max(now, nextTimer(graph, state) ?? now) + choose(3) * 500;
        return [];
      }
      default: {
        if (one) return [result(one.id, one.key)];
        const said = choose(3) === 0 ? verdict() : undefined;
        if (said) return [said];
        if (state.stopping[0] && choose(2) === 0) return [{ kind: 'stopped', key: state.stopping[0].key }];
        now = Math.max(now, nextTimer(graph, state) ?? now);
        return [];
      }
    }
  };

  const isOver = () => state.ended !== null && state.stopping.length === 0;
  while (!isOver() && turns.length < MAX_TURNS) {
    if (left.length === 0) instances = ['i1', 'i2'];
    const taken = inputs();
    for (const { key } of Object.values(state.steps)) if (key !== null && !old.includes(key)) old.push(key);
    const { state: after, events: made } = advance(graph, state, taken, environment(now, instances));
    turns.push({ before: state, inputs: taken, now, instances, after, events: made });
    events.push(...made);
    state = after;
  }
  return { graph, events, turns, end: state, over: isOver() };
}
