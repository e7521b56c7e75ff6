import type { RunEvent } from '@devmesh/contracts/event';
import { RunEvent as RunEventSchema } from '@devmesh/contracts/event';
import { executionKey, type StepId } from '@devmesh/contracts/ids';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { advance, commandsOf } from './advance.js';
import { apply, fold } from './evolve.js';
import { worstCaseRounds, type Graph } from './graph.js';
import { STEP_TRANSITIONS, type RunState } from './state.js';
import { environment, RUN } from './testing/fixtures.js';
import { playRandomly, randomChoices, randomGraph, type PlayedRun } from './testing/random-run.js';

const SEED = 20_261;
// Many runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

/** Plays as many random runs as asked for and hands each to the check. */
function forRuns(numRuns: number, check: (run: PlayedRun, pick: (below: number) => number) => void): void {
  fc.assert(
    fc.property(randomGraph, randomChoices, fc.nat(1_000_000), (graph, choices, dice) => {
      check(playRandomly(graph, choices), (below) => dice % below);
    }),
    { numRuns, seed: SEED },
  );
}

/** The phases of every step after each event, and the transitions between them. */
function transitions({ graph, events }: PlayedRun): { event: RunEvent; from: string; to: string }[] {
  const found: { event: RunEvent; from: string; to: string }[] = [];
  let state: RunState | null = null;
  for (const event of events) {
    const before: RunState | null = state;
    state = apply(graph, RUN, state, event);
    const concerned: readonly StepId[] =
      event.type === 'ReworkStarted'
        ? event.reset.map(({ step }) => step)
        : event.type === 'BranchTaken'
          ? [event.from]
          : 'step' in event
            ? [event.step]
            : [];
    for (const id of concerned)
      found.push({ event, from: before?.steps[id]?.phase ?? '', to: state.steps[id]?.phase ?? '' });
    if (concerned.length === 0) found.push({ event, from: '', to: '' });
  }
  return found;
}

