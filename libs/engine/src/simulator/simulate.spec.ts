import type { RunEventType } from '@devmesh/contracts/event';
import { describe, expect, it, vi } from 'vitest';
import { EVERYTHING, NO_FAULTS, scenarioOf, SIM_WORKFLOWS, type Faults, type Scenario } from './scenarios.js';
import type { SimulationReport } from './drive.js';
import { simulate } from './simulate.js';

// Many seeds each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

function explain(seed: number, report: SimulationReport): string {
  return `seed ${seed}\n${report.violations.join('\n')}\n… ${report.trace.slice(-60).join('\n')}`;
}

async function sweep(seeds: number, faults: Faults, change: Partial<Scenario> = {}) {
  const types = new Set<RunEventType>();
  const happened: Record<string, number> = {};
  for (let seed = 1; seed <= seeds; seed++) {
    const report = await simulate(scenarioOf(seed, faults, change));
    expect(report.violations, explain(seed, report)).toEqual([]);
    for (const run of report.runs) for (const event of run.events) types.add(event.type);
    for (const [kind, count] of Object.entries(report.faults)) happened[kind] = (happened[kind] ?? 0) + count;
  }
  return { types, happened };
}

describe('the shell and the core over simulated ports', () => {
  it('ends every run when nothing goes wrong, and makes every kind of event', async () => {
    const { types } = await sweep(120, { ...NO_FAULTS, cancel: 0.01 });
    expect([...types].sort()).toEqual(
      (
        [
          'RunCreated',
          'StepScheduled',
          'StepCompleted',
          'RetryScheduled',
          'BranchTaken',
          'StepSettled',
          'StepSkipped',
          'ReworkStarted',
          'NotificationRecorded',
          'CancelRequested',
          'StepCancelled',
          'ExecutionStopped',
          'FallbackUsed',
          'RunEnded',
        ] satisfies RunEventType[]
      ).sort(),
    );
  });

  it('keeps its promises under loss, crash, freeze, duplicates, cancels and an empty queue', async () => {
    const { happened, types } = await sweep(160, EVERYTHING);
    expect(types).toContain('StepReassigned');
    expect(Object.keys(happened).sort()).toEqual([
      'agentCrash',
      'agentFreeze',
      'away',
      'cancel',
      'crash',
      'duplicate',
      'echo',
      'emptyQueue',
      'freeze',
      'late',
      'loss',
      'pause',
      'reorder',
      'stateRestart',
      'wait',
    ]);
  });

  it.each<[string, Partial<Faults>, Partial<Scenario>]>([
    ['C2 C6 owners die, and the queue is emptied in mid-run', { crash: 0.05, emptyQueue: 0.3 }, {}],
    ['C3 C10 requests and answers get lost, come late, come twice', { loss: 0.1, late: 0.06, echo: 0.1 }, {}],
    ['C4 C5 C12 cancels and results come into turns', { cancel: 0.04, late: 0.05 }, {}],
    ['C7 jobs are delivered twice, to several owners', { duplicate: 0.3 }, { orchestrators: 4 }],
    ['C8 owners hear nothing for longer than their lease', { freeze: 0.08, loss: 0.05 }, { orchestrators: 3 }],
    ['C9 agents die and are out of reach', { agentCrash: 0.05, away: 0.02 }, {}],
    ['C11 work is sent back while agents are slow', { late: 0.1, away: 0.02 }, { workflow: SIM_WORKFLOWS.beside }],
    ['C15 owners are killed again and again', { crash: 0.25 }, { orchestrators: 1 }],
  ])(
    '%s',
    async (_case, faults, change) => {
      const { happened } = await sweep(20, { ...NO_FAULTS, ...faults }, change);
      for (const kind of Object.keys(faults)) expect(happened[kind], kind).toBeGreaterThan(3);
    },
    60_000,
  );

  it('gives a run the same end under faults as without, when its agents answer the same', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      // A deadline that passes because of a fault is an outcome of its own: here none passes.
      const { workflow } = scenarioOf(seed, NO_FAULTS);
      const patient = { ...workflow, steps: workflow.steps.map((step) => ({ ...step, timeoutMs: 7 * 24 * 3600_000 })) };
      const calm = await simulate(scenarioOf(seed, NO_FAULTS, { workflow: patient }));
      const stormy = await simulate(scenarioOf(seed, { ...EVERYTHING, cancel: 0 }, { workflow: patient }));
      const ends = (report: SimulationReport) =>
        report.runs.map((run) => run.events.flatMap((event) => (event.type === 'RunEnded' ? [event.verdict] : [])));
      expect(ends(stormy), `seed ${seed}`).toEqual(ends(calm));
    }
  });

  it('is deterministic: the same seed gives the same trace', async () => {
    const one = await simulate(scenarioOf(7, EVERYTHING));
    const two = await simulate(scenarioOf(7, EVERYTHING));
    expect(two.trace).toEqual(one.trace);
  });

  it('sees it when agents do not join executions by key', async () => {
    const found: string[] = [];
    for (let seed = 1; seed <= 40; seed++)
      found.push(...(await simulate(scenarioOf(seed, EVERYTHING, { flaw: { habits: { joins: false } } }))).violations);
    expect(found.some((violation) => violation.includes('and again at'))).toBe(true);
  });
});
