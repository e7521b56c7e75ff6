import type { ReworkNote, RunEvent } from '@devmesh/contracts/event';
import type { AgentName, InstanceId, StepId, UnixMs } from '@devmesh/contracts/ids';
import { executionKey } from '@devmesh/contracts/ids';
import type { ExecutionError, Outcome } from '@devmesh/contracts/outcome';
import type { BranchEvent, RetryPolicy, StepDefinition } from '@devmesh/contracts/workflow';
import type { Graph } from './graph.js';
import { loopId } from './graph.js';
import { resolveInput } from './references.js';
import { isSettled, type RunState, type StepState } from './state.js';
import { failureText, verdictOf } from './summary.js';

/** What a decision may depend on beside the state. */
export interface Environment {
  readonly now: UnixMs;
  /** Instances of the agent that may be given work, best first; empty when none is up. */
  instances(agent: AgentName): readonly InstanceId[];
}

/** The wait before the attempt after `attempt`, ms: min(max, initial * factor^(attempt-1)), less up to a quarter by key. */
export function retryDelayMs(policy: RetryPolicy, attempt: number, key: string): number {
  const full = Math.min(policy.maxDelayMs, policy.initialDelayMs * policy.factor ** (attempt - 1));
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = (hash * 31 + key.charCodeAt(index)) >>> 0;
  return Math.floor(full * (1 - (hash % 256) / 1024));
}

function isRetryable(outcome: Outcome): boolean {
  return outcome.kind === 'timed_out' || (outcome.kind === 'failed' && outcome.error.retryable);
}

function errorOf(outcome: Outcome): ExecutionError {
  if (outcome.kind === 'failed') return outcome.error;
  const code = outcome.kind === 'timed_out' ? 'deadline_exceeded' : 'action_failed';
  return { code, message: `outcome ${outcome.kind}`, retryable: false };
}

/** What a settling step leads to: its branches for these events, then the settling itself. */
function settle(
  definition: StepDefinition,
  step: StepState,
  now: UnixMs,
  as: 'succeeded' | 'failed' | 'rejected',
  on: BranchEvent[],
): RunEvent[] {
  const events: RunEvent[] = [];
  const { id } = definition;
  for (const event of on) {
    for (const branch of definition.on[event]) {
      if (branch.kind === 'rework') continue;
      events.push({ type: 'BranchTaken', at: now, from: id, iteration: step.iteration, on: event, branch });
      if (branch.kind !== 'log_and_notify') continue;
      const message = as === 'failed' ? `${id} failed: ${failureText(step)}` : `${id} ended as ${as}`;
      events.push({ type: 'NotificationRecorded', at: now, step: id, message: message.slice(0, 1000) });
    }
  }
  const verdict = step.outcome?.kind === 'succeeded' ? (step.outcome.verdict ?? null) : null;
  events.push({ type: 'StepSettled', at: now, step: id, iteration: step.iteration, as, verdict });
  return events;
}

/** The rework that this event of the step leads to, while its loop has rounds left. */
function rework(
  graph: Graph,
  state: RunState,
  by: StepId,
  on: BranchEvent,
  now: UnixMs,
  note: ReworkNote,
): RunEvent[] | undefined {
  const loop = graph.loops.get(loopId(by, on));
  if (!loop) return undefined;
  const round = (state.rounds[loop.id] ?? 0) + 1;
  if (round > loop.maxAttempts) return undefined;
  const reset = graph.order.filter((id) => loop.closure.has(id));
  const superseded = reset.flatMap((id) => {
    const step = state.steps[id];
    return step?.phase === 'running' && step.key ? [{ key: step.key, instance: step.instance }] : [];
  });
  const iterations = reset.map((id) => ({ step: id, iteration: (state.steps[id]?.iteration ?? 0) + 1 }));
  return [{ type: 'ReworkStarted', at: now, by, on, round, target: loop.target, reset: iterations, superseded, note }];
}

/** E5 to E7, E9: what follows from a known outcome. */
function conclude(graph: Graph, state: RunState, definition: StepDefinition, step: StepState, now: UnixMs): RunEvent[] {
  const { id } = definition;
  const outcome = step.outcome;
  if (!outcome) return [];
  if (outcome.kind === 'succeeded') {
    if (!definition.gate || outcome.verdict === undefined)
      return settle(definition, step, now, 'succeeded', ['success']);
    if (outcome.verdict === 'approved') return settle(definition, step, now, 'succeeded', ['success', 'approval']);
    const again = rework(graph, state, id, 'rejection', now, { from: id, output: outcome.output });
    return again ?? settle(definition, step, now, 'rejected', ['rejection']);
  }
  if (isRetryable(outcome) && step.attempt < definition.retry.maxAttempts) {
    const notBefore = now + retryDelayMs(definition.retry, step.attempt, step.key ?? id);
    return [
      { type: 'RetryScheduled', at: now, step: id, iteration: step.iteration, attempt: step.attempt + 1, notBefore },
    ];
  }
  const { code, message } = errorOf(outcome);
  const again = rework(graph, state, id, 'failure', now, { from: id, output: { error: { code, message } } });
  return again ?? settle(definition, step, now, 'failed', ['failure']);
}

