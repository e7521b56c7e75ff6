import type { ReworkNote, RunEvent } from '@devmesh/contracts/event';
import type { StepId, UnixMs } from '@devmesh/contracts/ids';
import { executionKey } from '@devmesh/contracts/ids';
import type { ExecutionError, Outcome } from '@devmesh/contracts/outcome';
import type { BranchEvent, RetryPolicy, StepDefinition } from '@devmesh/contracts/workflow';
import { askAboutLost, consentFor, requestApproval, timePasses } from './approvals.js';
import type { Environment } from './environment.js';
import { itemsFor, outcomeOfItems } from './fan-out.js';
import { definitionOf, isUndo, loopId, undoIdOf, type Graph } from './graph.js';
import { awaitsUndo, conditionSays, hasRoom, losersOf, readiness, stepIds } from './readiness.js';
import { itemIds } from './output.js';
import { resolveInput } from './references.js';
import { isAborting, isSettled, type RunState, type StepState } from './state.js';
import { failureText, groupOutcome, verdictOf } from './summary.js';
import { nextUndo, undoesLeft } from './undo.js';

/** The wait before the attempt after `attempt`, ms: min(max, initial * factor^(attempt-1)), less up to `jitter` of it by key. */
export function retryDelayMs(policy: RetryPolicy, attempt: number, key: string): number {
  const full = Math.min(policy.maxDelayMs, policy.initialDelayMs * policy.factor ** (attempt - 1));
  let hash = 0;
  for (let index = 0; index < key.length; index++) hash = (hash * 31 + key.charCodeAt(index)) >>> 0;
  return Math.floor(full * (1 - policy.jitter * ((hash % 256) / 256)));
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
  if (id.endsWith('.undo') && as === 'failed') {
    const message = `${id} failed, so what it was to take back may still be there: ${failureText(step)}`;
    events.push({ type: 'NotificationRecorded', at: now, step: id, message: message.slice(0, 1000) });
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
  const superseded = reset
    .flatMap((id) => [id, ...itemIds(state, id)])
    .flatMap((id) => {
      const step = state.steps[id];
      return step?.phase === 'running' && step.key ? [{ key: step.key, instance: step.instance }] : [];
    });
  const iterations = reset.map((id) => ({ step: id, iteration: (state.steps[id]?.iteration ?? 0) + 1 }));
  return [{ type: 'ReworkStarted', at: now, by, on, round, target: loop.target, reset: iterations, superseded, note }];
}

/** E25: the declared output in place of the one that no attempt gave. A fan-out leaves it to its items. */
function fallBack(definition: StepDefinition, step: StepState, at: UnixMs): RunEvent[] | undefined {
  const { id, fallback, forEach } = definition;
  // Without an execution it was not the agent that failed, but the workflow itself.
  if (fallback === null || forEach !== null || step.key === null) return undefined;
  const because = failureText(step).slice(0, 1000);
  return [{ type: 'FallbackUsed', at, step: id, iteration: step.iteration, output: fallback.output, because }];
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
  if (outcome.kind === 'lost' && definition.onLost === 'ask')
    return [askAboutLost(state, definition, step, outcome.message, now)];
  if (isRetryable(outcome) && step.attempt < definition.retry.maxAttempts) {
    const notBefore = now + retryDelayMs(definition.retry, step.attempt, step.key ?? id);
    return [
      { type: 'RetryScheduled', at: now, step: id, iteration: step.iteration, attempt: step.attempt + 1, notBefore },
    ];
  }
  const { code, message } = errorOf(outcome);
  const again = rework(graph, state, id, 'failure', now, { from: id, output: { error: { code, message } } });
  return again ?? fallBack(definition, step, now) ?? settle(definition, step, now, 'failed', ['failure']);
}

function schedule(
  graph: Graph,
  state: RunState,
  definition: StepDefinition,
  step: StepState,
  env: Environment,
): RunEvent[] {
  const { id, agent, action, timeoutMs } = definition;
  const { iteration, attempt } = step;
  const guard = consentFor(graph, state, definition);
  if (guard && 'stale' in guard) {
    const error: ExecutionError = { code: 'approval_stale', message: guard.stale, retryable: false };
    return [{ type: 'StepResolved', at: env.now, step: id, iteration, outcome: { kind: 'failed', error } }];
  }
  const until = env.now + timeoutMs;
  return [
    {
      type: 'StepScheduled',
      at: env.now,
      step: id,
      iteration,
      attempt,
      key: executionKey(state.runId, id, iteration, attempt),
      action,
      instance: env.instances(agent)[0] ?? null,
      input: resolveInput(graph, state, id),
      rework: step.rework,
      // An undo has its whole time, whatever is left of the run's.
      deadlineAt: isUndo(graph, id) ? until : Math.min(until, state.deadlineAt ?? until),
      ...(guard ? { approval: guard.consent } : {}),
    },
  ];
}

/** What a pending step comes to whose edges let it run. */
function begin(
  graph: Graph,
  state: RunState,
  definition: StepDefinition,
  step: StepState,
  env: Environment,
): RunEvent[] {
  const { id, kind, forEach } = definition;
  const at = { at: env.now, step: id, iteration: step.iteration };
  if (awaitsUndo(graph, state, id)) return [];
  const condition = conditionSays(graph, state, definition);
  if (condition && 'skip' in condition) return [{ type: 'StepSkipped', ...at, because: condition.skip.slice(0, 500) }];
  if (condition) {
    const error: ExecutionError = { code: 'bad_condition', message: condition.error, retryable: false };
    return [{ type: 'StepResolved', ...at, outcome: { kind: 'failed', error } }];
  }
  const losers = losersOf(graph, state, definition).map((loser): RunEvent => {
    const { iteration } = state.steps[loser] ?? step;
    return { type: 'StepCancelled', at: env.now, step: loser, iteration };
  });
  if (losers.length > 0) return losers;
  if (kind === 'group_start') return [{ type: 'StepResolved', ...at, outcome: { kind: 'succeeded', output: {} } }];
  if (kind === 'group_end') {
    const outcome = groupOutcome(graph, state, id);
    return outcome
      ? [{ type: 'StepResolved', ...at, outcome }]
      : [{ type: 'StepSkipped', ...at, because: `${id.slice(0, id.lastIndexOf('.'))} did not begin` }];
  }
  if (kind === 'approval') {
    const asked = requestApproval(graph, state, definition, step, env.now);
    return asked ? [asked] : [];
  }
  if (forEach) {
    const grown = itemsFor(graph, state, definition, forEach);
    return 'items' in grown
      ? [{ type: 'FanOutStarted', ...at, items: [...grown.items] }]
      : [{ type: 'StepResolved', ...at, outcome: grown.outcome }];
  }
  return hasRoom(graph, state, id) ? schedule(graph, state, definition, step, env) : [];
}

function decideStep(graph: Graph, state: RunState, id: StepId, env: Environment): RunEvent[] {
  const definition = definitionOf(graph, id);
  const step = state.steps[id];
  if (!definition || !step) return [];
  const at = { at: env.now, step: id, iteration: step.iteration };
  const mayStart = state.paused === null || isUndo(graph, id);
  switch (step.phase) {
    case 'deciding':
      return conclude(graph, state, definition, step, env.now);
    case 'pending': {
      const ready = readiness(graph, state, definition);
      if (typeof ready === 'object') return [{ type: 'StepSkipped', ...at, because: ready.skip.slice(0, 500) }];
      return ready === 'ready' && mayStart ? begin(graph, state, definition, step, env) : [];
    }
    case 'retrying':
      return mayStart && (step.notBefore ?? 0) <= env.now && hasRoom(graph, state, id)
        ? schedule(graph, state, definition, step, env)
        : [];
    case 'fanned': {
      const outcome = outcomeOfItems(state, definition);
      return outcome ? [{ type: 'StepResolved', ...at, outcome: judged(definition, outcome) }] : [];
    }
    case 'awaiting':
      if (step.approval && env.coming?.includes(step.approval.id)) return [];
      return timePasses(definition, step, env.now);
    case 'running': {
      if (!step.key) return [];
      if ((step.deadlineAt ?? Infinity) <= env.now) {
        return [{ type: 'StepCompleted', at: env.now, step: id, key: step.key, outcome: { kind: 'timed_out' } }];
      }
      const instance = step.instance === null && mayStart ? env.instances(definition.agent)[0] : undefined;
      return instance === undefined ? [] : [{ type: 'StepReassigned', at: env.now, step: id, key: step.key, instance }];
    }
    default:
      return [];
  }
}

/** A gate that says nothing approves nothing: without a verdict its outcome is a failure. */
export function judged(definition: StepDefinition | undefined, outcome: Outcome): Outcome {
  if (outcome.kind !== 'succeeded' || outcome.verdict !== undefined || !definition?.gate) return outcome;
  const message = `step ${definition.id} is a gate, but its agent gave no verdict; its output must have a verdict of approved or rejected`;
  return { kind: 'failed', error: { code: 'bad_reply', message, retryable: false } };
}

/** The undo that is under way, or the next one. */
function decideUndo(graph: Graph, state: RunState, env: Environment): RunEvent[] {
  const current = state.undoing && decideStep(graph, state, undoIdOf(state.undoing.step), env);
  return current && current.length > 0 ? current : nextUndo(state, env.now);
}

/** Ends everything that is not settled, then takes back what is to be taken back, then ends the run. */
function abort(graph: Graph, state: RunState, env: Environment): RunEvent[] {
  const open = stepIds(graph, state).flatMap((id): RunEvent[] => {
    const step = state.steps[id];
    if (!step || isSettled(step)) return [];
    return [{ type: 'StepCancelled', at: env.now, step: id, iteration: step.iteration }];
  });
  if (open.length > 0) return open;
  if (undoesLeft(state)) return decideUndo(graph, state, env);
  return [{ type: 'RunEnded', at: env.now, ...verdictOf(graph, state) }];
}

/**
 * The next events that follow from the state, or none when it waits for something. Pure and total; the caller folds them
 * and asks again until nothing follows. One step at a time, so that each decision sees the ones before it.
 */
export function decide(graph: Graph, state: RunState, env: Environment): RunEvent[] {
  const over = state.stopping.find((entry) => entry.deadlineAt <= env.now);
  if (over) return [{ type: 'ExecutionStopped', at: env.now, key: over.key }];
  if (state.ended) return [];
  if (isAborting(state)) return abort(graph, state, env);
  const ids = stepIds(graph, state);
  // A run whose work is done has ended in time, however late that is seen.
  const isDone = ids.every((id) => {
    const step = state.steps[id];
    return step !== undefined && isSettled(step);
  });
  if (isDone && !undoesLeft(state)) return [{ type: 'RunEnded', at: env.now, ...verdictOf(graph, state) }];
  for (const id of ids) {
    const events = decideStep(graph, state, id, env);
    if (events.length > 0) return events;
  }
  if ((state.deadlineAt ?? Infinity) <= env.now) return [{ type: 'RunTimedOut', at: env.now }];
  return undoesLeft(state) ? decideUndo(graph, state, env) : [];
}
