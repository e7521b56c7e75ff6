import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, root } from './command.ts';
import { quarantine, quarantineProblems } from '../real-peers/quarantine.ts';
import { countTests, type TestCounts, type VitestReport } from './counts.ts';

/** Minutes after which a project of tests is killed: a test that hangs must not hang the run. */
const limits = { unit: 10, medium: 10, e2e: 20, crash: 15, real: 35 } as const;

export type TestProject = keyof typeof limits;

export const testProjects = Object.keys(limits) as TestProject[];

/** What runs when nothing is chosen: `real` needs programs that no package brings. */
export const usualProjects = testProjects.filter((project) => project !== 'real');

/** Runs one project of `vitest.config.ts`, showing it live. `filters` are vitest's: parts of file names. */
export async function runTests(project: TestProject, filters: string[]): Promise<TestCounts> {
  const folder = join(root, 'node_modules/.cache/devmesh-check');
  const reportFile = join(folder, `${project}.json`);
  mkdirSync(folder, { recursive: true });
  rmSync(reportFile, { force: true });
  const { exitCode, timedOut } = await runCommand(
    'vitest',
    [
      'run',
      `--project=${project}`,
      '--allowOnly=false',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportFile}`,
      ...(filters.length === 0 ? ['--passWithNoTests'] : filters),
    ],
    { timeoutMs: limits[project] * 60_000, live: true },
  );
  const report = readReport(reportFile);
  if (timedOut) {
    const reason = `the ${project} tests did not end within ${limits[project]} minutes and were killed`;
    return { passed: 0, failed: 1, reasons: [reason] };
  }
  if (report === undefined) {
    const reason = `vitest ended without a report (exit ${exitCode ?? 'by a signal'})`;
    return exitCode === 0 ? { passed: 0, failed: 0, reasons: [] } : { passed: 0, failed: 1, reasons: [reason] };
  }
  if (project !== 'real') return countTests(report, exitCode);
  const counts = countTests(report, exitCode, quarantine);
  const names = report.testResults.flatMap((file) => file.assertionResults.map(({ fullName }) => fullName));
  const problems = quarantineProblems(quarantine, Date.now(), filters.length === 0 ? new Set(names) : null);
  return { ...counts, failed: counts.failed + problems.length, reasons: [...counts.reasons, ...problems] };
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}
