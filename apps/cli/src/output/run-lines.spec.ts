import { describe, expect, it } from 'vitest';
import { at, BEGAN, runView, step } from '../testing/run-views.js';
import {
  changeLines,
  elapsed,
  findingsText,
  headline,
  placeSteps,
  resultLines,
  sentBackLine,
  stepLines,
} from './run-lines.js';
import { width } from './text.js';

const now = BEGAN + 2_000;
const wide = { columns: 100, color: false, now };

describe('placeSteps', () => {
  const shape = (steps: Parameters<typeof placeSteps>[0]): string[] =>
    placeSteps(steps).map(({ branch, step: { id } }) => branch + id);

  it('draws steps that share a level as branches', () => {
    expect(shape(runView().steps)).toEqual(['understand', '├─ review', '└─ documentation', 'implement', 'verify']);
  });

  it('opens a first level of several', () => {
    expect(shape([step('a'), step('b'), step('c'), step('d', { needs: ['a', 'c'] })])).toEqual([
      '┌─ a',
      '├─ b',
      '└─ c',
      'd',
    ]);
  });

  it('places a step below the longest way to it', () => {
    expect(shape([step('late', { needs: ['a', 'b'] }), step('b', { needs: ['a'] }), step('a')])).toEqual([
      'a',
      'b',
      'late',
    ]);
  });

  it('shows every step once, whatever their needs say', () => {
    const odd = [step('a', { needs: ['b', 'gone'] }), step('b', { needs: ['a'] }), step('c', { needs: ['c'] })];
    expect(
      shape(odd)
        .map((line) => line.replace(/^[┌├└]─ /, ''))
        .sort(),
    ).toEqual(['a', 'b', 'c']);
  });
});

