import type { ActionContext } from '@devmesh/agent-kit/action-context';
import type { ProposedPatch, TestsOfChange } from '@devmesh/contracts/actions/feature-dev';
import { RepositoryRef } from '@devmesh/contracts/repository';
import { DEFAULT_LIMITS } from '@devmesh/sandbox/outcome';
import { runInSandbox } from '@devmesh/sandbox/run-in-sandbox';
import type { Integrated } from '../integrate/integrate-patches.js';
import { planTests, type PlannedTests } from './plan-tests.js';
import { suiteResult, type SuiteResult } from './suite-result.js';

type Patches = readonly ProposedPatch[];

export interface TestedIntegration {
  readonly integrated: Integrated;
  /** What turned red what was green, and is not in it. */
  readonly rejected: Patches;
  readonly tests: TestsOfChange;
}

/** A suite with what it came to on a tree. */
interface Tried {
  readonly suite: PlannedTests;
  readonly result: SuiteResult;
}

/**
 * Integrates, and runs the tests of the repository before and after. What turns a green suite red is left out: all of it, or one of its
 * two parts, the fixes and the patches of others, when the tests stand the other. Suites that were red before, or can't be run, judge
 * nothing, and are told.
 */
export async function testedIntegration(
  context: ActionContext<unknown>,
  start: RepositoryRef,
  parts: { readonly fixes: Patches; readonly others: Patches },
  integrate: (patches: Patches) => Promise<Integrated>,
): Promise<TestedIntegration> {
  const all = [...parts.others, ...parts.fixes];
  const integrated = await integrate(all);
  const kept = (tests: Omit<TestsOfChange, 'suites'>, suites: TestsOfChange['suites'] = []): TestedIntegration => ({
    integrated,
    rejected: [],
    tests: { ...tests, suites },
  });
  if (integrated.repository.commit === start.commit)
    return kept({ verdict: 'not_judged', summary: 'nothing was changed, so no tests were run' });
  const before = await testsBefore(context, start);
  if (before.length === 0)
    return kept({ verdict: 'not_judged', summary: 'no tests were found: no command for them in any manifest' });
  const green = before.filter(({ result }) => result.state === 'green').map(({ suite }) => suite);
  const told = before.map((one) => suiteOf(one));
  if (green.length === 0) return kept({ verdict: 'not_judged', summary: notJudged(before) }, told);
  const after = await testsAfter(context, integrated.repository, green);
  const suites = before.map((one) => suiteOf(one, after));
  const reds = after.filter(({ result }) => result.state !== 'green');
  if (reds.length === 0)
    return kept({ verdict: 'accepted', summary: `the tests pass as before: ${namesOf(green)}` }, suites);
  const rest = await largestThatPasses(context, parts, integrate, green);
  return { ...rest, tests: { verdict: 'rejected', summary: redInWords(reds), suites } };
}

async function largestThatPasses(
  context: ActionContext<unknown>,
  { fixes, others }: { readonly fixes: Patches; readonly others: Patches },
  integrate: (patches: Patches) => Promise<Integrated>,
  green: readonly PlannedTests[],
): Promise<Pick<TestedIntegration, 'integrated' | 'rejected'>> {
  const isSome = (patches: Patches): boolean => patches.some((patch) => patch !== null);
  if (isSome(fixes) && isSome(others)) {
    for (const [part, rejected] of [
      [others, fixes],
      [fixes, others],
    ] as const) {
      const integrated = await integrate(part);
      const after = await testsAfter(context, integrated.repository, green);
      if (after.every(({ result }) => result.state === 'green')) return { integrated, rejected };
    }
  }
  return { integrated: await integrate([]), rejected: [...others, ...fixes] };
}

async function testsBefore(context: ActionContext<unknown>, start: RepositoryRef): Promise<Tried[]> {
  const { path } = await context.checkout(start);
  const suites = await planTests(path, context.signal);
  return runSuites(context, path, suites, 'before the change');
}

async function testsAfter(
  context: ActionContext<unknown>,
  changed: Integrated['repository'],
  suites: readonly PlannedTests[],
): Promise<Tried[]> {
  const { path } = await context.checkout(RepositoryRef.parse(changed));
  return runSuites(context, path, suites, 'with the change');
}

async function runSuites(
  context: ActionContext<unknown>,
  folder: string,
  suites: readonly PlannedTests[],
  when: 'before the change' | 'with the change',
): Promise<Tried[]> {
  const tried: Tried[] = [];
  // One after the other: they share the time of one.
  let leftMs = DEFAULT_LIMITS.wallMs;
  for (const suite of suites) {
    const { command, root, env, shown } = suite;
    if (command === null) {
      tried.push({ suite, result: { state: 'unrunnable', failed: [], why: suite.why, output: '' } });
      continue;
    }
    context.progress(`running the tests ${when}: ${shown}`);
    const job = { command, folder, within: root, env, limits: { wallMs: Math.max(leftMs, 1) }, signal: context.signal };
    const outcome = await runInSandbox(job);
    if (outcome.kind !== 'unavailable') leftMs -= outcome.elapsedMs;
    tried.push({ suite, result: suiteResult(outcome, when === 'before the change') });
  }
  return tried;
}

function suiteOf({ suite, result }: Tried, after: readonly Tried[] = []): TestsOfChange['suites'][number] {
  const then = after.find((one) => one.suite === suite)?.result;
  const said = then ?? result;
  return {
    root: suite.root,
    command: suite.shown,
    because: suite.because,
    before: result.state,
    after: then?.state ?? null,
    why: said.why.slice(0, 500),
    failed: [...said.failed],
    output: said.output,
  };
}

function namesOf(suites: readonly PlannedTests[]): string {
  return suites.map(({ shown, root }) => (root === '.' ? shown : `${shown} in ${root}`)).join(', ');
}

/** Why nothing was judged: of each suite. */
function notJudged(before: readonly Tried[]): string {
  const said = before.map(({ suite, result }) =>
    result.state === 'red'
      ? `${namesOf([suite])} is red without the change (${result.why})`
      : `${namesOf([suite])} can't be run: ${result.why}`,
  );
  return `not judged by tests: ${said.join('; ')}`.slice(0, 1000);
}

function redInWords(reds: readonly Tried[]): string {
  const said = reds.map(({ suite, result }) => {
    const names = result.failed.length > 0 ? result.failed.slice(0, 5).join(', ') : result.why;
    return `${names} (${namesOf([suite])})`;
  });
  return `tests went red with the change: ${said.join('; ')}`.slice(0, 1000);
}
