import type { ApprovalRef } from '@devmesh/contracts/approval';
import type { InboxMessage, ReworkNote, RunEvent } from '@devmesh/contracts/event';
import { parseExecutionKey } from '@devmesh/contracts/ids';
import type { ActionId, ExecutionKey, InstanceId, RunId, StepId, UnixMs } from '@devmesh/contracts/ids';
import type { JsonObject } from '@devmesh/contracts/json';
import { outcomeOfVerdict } from './approvals.js';
import { decide, judged } from './decide.js';
import type { Environment } from './environment.js';
import { apply } from './evolve.js';
import { definitionOf, undoIdOf, type Graph } from './graph.js';
import { hasRoom, stepIds } from './readiness.js';
import { isAborting, type RunState } from './state.js';

/** What a turn learns: rows of the inbox, and what its dispatches came to. */
export type Input =
  | InboxMessage
  /** This incarnation is no more, or refused before it started anything: another must be found. */
  | { readonly kind: 'gone'; readonly key: ExecutionKey; readonly instance: InstanceId }
  /** The agent confirmed that the execution is over. */
  | { readonly kind: 'stopped'; readonly key: ExecutionKey };

export interface Advanced {
  readonly state: RunState;
  readonly events: readonly RunEvent[];
}

/** The step whose current execution has this key. */
function stepWithKey(state: RunState, key: ExecutionKey): StepId | undefined {
  const id = parseExecutionKey(key).step;
  const step = state.steps[id];
  return step?.phase === 'running' && step.key === key ? id : undefined;
}

/** The events that an input makes by itself; none for what is superseded, known or of no concern any more. */
function absorb(graph: Graph, state: RunState, input: Input, env: Environment): RunEvent[] {
  switch (input.kind) {
    case 'wake':
      return [];
    case 'cancel':
      return state.ended || state.cancel
        ? []
        : [{ type: 'CancelRequested', at: env.now, by: input.by, reason: input.reason }];
    case 'pause':
      return state.ended || state.paused || isAborting(state)
        ? []
        : [{ type: 'RunPaused', at: env.now, by: input.by, reason: input.reason }];
    case 'resume':
      return state.ended || !state.paused ? [] : [{ type: 'RunResumed', at: env.now, by: input.by }];
    case 'verdict': {
      const asking = Object.entries(state.steps).find(([, step]) => step.approval?.id === input.approvalId);
      const request = asking?.[1].approval;
      if (!asking || !request || state.ended) return [];
      const [step, { iteration }] = asking;
      const outcome = outcomeOfVerdict(request, input);
      const { approvalId, by } = input;
      return [{ type: 'ApprovalDecided', at: env.now, step, iteration, approvalId, by, outcome }];
    }
    case 'result': {
      // `cancelled` says that it was told to stop; that its code has stopped, the answer to the cancel says.
      const stopped = input.outcome.kind === 'cancelled' ? [] : stoppedEvents(state, input.key, env.now);
      const step = stepWithKey(state, input.key);
      if (step === undefined || state.ended) return stopped;
      const outcome = judged(definitionOf(graph, step), input.outcome);
      return [{ type: 'StepCompleted', at: env.now, step, key: input.key, outcome }];
    }
    case 'stopped':
      return stoppedEvents(state, input.key, env.now);
    case 'gone': {
      const stopped = stoppedEvents(state, input.key, env.now);
      const step = stepWithKey(state, input.key);
      if (step === undefined || state.ended || state.steps[step]?.instance !== input.instance) return stopped;
      const agent = definitionOf(graph, step)?.agent ?? '';
      const instances = env.instances(agent);
      const instance = instances.find((other) => other !== input.instance) ?? null;
      // It is the only one there, so it is asked again after a short wait; putting that on record would tell nothing.
      if (instance === null && instances.length > 0) return [];
      return [{ type: 'StepReassigned', at: env.now, step, key: input.key, instance }];
    }
  }
}

function stoppedEvents(state: RunState, key: ExecutionKey, now: UnixMs): RunEvent[] {
  return state.stopping.some((entry) => entry.key === key) ? [{ type: 'ExecutionStopped', at: now, key }] : [];
}

// A verdict is not among them: it was given in time, so it comes before what the clock would decide now (C16).
const SAID: ReadonlySet<Input['kind']> = new Set(['cancel', 'pause', 'resume'] as const);

/** More decisions than this in one go is a bug: the largest workflow settles in fewer. */
const MAX_DECISIONS = 10_000;

/**
 * One step of the engine: takes the inputs in, in their order, then decides until nothing follows. Throws
 * `IllegalTransition` when an event breaks the transition table, which is a bug.
 */
