import type { RunEvent } from '@devmesh/contracts/event';
import { executionKey, parseExecutionKey, type ExecutionKey, type RunId, type UnixMs } from '@devmesh/contracts/ids';
import type { BatchOp, BatchResult, InboxPost } from '@devmesh/contracts/state-api';
import type { Advanced, Input } from '@devmesh/workflow/advance';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { EVERYTHING, scenarioOf, SIM_WORKFLOWS, type Flaw } from './scenarios.js';
import { simulate } from './simulate.js';
import { StateStore } from './state-store.js';

type Core = typeof import('@devmesh/workflow/advance');
type Advance = Core['advance'];

// The shell takes the core by import; here a broken one may stand in its place. The witness judges with the real parts.
const broken = vi.hoisted(() => ({ advance: undefined as ((real: Advance) => Advance) | undefined }));
vi.mock(import('@devmesh/workflow/advance'), async (importReal) => {
  const real = await importReal();
  const advance: Advance = (...args) => (broken.advance ?? ((whole) => whole))(real.advance)(...args);
  return { ...real, advance };
});
const { evolve } = await import('@devmesh/workflow/evolve');

interface Mutant {
  readonly about: string;
  readonly flaw?: Flaw;
  readonly advance?: (real: Advance) => Advance;
  /** The workflow that shows it best; all of them in turn when left out. */
  readonly workflow?: keyof typeof SIM_WORKFLOWS;
  /** What it must be found by. */
  readonly found: RegExp;
}

/** A store whose operations are changed on their way in, or their answers on their way out. */
function storeWith(change: (apply: (op: BatchOp) => BatchResult, op: BatchOp, store: Leaky) => BatchResult): Flaw {
  return { store: () => new Leaky(change) };
}

class Leaky extends StateStore {
  constructor(
    private readonly change?: (apply: (op: BatchOp) => BatchResult, op: BatchOp, store: Leaky) => BatchResult,
    private readonly rowsWake = true,
  ) {
    super();
  }

  override apply(op: BatchOp, now: UnixMs): BatchResult {
    const whole = (changed: BatchOp) => super.apply(changed, now);
    return this.change ? this.change(whole, op, this) : whole(op);
  }

  override post(runId: RunId, post: InboxPost, now: UnixMs) {
    const before = this.runs.get(runId)?.wakeAt ?? null;
    const posted = super.post(runId, post, now);
    const run = this.runs.get(runId);
    if (run && !this.rowsWake) run.wakeAt = before;
    return posted;
  }

  /** Lets the run sleep as the park asked for, whatever is unread. */
  sleep(runId: RunId, wakeAt: UnixMs | null): void {
    const run = this.runs.get(runId);
    if (!run) return;
    run.wakeAt = wakeAt;
    run.inTurn = false;
  }
}

/** Changes what the core is told. */
function hearing(change: (inputs: readonly Input[], state: Parameters<Advance>[1]) => readonly Input[]) {
  return (real: Advance): Advance =>
    (graph, state, inputs, env) =>
      real(graph, state, change([...inputs], state), env);
}

let uuids = 0;
const freshId = () => `00000000-0000-4000-9000-${String(++uuids).padStart(12, '0')}`;

const currentKeys = (state: Parameters<Advance>[1]): ExecutionKey[] =>
  Object.values(state.steps).flatMap(({ phase, key }) => (phase === 'running' && key !== null ? [key] : []));