describe('stepLines', () => {
  it('shows state, step, agent, elapsed and what it is doing', () => {
    const progress = new Map([
      ['review', 'reading api/src'],
      ['understand', 'of before'],
    ]);
    expect(stepLines(runView().steps, { ...wide, progress })).toEqual([
      '✔ understand        rag-context        0.4 s  indexed 64 files',
      '├─ ⠋ review         code-review        1.5 s  reading api/src',
      '└─ ✖ documentation  documentation      1.0 s  attempt 2 · no manifest',
      '○ implement         feature-dev',
      '○ verify            code-review',
    ]);
  });

  it('tells rounds and attempts when there were more than one', () => {
    const [line] = stepLines([step('fix', { status: 'running', startedAt: at(0), iteration: 3, attempt: 2 })], wide);
    expect(line).toContain('round 3 · attempt 2');
  });

  it('says who is missing while a step waits', () => {
    expect(stepLines([step('review', { agent: 'code-review', status: 'waiting' })], wide)[0]).toContain(
      'no code-review is there yet',
    );
  });

  it.each([20, 30, 40, 60, 80, 200])('keeps to %i columns', (columns) => {
    const steps = [
      ...runView().steps,
      step('a-step-with-a-name-that-is-far-too-long-for-this', {
        status: 'failed',
        summary: '日本語のとても長い説明'.repeat(20),
        startedAt: at(0),
        endedAt: at(1),
      }),
    ];
    for (const color of [false, true])
      for (const line of stepLines(steps, { columns, color, now })) expect(width(line)).toBeLessThanOrEqual(columns);
  });

  it('writes no colour when there is to be none, and the same text with it', () => {
    const bare = stepLines(runView().steps, wide);
    expect(bare.join('')).not.toMatch(/\u001b/);
    const painted = stepLines(runView().steps, { ...wide, color: true });
    expect(painted.join('')).toMatch(/\u001b\[/);
    expect(painted.map((line) => line.replace(/\u001b\[[0-9;]*m/g, '').trimEnd())).toEqual(
      bare.map((line) => line.trimEnd()),
    );
  });

  it("does not let a step's words steer the terminal", () => {
    const [line = ''] = stepLines([step('x', { status: 'failed', summary: 'bad\u001b[31m\nworse' })], wide);
    expect(line).not.toMatch(/[\u001b\n]/);
  });
});

describe('elapsed', () => {
  it('is null before the start, grows while it runs, and stands still at the end', () => {
    expect(elapsed(step('a'), now)).toBeNull();
    expect(elapsed(step('a', { startedAt: at(0.5) }), now)).toBe(1_500);
    expect(elapsed(step('a', { startedAt: at(0.5), endedAt: at(1) }), now)).toBe(500);
  });

  it('is never negative, though clocks differ', () => expect(elapsed(step('a', { startedAt: at(9) }), now)).toBe(0));
});

describe('changeLines', () => {
  it('says what is new, once', () => {
    const first = runView();
    expect(changeLines(null, first, { color: false, now }).map((line) => line.replace(/ +/g, ' '))).toEqual([
      ' 2.0 s understand ✔ succeeded indexed 64 files',
      ' 2.0 s review ⠼ running',
      ' 2.0 s documentation ✖ failed attempt 2 · no manifest',
    ]);
    expect(changeLines(first, first, { color: false, now })).toEqual([]);
    const second = runView({
      steps: first.steps.map((one) =>
        one.id === 'review' ? { ...one, status: 'rejected', summary: '3 findings' } : one,
      ),
    });
    expect(changeLines(first, second, { color: false, now })).toHaveLength(1);
  });

  it('says when a step is done again, and nothing of one that has yet to begin', () => {
    const first = runView({ steps: [step('fix', { status: 'succeeded' })] });
    const waits = runView({ steps: [step('fix', { iteration: 2 })] });
    expect(changeLines(first, waits, { color: false, now })).toEqual([]);
    const again = runView({ steps: [step('fix', { iteration: 2, status: 'running' })] });
    expect(changeLines(waits, again, { color: false, now })[0]).toContain('running  round 2');
  });

  it('says what is sent back, and where to', () => {
    const run = runView({ steps: [step('implement'), step('verify')] });
    const event = {
      type: 'ReworkStarted',
      at: now,
      by: 'verify',
      on: 'rejection',
      round: 1,
      target: 'implement',
      reset: [{ step: 'implement', iteration: 2 }],
      superseded: [],
      note: { from: 'verify', output: {} },
    } as const;
    expect(sentBackLine(run, { ...event, reset: [...event.reset], superseded: [] }, { color: false, now })).toBe(
      '   2.0 s  verify     ↻ rejected  back to implement',
    );
  });
});

describe('resultLines', () => {
  const counts = { critical: 2, high: 6, medium: 0, low: 0, info: 1 };
  const result = { branch: 'devmesh/0192f3a4', commit: 'd'.repeat(40), base: 'c'.repeat(40), bundle: 'e'.repeat(64) };
  const delivered = {
    repository: '/home/ann/shop',
    branch: result.branch,
    commits: 5,
    report: '/x/report.md',
    sarif: null,
    bundle: '/x/b',
    folder: '/x',
  };

  it('ends with verdict, time, findings, branch and report', () => {
    const run = runView({
      status: 'ended',
      verdict: 'passed',
      endedAt: at(2.8),
      findings: counts,
      result,
      reason: 'all steps succeeded',
    });
    expect(resultLines(run, delivered, './devmesh', wide)).toEqual([
      '✔ passed in 2.8 s',
      '  because   all steps succeeded',
      '  findings  2 critical · 6 high · 1 info',
      '  branch    devmesh/0192f3a4 (5 commits) in /home/ann/shop',
      '  report    /x/report.md',
    ]);
  });

  it('says how to get a branch that is not home yet', () => {
    const run = runView({ status: 'ended', verdict: 'passed', endedAt: at(1), result });
    expect(resultLines(run, null, './devmesh', wide).join('\n')).toContain('./devmesh show 6789abcd --fetch');
  });

  it('says that its detail was removed, when, and what to do about it', () => {
    const run = runView({ status: 'ended', verdict: 'passed', endedAt: at(1), prunedAt: '2026-04-01T00:00:00.000Z' });
    expect(resultLines(run, null, './devmesh', wide)).toEqual([
      '✔ passed in 1.0 s',
      '  detail    removed on 2026-04-01: steps, events and artifacts are gone',
      '  cure      for later runs: DEVMESH_RETENTION_DAYS keeps it for longer, export saves it',
    ]);
  });

  it('says that nothing had to be changed', () => {
    expect(
      resultLines(runView({ status: 'ended', verdict: 'passed', endedAt: at(1) }), null, './devmesh', wide).join('\n'),
    ).toContain('none: nothing had to be changed');
  });

  it('says what a stuck run wants', () => {
    const lines = resultLines(
      runView({ status: 'stuck', turnFailures: 5, lastTurnError: 'no space left' }),
      null,
      './devmesh',
      wide,
    ).join('\n');
    expect(lines).toContain('▲ stuck');
    expect(lines).toContain('no space left');
    expect(lines).toContain('./devmesh resume 6789abcd');
  });

  it('names no severity that has no finding', () =>
    expect(findingsText({ critical: 0, high: 0, medium: 0, low: 0, info: 0 }, false)).toBe('none'));
});

describe('headline', () => {
  it('drops the repository before it overflows', () => {
    expect(headline(runView(), wide)).toBe('deliver  run 6789abcd  /home/ann/shop @ cccccccccc');
    expect(headline(runView(), { columns: 30, color: false })).toBe('deliver  run 6789abcd');
  });
});
