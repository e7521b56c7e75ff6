import type { Quarantined } from '../real-peers/quarantine.ts';

/** In the name of tests that are skipped because `tools/verify-real` could not get what they need. */
const NOT_TO_BE_HAD = 'could not be had';

export interface Counts {
  passed: number;
  failed: number;
}

/** What this needs of the file that vitest's `json` reporter writes. */
export interface VitestReport {
  success: boolean;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

export interface TestCounts extends Counts {
  /** Tests of peers that this machine could not get: they count neither way. */
  notToBeHad?: string[];
  /** Failures of tests that are quarantined, one line each: they count neither way. */
  quarantined?: string[];
  /** Why tests that did not fail by themselves count as failed, one line each. */
  reasons: string[];
}

/**
 * Each test counts as one. A test that did not run (skipped, todo, left out by an `only`) counts as failed, and so does
 * a file that could not be loaded, and a run that failed for another reason, such as an error after its tests.
 */
export function countTests(
  report: VitestReport,
  exitCode: number | null,
  quarantine: readonly Quarantined[] = [],
): TestCounts {
  let passed = 0;
  let failed = 0;
  const reasons: string[] = [];
  const notToBeHad: string[] = [];
  const quarantined: string[] = [];
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'passed') {
        passed += 1;
        continue;
      }
      if ((test.status === 'skipped' || test.status === 'pending') && test.fullName.includes(NOT_TO_BE_HAD)) {
        notToBeHad.push(test.fullName);
        continue;
      }
      const pen = test.status === 'failed' && quarantine.find(({ name }) => name === test.fullName);
      if (pen) {
        quarantined.push(`${pen.name} (until ${pen.until}: ${pen.why})`);
        continue;
      }
      failed += 1;
      if (test.status !== 'failed') {
        reasons.push(`${file.name}: "${test.fullName}" is ${test.status}: make it run, or delete it`);
      }
    }
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
      failed += 1;
      reasons.push(`${file.name}: ${file.message.split('\n')[0] ?? 'the file failed outside its tests'}`);
    }
  }
  // With a quarantined failure the run fails, whatever else was amiss with it.
  if (exitCode !== 0 && failed === 0 && quarantined.length === 0) {
    failed = 1;
    reasons.push(`the tests passed but the run did not (exit ${exitCode ?? 'by a signal'}): see the errors above`);
  }
  return {
    passed,
    failed,
    reasons,
    ...(notToBeHad.length === 0 ? {} : { notToBeHad }),
    ...(quarantined.length === 0 ? {} : { quarantined }),
  };
}