const MUTANTS: readonly Mutant[] = [
  {
    about: 'acts before it has written',
    flaw: {
      ports: (ports) => ({
        ...ports,
        state: {
          ...ports.state,
          append: (op) => {
            for (const event of op.events) {
              if (event.type !== 'StepScheduled' || event.instance === null) continue;
              const { key, action, instance, input, rework, deadlineAt } = event;
              const request = {
                key,
                action,
                instance,
                input,
                rework,
                notAfter: deadlineAt,
                epoch: op.epoch,
                acknowledge: [],
              };
              void ports.agents.execute(action.split('/')[0] ?? '', request, 0);
            }
            return ports.state.append(op);
          },
        },
      }),
    },
    found: /ran before it was scheduled on record/,
  },
  {
    about: 'takes appends of owners that have been succeeded',
    flaw: storeWith((apply, op, store) =>
      apply(op.op === 'append' ? { ...op, epoch: store.look(op.runId)?.epoch ?? op.epoch } : op),
    ),
    found: /StepCompleted for|StepScheduled for|StepReassigned for|after RunEnded|CancelRequested/,
  },
  {
    about: 'parks over unread rows',
    flaw: storeWith((apply, op, store) => {
      const result = apply(op);
      if (op.op !== 'append' || !op.park || result.result !== 'appended' || result.inbox.length === 0) return result;
      store.sleep(op.runId, op.wakeAt);
      return { ...result, inbox: [], parked: true };
    }),
    found: /has unread rows and sleeps|has not ended and has no wake time/,
  },
  {
    about: 'wakes nobody when a row arrives',
    flaw: { store: () => new Leaky(undefined, false) },
    found: /has unread rows and sleeps/,
  },
  {
    about: 'does not look the append id up',
    flaw: storeWith((apply, op) => apply(op.op === 'append' ? { ...op, appendId: freshId() } : op)),
    found: /StepCompleted for|StepScheduled for|StepReassigned for|after RunEnded|ExecutionStopped for/,
  },
  {
    about: 'hands out events without the last one',
    flaw: storeWith((apply, op) => {
      const result = apply(op);
      return result.result === 'acquired' && result.events.length > 2
        ? { ...result, events: result.events.slice(0, -1) }
        : result;
    }),
    found: /for step|StepScheduled|after RunEnded|RunEnded|a turn threw/,
  },
  {
    about: 'completes siblings with the result of one',
    advance: hearing((inputs, state) =>
      inputs.flatMap((input) =>
        input.kind === 'result' && currentKeys(state).includes(input.key)
          ? currentKeys(state).map((key) => ({ ...input, key }))
          : [input],
      ),
    ),
    found: /its body never ran|which its body did not say/,
  },
  {
    about: 'raises the attempt while the outcome is unknown',
    flaw: {
      ports: (ports) => ({
        ...ports,
        agents: {
          ...ports.agents,
          execute: async (...args) => {
            const answer = await ports.agents.execute(...args);
            const error = { code: 'unavailable', message: 'no answer', retryable: true } as const;
            return answer.kind === 'unreachable' ? { kind: 'outcome', outcome: { kind: 'failed', error } } : answer;
          },
        },
      }),
    },
    found: /its body never ran|which its body did not say/,
  },
  {
    about: 'retries a failure of the business',
    advance: (real) => (graph, state, inputs, env) => {
      const patched = [...inputs].map((input): Input => {
        if (input.kind !== 'result' || input.outcome.kind !== 'failed') return input;
        return { ...input, outcome: { kind: 'failed', error: { ...input.outcome.error, retryable: true } } };
      });
      const told = new Map(
        [...inputs].flatMap((input) => (input.kind === 'result' ? [[input.key, input.outcome]] : [])),
      );
      const { events } = real(graph, state, patched, env);
      const honest = events.map((event): RunEvent => {
        const outcome = event.type === 'StepCompleted' ? told.get(event.key) : undefined;
        return event.type === 'StepCompleted' && outcome ? { ...event, outcome } : event;
      });
      return {
        events: honest,
        state: honest.reduce((folded, event) => evolve(graph, state.runId, folded, event), state),
      };
    },
    found: /which is not retryable/,
  },
  {
    about: 'loses the second iteration: agents are asked for the first again',
    flaw: {
      ports: (ports) => ({
        ...ports,
        agents: {
          ...ports.agents,
          execute: (agent, request, waitMs) => {
            const { runId, step, attempt } = parseExecutionKey(request.key);
            return ports.agents.execute(agent, { ...request, key: executionKey(runId, step, 1, attempt) }, waitMs);
          },
        },
      }),
    },
    found: /its body never ran/,
  },
  {
    about: 'takes the result of a superseded iteration for the current one',
    workflow: 'beside',
    advance: hearing((inputs, state) =>
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
    about: 'joins on a snapshot from before: each result is decided as if the others were not there',
    advance: (real) => (graph, state, inputs, env) => {
      const all = [...inputs];
      if (all.length < 2) return real(graph, state, all, env);
      const events = all.flatMap((input) => real(graph, state, [input], env).events);
      const after = events.reduce((folded, event) => evolve(graph, state.runId, folded, event), state);
      return { state: after, events } satisfies Advanced;
    },
    found: /need not wait|StepScheduled for|ExecutionStopped for|StepCompleted for|RunEnded/,
  },
  { about: 'has agents that do not join by key', flaw: { habits: { joins: false } }, found: /and again at/ },
  {
    about: 'has agents that forget what was acknowledged',
    flaw: { habits: { remembers: false } },
    found: /after its outcome was on record|and again at/,
  },
  {
    about: 'has agents that start work after its time',
    flaw: { habits: { keepsTime: false } },
    found: /after its outcome was on record/,
  },
  {
    about: 'does not deliver cancels to agents',
    flaw: { ports: (ports) => ({ ...ports, agents: { ...ports.agents, cancel: () => Promise.resolve(true) } }) },
    found: /on record as stopped, and is at work/,
  },
  {
    about: 'reads a cancel and goes on',
    advance: hearing((inputs) => inputs.filter(({ kind }) => kind !== 'cancel')),
    found: /read a cancel and goes on/,
  },
  {
    about: 'takes in one of several inputs',
    advance: hearing((inputs) => inputs.slice(0, 1)),
    found: /read the result of .*, and waits for it|read a cancel and goes on/,
  },
  {
    about: 'goes to another incarnation without saying so',
    flaw: {
      ports: (ports) => ({
        ...ports,
        agents: {
          ...ports.agents,
          execute: (agent, request, waitMs) =>
            ports.agents.execute(
              agent,
              { ...request, instance: ports.agents.instances(agent)[0] ?? request.instance },
              waitMs,
            ),
        },
      }),
    },
    found: /which was never on record for it/,
  },
  {
    about: 'sleeps too long',
    flaw: {
      ports: (ports) => ({
        ...ports,
        state: {
          ...ports.state,
          append: (op) =>
            ports.state.append(op.park && op.wakeAt !== null ? { ...op, wakeAt: op.wakeAt + 3600_000 } : op),
        },
      }),
    },
    found: /sleeps past its next timer|sleeps longer than/,
  },
];

/** Most seeds that it may take to find a mutant. */
const SEEDS = 150;

describe('the simulator finds a mesh that', () => {
  afterEach(() => {
    broken.advance = undefined;
  });

  it.each(MUTANTS)(
    '$about',
    async ({ flaw, advance, workflow, found }) => {
      broken.advance = advance;
      const seen = new Set<string>();
      for (let seed = 1; seed <= SEEDS; seed++) {
        const change = { ...(flaw ? { flaw } : {}), ...(workflow ? { workflow: SIM_WORKFLOWS[workflow] } : {}) };
        const { violations } = await simulate(scenarioOf(seed, EVERYTHING, { ...change, maxDecisions: 4000 }));
        for (const violation of violations) seen.add(violation);
        if (violations.some((violation) => found.test(violation))) return;
      }
      expect.fail(`not found in ${SEEDS} seeds; seen was:\n${[...seen].slice(0, 10).join('\n')}`);
    },
    60_000,
  );
});
