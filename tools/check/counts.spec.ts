import { NOT_TO_BE_HAD } from '@devmesh/testing/peers';
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

  it.each(['skipped', 'pending'])('names what is %s for want of a peer, and counts it neither way', (status) => {
    const assertionResults = [
      { fullName: 'with Consul', status: 'passed' },
      { fullName: `with Jaeger (jaeger ${NOT_TO_BE_HAD}) shows it`, status },
    ];
    const file = { name: 'a.spec.ts', status: 'passed', message: '', assertionResults };
    expect(countTests({ success: true, testResults: [file] }, 0)).toEqual({
      passed: 1,
      failed: 0,
      reasons: [],
      notToBeHad: [`with Jaeger (jaeger ${NOT_TO_BE_HAD}) shows it`],
    });
  });

  it('names a failure that is quarantined, and counts it neither way; others count', () => {
    const quarantine = [{ name: 'test 1', until: '2026-01-31', why: 'its port' }];
    expect(countTests(report('passed', 'failed'), 1, quarantine)).toEqual({
      passed: 1,
      failed: 0,
      reasons: [],
      quarantined: ['test 1 (until 2026-01-31: its port)'],
    });
    expect(countTests(report('failed', 'failed'), 1, quarantine)).toMatchObject({ passed: 0, failed: 1 });
    expect(countTests(report('passed', 'passed'), 0, quarantine)).toEqual({ passed: 2, failed: 0, reasons: [] });
    // One that does not run at all is no flaky one.
    expect(countTests(report('passed', 'skipped'), 0, quarantine)).toMatchObject({ passed: 1, failed: 1 });
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
