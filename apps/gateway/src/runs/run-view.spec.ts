import type { RunEvent } from '@devmesh/contracts/event';
import { RunView } from '@devmesh/contracts/gateway-api';
import type { StepView } from '@devmesh/contracts/run';
import { describe, expect, it } from 'vitest';
import {
  at,
  BASE,
  COMMIT,
  digest,
  happened,
  integratedOutput,
  key,
  record,
  reviewOutput,
  RUN,
  stored,
  time,
  WORKFLOW,
} from '../testing/history.js';
import { runView } from './run-view.js';

function viewOf(...events: RunEvent[]): RunView {
  return RunView.parse(runView({ record: record(), workflow: WORKFLOW, events: stored(...events), progress: [] }));
}

function stepOf(view: RunView, id: string): StepView | undefined {
  return view.steps.find((step) => step.id === id);
}

const { created, scheduled, reassigned, succeeded, failed, settled, reworked, ended } = happened;

describe('a step', () => {
  const table: [string, RunEvent[], Partial<StepView>][] = [
    [
      'is pending before anything is told',
      [created()],
      { status: 'pending', iteration: 1, attempt: 1, startedAt: null },
    ],
    ['runs at an instance', [scheduled(1, 'implement')], { status: 'running', startedAt: time(1), endedAt: null }],
    ['waits for an agent', [scheduled(1, 'implement', 1, 1, null)], { status: 'waiting', startedAt: time(1) }],
    [
      'runs once an instance is there',
      [scheduled(1, 'implement', 1, 1, null), reassigned(2, 'implement', 'one')],
      { status: 'running', startedAt: time(1) },
    ],
    [
      'waits again when its instance is gone',
      [scheduled(1, 'implement'), reassigned(2, 'implement', null)],
      { status: 'waiting' },
    ],
    [
      'succeeds with what its output says',
      [
        scheduled(1, 'implement'),
        succeeded(5, 'implement', { summary: 'two\n commits' }),
        settled(5, 'implement', 'succeeded'),
      ],
      { status: 'succeeded', startedAt: time(1), endedAt: time(5), summary: 'two commits', verdict: null },
    ],
    [
      'is rejected',
      [scheduled(1, 'implement'), succeeded(5, 'implement'), settled(5, 'implement', 'rejected')],
      { status: 'rejected', verdict: 'rejected', endedAt: time(5) },
    ],
    [
      'waits for its retry and says why',
      [
        scheduled(1, 'implement'),
        failed(2, 'implement', 'disk is slow'),
        { type: 'RetryScheduled', at: at(2), step: 'implement', iteration: 1, attempt: 2, notBefore: at(3) },
      ],
      { status: 'retrying', attempt: 2, startedAt: time(1), endedAt: null, summary: 'action_failed: disk is slow' },
    ],
    [
      'says when its declared fallback stands for what it did not give',
      [
        scheduled(1, 'implement'),
        failed(2, 'implement', 'disk is slow'),
        { type: 'FallbackUsed', at: at(2), step: 'implement', iteration: 1, output: {}, because: 'disk is slow' },
        settled(2, 'implement', 'succeeded'),
      ],
      { status: 'succeeded', endedAt: time(2), summary: 'fell back on its declared output: disk is slow' },
    ],
    [
      'keeps the time of its first attempt',
      [scheduled(1, 'implement'), failed(2, 'implement', 'no'), scheduled(3, 'implement', 1, 2)],
      { status: 'running', attempt: 2, startedAt: time(1), summary: null },
    ],
    [
      'fails with the last reason',
      [scheduled(1, 'implement'), failed(2, 'implement', 'no'), settled(2, 'implement', 'failed')],
      { status: 'failed', summary: 'action_failed: no', endedAt: time(2) },
    ],
    [
      'times out',
      [
        scheduled(1, 'implement'),
        { type: 'StepCompleted', at: at(9), step: 'implement', key: key('implement'), outcome: { kind: 'timed_out' } },
        settled(9, 'implement', 'failed'),
      ],
      { status: 'failed', summary: 'took longer than its time limit' },
    ],
    [
      'is skipped and says why',
      [{ type: 'StepSkipped', at: at(4), step: 'implement', iteration: 1, because: 'nothing to do' }],
      { status: 'skipped', summary: 'nothing to do', startedAt: null, endedAt: time(4) },
    ],
    [
      'is cancelled',
      [
        scheduled(1, 'implement'),
        { type: 'CancelRequested', at: at(2), by: 'ci', reason: '' },
        { type: 'StepCancelled', at: at(2), step: 'implement', iteration: 1 },
      ],
      { status: 'cancelled', startedAt: time(1), endedAt: time(2) },
    ],
    [
      'sent back is pending at its next iteration',
      [scheduled(1, 'implement'), succeeded(2, 'implement'), settled(2, 'implement', 'succeeded'), reworked(4, 2, 1)],
      {
        status: 'pending',
        iteration: 2,
        attempt: 1,
        startedAt: null,
        endedAt: null,
        summary: 'sent back by review, round 1',
      },
    ],
    [
      'counts the time of its new iteration only',
      [scheduled(1, 'implement'), succeeded(2, 'implement'), reworked(4, 2, 1), scheduled(6, 'implement', 2)],
      { status: 'running', iteration: 2, startedAt: time(6), summary: null },
    ],
    [
      'is not touched by what was superseded',
      [
        scheduled(1, 'implement'),
        reworked(2, 2, 1),
        scheduled(3, 'implement', 2),
        failed(4, 'implement', 'too late'),
        settled(4, 'implement', 'failed'),
        reassigned(4, 'implement', null),
        { type: 'StepSkipped', at: at(4), step: 'implement', iteration: 1, because: 'late' },
        { type: 'StepCancelled', at: at(4), step: 'implement', iteration: 1 },
      ],
      { status: 'running', iteration: 2, startedAt: time(3), endedAt: null, summary: null },
    ],
  ];
  it.each(table)('%s', (_, events, expected) => {
    expect(stepOf(viewOf(...events), 'implement')).toMatchObject(expected);
  });

  it('that an event names and the workflow does not know changes nothing', () => {
    expect(viewOf(created(), scheduled(1, 'unknown'), settled(2, 'unknown', 'failed')).steps).toEqual(
      viewOf(created()).steps,
    );
  });

  it('shows what it is doing now, if that is of its present iteration', () => {
    const events = stored(scheduled(1, 'implement'), scheduled(1, 'review', 2));
    const progress = [
      { step: 'implement', key: key('implement'), message: '3 of 12\n files' },
      { step: 'review', key: key('review', 1), message: 'of the iteration before' },
    ];
    const view = runView({ record: record(), workflow: WORKFLOW, events, progress });
    expect(stepOf(view, 'implement')?.summary).toBe('3 of 12 files');
    expect(stepOf(view, 'review')?.summary).toBeNull();
  });

  it('says in one bounded line what it has to say', () => {
    const view = viewOf(scheduled(1, 'implement'), failed(2, 'implement', 'a\nb '.repeat(900)));
    const summary = stepOf(view, 'implement')?.summary ?? '';
    expect(summary).toHaveLength(500);
    expect(summary).toMatch(/^action_failed: a b a b .*…$/);
  });
});

