import type { RunEvent } from '@devmesh/contracts/event';
import { RunExport } from '@devmesh/contracts/run-export';
import { describe, expect, it } from 'vitest';
import { artifact, digest, happened, OTHER_RUN, RUN, WORKFLOW } from '../testing/history.js';
import { definitionDigest, digestsIn, prepareImport, UNKNOWN_DIGEST } from './run-import.js';

const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const { created, scheduled, succeeded, settled, ended } = happened;
const OVER: RunEvent[] = [
  created(),
  scheduled(1, 'implement'),
  succeeded(2, 'implement', { report: artifact(7), secret: digest(8) }),
  settled(2, 'implement', 'succeeded'),
];

function file(change: Partial<RunExport> = {}): RunExport {
  return RunExport.parse({
    format: 'devmesh-run',
    version: 1,
    exportedAt: '2025-01-01T00:00:00.000Z',
    runId: RUN,
    workflowDigest: definitionDigest(change.workflow ?? WORKFLOW),
    workflow: WORKFLOW,
    events: OVER,
    artifacts: [{ ...artifact(7), step: 'implement', iteration: 1 }],
    ...change,
  });
}

const imported = (from: RunExport, known: string[] = []) =>
  prepareImport(from, { runId: OTHER_RUN, projectId: 'alpha', now: NOW, known: new Set(known) });

describe('an import', () => {
  it('of a run under way is ended, and says so', () => {
    const run = imported(file());
    expect(run.events.map(({ type }) => type)).toEqual([
      'RunCreated',
      'StepScheduled',
      'StepCompleted',
      'StepSettled',
      'CancelRequested',
      'StepCancelled',
      'StepCancelled',
      'RunEnded',
    ]);
    expect(run.ended).toMatchObject({ verdict: 'cancelled', reason: 'imported while it was under way' });
    expect(run.events[0]).toMatchObject({
      imported: { runId: RUN, events: 4 },
      workflow: { name: 'deliver', digest: definitionDigest(WORKFLOW) },
    });
  });

  it('names no content that the project has not shown to have', () => {
    expect([...digestsIn(file())].toSorted()).toEqual([digest(7), digest(8)].toSorted());
    const run = imported(file(), [digest(8)]);
    expect(run.events[2]).toMatchObject({
      outcome: { output: { report: { digest: UNKNOWN_DIGEST }, secret: digest(8) } },
    });
    expect(run.artifacts).toEqual([]);
    expect(imported(file(), [digest(7)]).artifacts).toHaveLength(1);
  });

  it('is never of the future', () => {
    const late = { ...created(), at: NOW * 1000 };
    expect(imported(file({ events: [late] })).createdAt).toBe('2026-01-01T00:00:00.000Z');
  });

  const [implement, review, report] = WORKFLOW.steps;
  const steps = (...changed: unknown[]) => ({ ...WORKFLOW, steps: changed }) as typeof WORKFLOW;
  it.each<[string, Partial<RunExport>, RegExp]>([
    ['a workflow of another digest', { workflowDigest: digest(3) }, /its workflow has digest [0-9a-f]{64}, not 0{63}3/],
    ['a circle', { workflow: steps({ ...implement, needs: ['report'] }, review, report) }, /wait in a circle/],
    ['a step twice', { workflow: steps(implement, implement) }, /the same id/],
    ['a need that is no step', { workflow: steps({ ...implement, needs: ['x'] }) }, /no step x/],
    ['events without a beginning', { events: OVER.slice(1) }, /first event is not RunCreated/],
    [
      'events out of order',
      { events: [created(), succeeded(2, 'implement')] },
      /event 2 does not fit .*which is pending/,
    ],
    ['an end before its time', { events: [created(), ended(1, 'passed')] }, /event 2 does not fit .*RunEnded while/],
  ])('refuses %s', (_about, change, says) => {
    expect(() => imported(file(change))).toThrow(says);
  });

  it('refuses a format or version that it does not know', () => {
    expect(RunExport.safeParse({ ...file(), version: 2 }).success).toBe(false);
    expect(RunExport.safeParse({ ...file(), format: 'other' }).success).toBe(false);
  });
});