export function advance(graph: Graph, state: RunState, inputs: Iterable<Input>, env: Environment): Advanced {
  const events: RunEvent[] = [];
  let current = state;
  const take = (made: readonly RunEvent[]) => {
    for (const event of made) {
      current = apply(graph, state.runId, current, event);
      events.push(event);
    }
  };
  const all = [...inputs];
  const decideAll = (taken: number) => {
    // A verdict that is still to be taken in came before the clock: what it decides does not expire.
    const coming = all.slice(taken).flatMap((input) => (input.kind === 'verdict' ? [input.approvalId] : []));
    const now = coming.length === 0 ? env : { ...env, coming };
    for (let count = 0; count <= MAX_DECISIONS; count++) {
      const made = decide(graph, current, now);
      if (made.length === 0) return;
      take(made);
    }
    throw new Error(`run ${state.runId}: more than ${MAX_DECISIONS} decisions in one go`);
  };
  for (const [index, input] of all.entries()) {
    // What people say of the whole run has its place among the others, however they were gathered: what came before it has its consequences,
    // and what comes after it finds them (docs/engine.md, C12).
    const isSaid = SAID.has(input.kind);
    if (isSaid) decideAll(index);
    take(absorb(graph, current, input, env));
    if (isSaid) decideAll(index + 1);
  }
  decideAll(all.length);
  return { state: current, events };
}

/** The first events of a run: RunCreated and what follows from it. */
export function start(
  graph: Graph,
  runId: RunId,
  created: Extract<RunEvent, { type: 'RunCreated' }>,
  env: Environment,
  /** Of a fork: how the steps stand that are not done again. */
  inherited?: Extract<RunEvent, { type: 'StepsInherited' }>,
): Advanced {
  const given = inherited ? [created, inherited] : [created];
  let begun = apply(graph, runId, null, created);
  if (inherited) begun = apply(graph, runId, begun, inherited);
  const first = advance(graph, begun, [], env);
  // An approval has a row, and a create writes none: the first turn asks.
  if (first.events.some(({ type }) => type === 'ApprovalRequested')) return { state: begun, events: given };
  return { state: first.state, events: [...given, ...first.events] };
}

/** What the committed state asks of the agents. */
export type Command =
  | {
      readonly kind: 'execute';
      readonly step: StepId;
      readonly key: ExecutionKey;
      readonly action: ActionId;
      readonly instance: InstanceId;
      readonly input: JsonObject;
      readonly rework: ReworkNote | null;
      readonly notAfter: UnixMs;
      readonly consent: ApprovalRef | null;
    }
  | { readonly kind: 'cancel'; readonly key: ExecutionKey; readonly instance: InstanceId };

/** Commands of a state, in order of definition: derived, so that a successor finds the same. */
export function commandsOf(graph: Graph, state: RunState): Command[] {
  const cancels = state.stopping.flatMap(({ key, instance }): Command[] =>
    instance === null ? [] : [{ kind: 'cancel', key, instance }],
  );
  if (state.ended) return cancels;
  const undo = state.undoing ? [undoIdOf(state.undoing.step)] : [];
  const executions = [...stepIds(graph, state), ...undo].flatMap((id): Command[] => {
    const step = state.steps[id];
    const action = definitionOf(graph, id)?.action;
    if (!step || !action || step.phase !== 'running' || step.key === null || step.instance === null) return [];
    const { key, instance, rework, deadlineAt, input, consent } = step;
    return [
      {
        kind: 'execute',
        step: id,
        key,
        action,
        instance,
        input: input ?? {},
        rework,
        notAfter: deadlineAt ?? 0,
        consent,
      },
    ];
  });
  return [...cancels, ...executions];
}

/** The next time at which the state changes by itself, Unix ms; null when there is none. */
export function nextTimer(graph: Graph, state: RunState): UnixMs | null {
  const times = state.stopping.map((entry) => entry.deadlineAt);
  if (!state.ended) {
    if (state.deadlineAt !== null && !isAborting(state)) times.push(state.deadlineAt);
    for (const [id, step] of Object.entries(state.steps)) {
      if (step.phase === 'running' && step.deadlineAt !== null) times.push(step.deadlineAt);
      // One that may not start is started by what makes room, and not by time.
      const mayStart = (state.paused === null || isAborting(state)) && hasRoom(graph, state, id);
      if (step.phase === 'retrying' && step.notBefore !== null && mayStart) times.push(step.notBefore);
      if (step.phase === 'awaiting' && step.approval) {
        const { expiresAt, remindAt, escalateAt } = step.approval;
        times.push(expiresAt, remindAt ?? expiresAt, escalateAt ?? expiresAt);
      }
    }
  }
  return times.length === 0 ? null : Math.min(...times);
}
