import type { RunEvent } from '@devmesh/contracts/event';
import { parseExecutionKey, type ExecutionKey } from '@devmesh/contracts/ids';
import type { StepDefinition } from '@devmesh/contracts/workflow';
import type { Advanced, Input } from '@devmesh/workflow/advance';
import { evolve } from '@devmesh/workflow/evolve';
import type { Graph, Loop } from '@devmesh/workflow/graph';
import type { Flaw } from '../simulator/scenarios.js';
import type { Core } from '../turn.js';
import type { SeededMutant } from './seeded-mutant.js';

type Advance = Core['advance'];

function deciding(change: (real: Advance) => Advance): Flaw {
  return { core: (core) => ({ ...core, advance: change(core.advance) }) };
}

/** Changes what the core is told. */
function hearing(change: (inputs: readonly Input[], state: Parameters<Advance>[1]) => readonly Input[]): Flaw {
  return deciding((real) => (graph, state, inputs, env) => real(graph, state, change([...inputs], state), env));
}

const deaf = (kind: Input['kind']) => hearing((inputs) => inputs.filter((input) => input.kind !== kind));

/** The core with another idea of the workflow. */
function reading(change: (graph: Graph) => Graph): Flaw {
  const read = new WeakMap<Graph, Graph>();
  return deciding((real) => (graph, ...rest) => {
    const changed = read.get(graph) ?? change(graph);
    read.set(graph, changed);
    return real(changed, ...rest);
  });
}

function steps(graph: Graph, change: (step: StepDefinition) => Partial<StepDefinition>): Graph {
  const changed = [...graph.steps].map(([id, step]) => [id, { ...step, ...change(step) }] as const);
  return { ...graph, steps: new Map(changed), derived: new Map() };
}

function loops(graph: Graph, change: (loop: Loop) => Partial<Loop>): Graph {
  return { ...graph, loops: new Map([...graph.loops].map(([id, loop]) => [id, { ...loop, ...change(loop) }])) };
}

const currentKeys = (state: Parameters<Advance>[1]): ExecutionKey[] =>
  Object.values(state.steps).flatMap(({ phase, key }) => (phase === 'running' && key !== null ? [key] : []));

function retryingAll(real: Advance): Advance {
  return (graph, state, inputs, env) => {
    const given = [...inputs];
    const patched = given.map((input): Input => {
      if (input.kind !== 'result' || input.outcome.kind !== 'failed') return input;
      return { ...input, outcome: { kind: 'failed', error: { ...input.outcome.error, retryable: true } } };
    });
    const told = new Map(given.flatMap((input) => (input.kind === 'result' ? [[input.key, input.outcome]] : [])));
    const honest = real(graph, state, patched, env).events.map((event): RunEvent => {
      const outcome = event.type === 'StepCompleted' ? told.get(event.key) : undefined;
      return event.type === 'StepCompleted' && outcome ? { ...event, outcome } : event;
    });
    return {
      events: honest,
      state: honest.reduce((folded, event) => evolve(graph, state.runId, folded, event), state),
    };
  };
}

function undoingInOrder(real: Advance): Advance {
  return (graph, state, inputs, env) => {
    const turned = real(graph, { ...state, undoable: state.undoable.toReversed() }, inputs, env);
    return { ...turned, state: { ...turned.state, undoable: turned.state.undoable.toReversed() } };
  };
}

function joiningOnSnapshots(real: Advance): Advance {
  return (graph, state, inputs, env) => {
    const all = [...inputs];
    if (all.length < 2) return real(graph, state, all, env);
    const events = all.flatMap((input) => real(graph, state, [input], env).events);
    const after = events.reduce((folded, event) => evolve(graph, state.runId, folded, event), state);
    return { state: after, events } satisfies Advanced;
  };
}

/** Ways to decide wrongly. */
export const CORE_MUTANTS: readonly SeededMutant[] = [
  {
    name: 'a resume completes all siblings with the result of one',
    flaw: hearing((inputs, state) =>
      inputs.flatMap((input) =>
        input.kind === 'result' && currentKeys(state).includes(input.key)
          ? currentKeys(state).map((key) => ({ ...input, key }))
          : [input],
      ),
    ),
    found: /its body never ran|which its body did not say/,
  },
  { name: 'a failure of the business is tried again', flaw: deciding(retryingAll), found: /which is not retryable/ },
  {
    name: 'the result of a superseded iteration is taken for the current one',
    flaw: hearing((inputs, state) =>
      inputs.map((input) => {
        if (input.kind !== 'result') return input;
        const { step } = parseExecutionKey(input.key);
        const current = state.steps[step]?.phase === 'running' ? state.steps[step].key : null;
        return current === null ? input : { ...input, key: current };
      }),
    ),
    found: /its body never ran|which its body did not say/,
  },
  {
    name: 'a join is decided on a snapshot from before the others',
    flaw: deciding(joiningOnSnapshots),
    found: /need not wait|StepScheduled for|ExecutionStopped for|StepCompleted for|RunEnded/,
  },
  { name: 'a cancel is read, and the run goes on', flaw: deaf('cancel'), found: /read a cancel and goes on/ },
  { name: 'a pause is read, and the run goes on', flaw: deaf('pause'), found: /read a pause and goes on/ },
  { name: 'a resume is read, and the run stays paused', flaw: deaf('resume'), found: /stays paused/ },
  { name: 'a verdict is read, and the run waits on', flaw: deaf('verdict'), found: /read the verdict on/ },
  {
    name: 'of several inputs one is taken in',
    flaw: hearing((inputs) => inputs.slice(0, 1)),
    found: /read the result of .*, and waits for it|read a cancel and goes on|read the verdict on/,
  },
  {
    name: 'what is gone is not replaced',
    flaw: deaf('gone'),
    found: /not over after|on record as timed out|came out as|did not end|and the core alone/,
  },
  {
    name: 'every join is taken for any',
    flaw: reading((graph) => steps(graph, () => ({ quorum: 1 }))),
    found: /was scheduled while/,
  },
  {
    name: 'every step runs whatever became of its needs',
    flaw: reading((graph) => steps(graph, () => ({ always: true }))),
    found: /was scheduled while|no branch led there/,
  },
  {
    name: 'a gate that rejects lets everything through',
    flaw: reading((graph) => steps(graph, () => ({ gate: false }))),
    found: /ended as|came out as/,
  },
  {
    name: 'a loop has no end',
    flaw: reading((graph) => loops(graph, () => ({ maxAttempts: 40 }))),
    found: /^loop /,
  },
  {
    name: 'a rework forgets what is downstream of its target',
    flaw: reading((graph) => loops(graph, ({ target, by }) => ({ closure: new Set([target, by]) }))),
    found: /was scheduled while|begun again|for step|came out as|leaves step/,
  },
  {
    name: 'attempts have no bound',
    flaw: reading((graph) => steps(graph, ({ retry }) => ({ retry: { ...retry, maxAttempts: 20 } }))),
    found: /is tried \d+ times of/,
  },
  {
    name: 'what was approved is not what is done',
    flaw: reading((graph) => steps(graph, () => ({ guardedBy: null }))),
    found: /without the consent of|came out as/,
  },
  {
    name: 'undos come in the order of the doing',
    flaw: deciding(undoingInOrder),
    found: /which was done after it/,
  },
  {
    name: 'nothing is undone',
    flaw: reading((graph) => steps(graph, () => ({ undo: null }))),
    found: /was not undone|did not end/,
  },
];
