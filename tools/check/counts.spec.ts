import { describe, expect, it } from 'vitest';
import { countTests, type VitestReport } from './counts.ts';

function report(...statuses: string[]): VitestReport {
  const assertionResults = statuses.map((status, index) => ({ fullName: `test ${index}`, status }));
  const status = statuses.includes('failed') ? 'failed' : 'passed';
  return { success: status === 'passed', testResults: [{ name: 'a.spec.ts', status, message: '', assertionResults }] };
}

describe('countTests', () => {
  it('counts each test as one', () => {
    expect(countTests(report('passed', 'failed', 'passed'), 1)).toEqual({ passed: 2, failed: 1, reasons: [] });
  });

  it.each(['skipped', 'pending', 'todo', 'disabled'])('counts a test that is %s as failed, and says so', (status) => {
    const counts = countTests(report('passed', status), 0);
    expect(counts).toMatchObject({ passed: 1, failed: 1 });
    expect(counts.reasons).toEqual([`a.spec.ts: "test 1" is ${status}: make it run, or delete it`]);
  });

  it('counts a file that could not be loaded', () => {
    const file = { name: 'b.spec.ts', status: 'failed', message: 'no such module\n  at …', assertionResults: [] };
    expect(countTests({ success: false, testResults: [file] }, 1)).toEqual({
      passed: 0,
      failed: 1,
      reasons: ['b.spec.ts: no such module'],
    });
  });

  it('counts a run that failed though all its tests passed', () => {
    expect(countTests(report('passed'), 1)).toMatchObject({ passed: 1, failed: 1 });
    expect(countTests(report('passed'), null)).toMatchObject({ passed: 1, failed: 1 });
  });
});