type Readiness = 'wait' | 'ready' | { readonly skip: string };

/** Section 2 of docs/engine.md: whether a pending step waits, runs, or is skipped. */
export function readiness(graph: Graph, state: RunState, definition: StepDefinition): Readiness {
  const sources = graph.gotoSources.get(definition.id) ?? [];
  let waits = false;
  for (const need of definition.needs) {
    const step = state.steps[need];
    if (!step || !isSettled(step)) waits = true;
    else if (!definition.always && step.phase !== 'succeeded')
      return { skip: `${need} ${step.phase === 'failed' ? 'failed' : `was ${step.phase}`}` };
  }
  let fired = 0;
  let undecided = 0;
  for (const source of sources) {
    const step = state.steps[source];
    if (!step || !isSettled(step)) undecided++;
    else if (step.taken.some(({ target }) => target === definition.id)) fired++;
  }
  if (definition.always) return waits || undecided > 0 ? 'wait' : 'ready';
  if (sources.length > 0 && fired === 0 && undecided === 0)
    return { skip: `no branch led here from ${sources.join(', ')}` };
  return waits || (sources.length > 0 && fired === 0) ? 'wait' : 'ready';
}

function schedule(
  graph: Graph,
  state: RunState,
  definition: StepDefinition,
  step: StepState,
  env: Environment,
): RunEvent {
  const { id, agent, action, timeoutMs } = definition;
  return {
    type: 'StepScheduled',
    at: env.now,
    step: id,
    iteration: step.iteration,
    attempt: step.attempt,
    key: executionKey(state.runId, id, step.iteration, step.attempt),
    action,
    instance: env.instances(agent)[0] ?? null,
    input: resolveInput(graph, state, id),
    rework: step.rework,
    deadlineAt: env.now + timeoutMs,
  };
}

/** Ends everything that is not settled, then the run. */
function stopAll(graph: Graph, state: RunState, now: UnixMs): RunEvent[] {
  const cancelled = graph.order.flatMap((id): RunEvent[] => {
    const step = state.steps[id];
    return step && !isSettled(step) ? [{ type: 'StepCancelled', at: now, step: id, iteration: step.iteration }] : [];
  });
  return [...cancelled, { type: 'RunEnded', at: now, ...verdictOf(graph, state) }];
}

function decideStep(
  graph: Graph,
  state: RunState,
  definition: StepDefinition,
  step: StepState,
  env: Environment,
): RunEvent[] {
  const { id, agent } = definition;
  switch (step.phase) {
    case 'deciding':
      return conclude(graph, state, definition, step, env.now);
    case 'pending': {
      const ready = readiness(graph, state, definition);
      if (ready === 'wait') return [];
      if (ready === 'ready') return [schedule(graph, state, definition, step, env)];
      const because = ready.skip.slice(0, 500);
      return [{ type: 'StepSkipped', at: env.now, step: id, iteration: step.iteration, because }];
    }
    case 'retrying':
      return (step.notBefore ?? 0) <= env.now ? [schedule(graph, state, definition, step, env)] : [];
    case 'running': {
      if (!step.key) return [];
      if ((step.deadlineAt ?? Infinity) <= env.now) {
        return [{ type: 'StepCompleted', at: env.now, step: id, key: step.key, outcome: { kind: 'timed_out' } }];
      }
      const instance = step.instance === null ? env.instances(agent)[0] : undefined;
      return instance === undefined ? [] : [{ type: 'StepReassigned', at: env.now, step: id, key: step.key, instance }];
    }
    default:
      return [];
  }
}

/**
 * The next events that follow from the state, or none when it waits for something. Pure and total; the caller folds them
 * and asks again until nothing follows. One step at a time, so that each decision sees the ones before it.
 */
export function decide(graph: Graph, state: RunState, env: Environment): RunEvent[] {
  const over = state.stopping.find((entry) => entry.deadlineAt <= env.now);
  if (over) return [{ type: 'ExecutionStopped', at: env.now, key: over.key }];
  if (state.ended) return [];
  if (state.cancel || state.failedBy !== null) return stopAll(graph, state, env.now);
  for (const id of graph.order) {
    const definition = graph.steps.get(id);
    const step = state.steps[id];
    if (!definition || !step) continue;
    const events = decideStep(graph, state, definition, step, env);
    if (events.length > 0) return events;
  }
  const settled = graph.order.every((id) => {
    const step = state.steps[id];
    return step !== undefined && isSettled(step);
  });
  return settled ? [{ type: 'RunEnded', at: env.now, ...verdictOf(graph, state) }] : [];
}