describe('every run of every workflow, whatever comes in which order', () => {
  it('ends, by legal events that can be stored, with nothing left to do', () => {
    forRuns(400, ({ graph, events, end, over }) => {
      expect(over).toBe(true);
      expect(commandsOf(graph, end)).toEqual([]);
      let state: RunState | null = null;
      for (const event of events) {
        RunEventSchema.parse(event);
        state = apply(graph, RUN, state, event);
      }
      expect(state).toEqual(end);
    });
  });

  it('goes through each transition of the specification', () => {
    const seen = new Map<string, number>();
    const count = (name: string) => seen.set(name, (seen.get(name) ?? 0) + 1);
    forRuns(6000, (run) => {
      for (const { event, from, to } of transitions(run))
        count(from === '' ? event.type : `${event.type} ${from} ${to}`);
      for (const { type } of run.events) count(type);
    });
    const specified = [
      // E1, E10, E11, E13, E14 concern the run; E9 has its sources in the diagram of section 3.
      'RunCreated',
      'NotificationRecorded',
      'RunPaused',
      'RunResumed',
      'RunTimedOut',
      'UndoStarted',
      'CancelRequested',
      'ExecutionStopped',
      'RunEnded',
      ...[
        'pending',
        'running',
        'fanned',
        'awaiting',
        'cancelled',
        'retrying',
        'deciding',
        'succeeded',
        'rejected',
        'failed',
        'skipped',
      ].map((from) => `ReworkStarted ${from} pending`),
      ...Object.entries(STEP_TRANSITIONS).flatMap(([type, rule]) =>
        rule.from.flatMap((from) => rule.to.map((to) => `${type} ${from} ${to}`)),
      ),
    ];
    expect(specified.filter((name) => (seen.get(name) ?? 0) < 3)).toEqual([]);
  });

  it('gives the same events for the same inputs', () => {
    forRuns(150, ({ graph, turns }) => {
      for (const { before, inputs, now, instances, events } of turns)
        expect(advance(graph, before, inputs, environment(now, instances)).events).toEqual(events);
    });
  });

  it('makes nothing of an input that comes again', () => {
    forRuns(200, ({ graph, turns }) => {
      for (const { after, inputs, now, instances } of turns)
        expect(advance(graph, after, inputs, environment(now, instances)).events).toEqual([]);
    });
  });

  it('makes nothing of results that no longer count, but that they are over', () => {
    forRuns(200, ({ turns }) => {
      for (const { before, inputs, events } of turns) {
        const current = new Set(
          Object.values(before.steps).flatMap(({ phase, key }) => (phase === 'running' ? [key] : [])),
        );
        for (const input of inputs) {
          if (input.kind !== 'result' || current.has(input.key)) continue;
          const about = events.filter((event) => 'key' in event && event.key === input.key);
          expect(about.every(({ type }) => type === 'ExecutionStopped')).toBe(true);
        }
      }
    });
  });

  it('comes to the same state in whatever order results arrive together', () => {
    forRuns(200, ({ graph, turns }) => {
      for (const { before, inputs, now, instances, after } of turns) {
        const results = inputs.filter((input) => input.kind === 'result');
        const twice = new Set(results.map(({ key }) => key)).size < results.length;
        if (results.length < 2 || results.length < inputs.length || twice) continue;
        expect(advance(graph, before, [...inputs].reverse(), environment(now, instances)).state.steps).toEqual(
          after.steps,
        );
      }
    });
  });

  it('folds from a checkpoint at any point to what folding everything gives', () => {
    forRuns(150, ({ graph, events, end }, pick) => {
      const at = 1 + pick(events.length);
      const checkpoint = JSON.parse(JSON.stringify(fold(graph, RUN, null, events.slice(0, at)))) as RunState;
      expect(fold(graph, RUN, checkpoint, events.slice(at))).toEqual(end);
    });
  });

  it('raises iterations and attempts one by one, and never uses a key twice', () => {
    forRuns(200, ({ events }) => {
      const keys = new Set<string>();
      const last = new Map<StepId, { iteration: number; attempt: number }>();
      for (const event of events) {
        if (event.type !== 'StepScheduled') continue;
        expect(event.key).toBe(executionKey(RUN, event.step, event.iteration, event.attempt));
        expect(keys.has(event.key)).toBe(false);
        keys.add(event.key);
        const before = last.get(event.step);
        if (before?.iteration === event.iteration) expect(event.attempt).toBe(before.attempt + 1);
        else {
          expect(event.attempt).toBe(1);
          expect(event.iteration).toBeGreaterThan(before?.iteration ?? 0);
        }
        last.set(event.step, event);
      }
    });
  });

  it('never ends an append with something undone: nothing is deciding, no step is ready and waits', () => {
    forRuns(200, ({ graph, turns }) => {
      for (const { after, now, instances } of turns) {
        expect(Object.values(after.steps).some(({ phase }) => phase === 'deciding')).toBe(false);
        expect(advance(graph, after, [], environment(now, instances)).events).toEqual([]);
      }
    });
  });

  it('schedules a step only when what it waits for is there, told from the events alone', () => {
    forRuns(300, ({ graph, events }) => expect(scheduledTooEarly(graph, events)).toEqual([]));
  });

  it('tells the verdict by the rules of section 2, told from the events alone', () => {
    const verdicts = new Set<string>();
    forRuns(300, (run) => {
      const told = run.events.find((event) => event.type === 'RunEnded')?.verdict;
      verdicts.add(String(told));
      expect(told).toBe(verdictBy(run.graph, run.events));
    });
    expect([...verdicts].sort()).toEqual(['cancelled', 'failed', 'partial', 'passed', 'rejected']);
  });

  it('sends work back no more often than the bound that the parser works out', () => {
    let most = 0;
    forRuns(400, ({ graph, events }) => {
      const bounds = worstCaseRounds(graph);
      const rounds = new Map<string, number>();
      for (const event of events) {
        if (event.type !== 'ReworkStarted') continue;
        const loop = `${event.by}:${event.on}`;
        rounds.set(loop, (rounds.get(loop) ?? 0) + 1);
      }
      for (const [loop, count] of rounds) {
        most = Math.max(most, count);
        expect(count).toBeLessThanOrEqual(bounds.get(loop) ?? 0);
      }
    });
    expect(most).toBeGreaterThan(2);
  });

  it('runs only workflows that the store takes', () => {
    fc.assert(
      fc.property(randomGraph, ({ workflow }) => {
        expect(WorkflowDefinition.parse(workflow)).toEqual(workflow);
      }),
      { numRuns: 200, seed: SEED },
    );
  });
});