describe('a run', () => {
  it('that has just been made is its record', () => {
    const view = viewOf();
    expect(view).toMatchObject({ id: RUN, status: 'running', verdict: null, lastSeq: 0, result: null, findings: null });
    expect(view.steps.map((step) => [step.id, step.agent, step.needs])).toEqual([
      ['implement', 'feature-dev', []],
      ['review', 'code-review', ['implement']],
      ['report', 'documentation', ['review']],
    ]);
  });

  it('tells why its steps were planned', () => {
    const plan = [{ step: 'review', because: 'the text asks for it' }];
    expect(viewOf(created(plan)).plan).toEqual(plan);
  });

  it('has ended when its events say so, though its record is of before', () => {
    expect(viewOf(created(), ended(9, 'rejected', 'review rejected'))).toMatchObject({
      status: 'ended',
      verdict: 'rejected',
      reason: 'review rejected',
      endedAt: time(9),
      lastSeq: 2,
    });
  });

  it('keeps a number of events that is ahead of those it was folded from', () => {
    const history = { record: record({ lastSeq: 7 }), workflow: WORKFLOW, events: stored(created()), progress: [] };
    expect(runView(history).lastSeq).toBe(7);
  });

  it('shows the findings of its latest review', () => {
    const view = viewOf(
      scheduled(1, 'review'),
      succeeded(2, 'review', reviewOutput(3, 20)),
      reworked(3, 2, 1),
      scheduled(4, 'review', 2),
      succeeded(5, 'review', reviewOutput(0, 21), 2),
    );
    expect(view).toMatchObject({ findings: { high: 0 }, sarif: digest(21) });
  });

  it('adds what the documentation says that is not so, in whatever order they come', () => {
    const counts = { critical: 0, high: 0, medium: 0, low: 2, info: 1 };
    const [first, ...rest] = WORKFLOW.steps;
    const steps = first ? [{ ...first, id: 'docs', action: 'documentation/generate' }, first, ...rest] : [];
    const events = stored(
      scheduled(1, 'docs'),
      succeeded(2, 'docs', { counts }),
      scheduled(3, 'review'),
      succeeded(4, 'review', reviewOutput(3, 20)),
    );
    const view = runView({ record: record(), workflow: { ...WORKFLOW, steps }, events, progress: [] });
    expect(view).toMatchObject({ findings: { high: 3, low: 2, info: 1 }, sarif: digest(20) });
  });

  it('shows the latest result that changed something', () => {
    const view = viewOf(
      scheduled(1, 'implement'),
      succeeded(2, 'implement', integratedOutput(30)),
      reworked(3, 2, 1),
      scheduled(4, 'implement', 2),
      succeeded(5, 'implement', integratedOutput(31), 2),
      reworked(6, 3, 2),
      scheduled(7, 'implement', 3),
      succeeded(8, 'implement', integratedOutput(null), 3),
    );
    expect(view.result).toEqual({ branch: `devmesh/${RUN}`, commit: COMMIT, base: BASE, bundle: digest(31) });
  });

  it('has no result when nothing was changed', () => {
    expect(viewOf(scheduled(1, 'implement'), succeeded(2, 'implement', integratedOutput(null))).result).toBeNull();
  });

  it('names its report', () => {
    const output = { report: { digest: digest(40), name: 'report.md', mediaType: 'text/markdown', size: 5 } };
    expect(viewOf(scheduled(1, 'report'), succeeded(2, 'report', output)).report).toBe(digest(40));
  });

  it('passes over outputs that read otherwise than this version expects', () => {
    const view = viewOf(
      scheduled(1, 'review'),
      succeeded(2, 'review', { counts: 'many' }),
      scheduled(1, 'implement'),
      succeeded(2, 'implement', { bundle: 7 }),
      scheduled(1, 'report'),
      succeeded(2, 'report', {}),
    );
    expect(view).toMatchObject({ findings: null, sarif: null, result: null, report: null });
  });

  it('takes outputs of a kind from actions of that kind only', () => {
    expect(viewOf(scheduled(1, 'report'), succeeded(2, 'report', reviewOutput(3, 20))).findings).toBeNull();
  });

  it('adds up what all its executions cost, superseded ones too', () => {
    const view = viewOf(
      scheduled(1, 'implement'),
      succeeded(2, 'implement', {}, 1, 0.25),
      reworked(3, 2, 1),
      succeeded(4, 'implement', {}, 1, 0.5),
    );
    expect(view.costDollars).toBe(0.75);
  });
});