/** Section 2, written a second time over the events. */
function scheduledTooEarly(graph: Graph, events: readonly RunEvent[]): string[] {
  const found: string[] = [];
  const ends = new Map<StepId, string>();
  const taken = new Set<string>();
  for (const event of events) {
    if (event.type === 'StepSettled') ends.set(event.step, event.as);
    if (event.type === 'StepSkipped') ends.set(event.step, 'skipped');
    if (event.type === 'StepCancelled') ends.set(event.step, 'cancelled');
    if (event.type === 'BranchTaken' && event.branch.kind === 'goto') taken.add(`${event.from}>${event.branch.target}`);
    if (event.type === 'ReworkStarted') {
      for (const { step } of event.reset) {
        ends.delete(step);
        for (const branch of taken) if (branch.startsWith(`${step}>`)) taken.delete(branch);
      }
    }
    if (event.type !== 'StepScheduled' && event.type !== 'FanOutStarted' && event.type !== 'ApprovalRequested')
      continue;
    // What came of an execution that was lost is asked when its needs are long over.
    if (event.type === 'ApprovalRequested' && event.approval.kind === 'lost') continue;
    const definition = graph.steps.get(event.step);
    const sources = graph.gotoSources.get(event.step) ?? [];
    const met = (definition?.needs ?? []).filter((need) =>
      definition?.always ? ends.has(need) : ends.get(need) === 'succeeded',
    );
    const wanted = definition?.quorum ?? definition?.needs.length ?? 0;
    if (met.length < wanted) found.push(`${event.step} with ${met.length} of the ${wanted} needs that it waits for`);
    if (
      definition?.always
        ? sources.some((source) => !ends.has(source))
        : sources.length > 0 && !sources.some((source) => ends.has(source) && taken.has(`${source}>${event.step}`))
    )
      found.push(`${event.step} before a branch led to it`);
  }
  return found;
}

function verdictBy(graph: Graph, events: readonly RunEvent[]): string {
  if (events.some(({ type }) => type === 'CancelRequested')) return 'cancelled';
  if (events.some((event) => event.type === 'BranchTaken' && event.branch.kind === 'fail')) return 'failed';
  if (events.some(({ type }) => type === 'RunTimedOut')) return 'failed';
  const ends = new Map<StepId, string>();
  const taken = new Map<StepId, StepId[]>();
  for (const event of events) {
    if (event.type === 'StepSettled') ends.set(event.step, event.as);
    if (event.type === 'BranchTaken' && event.branch.kind === 'goto')
      taken.set(event.from, [...(taken.get(event.from) ?? []), event.branch.target]);
    if (event.type === 'ReworkStarted')
      for (const { step } of event.reset) {
        ends.delete(step);
        taken.delete(step);
      }
  }
  const bad = (as: string) =>
    [...ends].some(
      ([id, end]) =>
        end === as &&
        // Items, undos and the steps of a sub-workflow are spoken for.
        graph.steps.get(id)?.within === null &&
        !(taken.get(id) ?? []).some((to) => ends.get(to) === 'succeeded'),
    );
  const worked = [...ends].some(([id, end]) => {
    const step = graph.steps.get(id);
    return end === 'succeeded' && step?.kind === 'action' && !step.always;
  });
  const isPartial = graph.workflow.allowPartialCompletion && worked;
  if (bad('failed') && !isPartial) return 'failed';
  return bad('rejected') ? 'rejected' : bad('failed') ? 'partial' : 'passed';
}
