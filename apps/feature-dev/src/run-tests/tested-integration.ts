import type { ActionContext } from '@devmesh/agent-kit/action-context';
import type { ProposedPatch, TestsOfChange } from '@devmesh/contracts/actions/feature-dev';
import { RepositoryRef } from '@devmesh/contracts/repository';
import { DEFAULT_LIMITS } from '@devmesh/sandbox/outcome';
import { runInSandbox } from '@devmesh/sandbox/run-in-sandbox';
import type { FixPatch } from '../apply-fixes/fix-patch.js';
import type { Integrated } from '../integrate/integrate-patches.js';
import { planTests, type PlannedTests } from './plan-tests.js';
import { suiteResult, type SuiteResult } from './suite-result.js';
import { whatPasses } from './what-passes.js';

type Patches = readonly ProposedPatch[];

/** What a change is made of, and how commits are made of it. */
export interface ChangeParts {
  /** Patches of other agents. */
  readonly others: Patches;
  readonly round: FixPatch;
  readonly integrate: (others: Patches, round: FixPatch) => Promise<Integrated>;
}

export interface TestedIntegration {
  readonly integrated: Integrated;
  /** As far as the tests stand it. */
  readonly round: FixPatch;
  /** Titles of what turned red what was green, and is not in it. */
  readonly rejected: readonly string[];
  readonly tests: TestsOfChange;
}

/** What can be left out by itself: the patch of another agent, or the fixes of one file. */
type Part =
  | { readonly kind: 'patch'; readonly patch: NonNullable<ProposedPatch> }
  | { readonly kind: 'fixes'; readonly file: string };

/** Most runs of the tests that look for what turned them red, and when the last one begins, ms. */
const SEARCHES = 10;
const SEARCH_MS = 150_000;

/** A suite with what it came to on a tree. */
interface Tried {
  readonly suite: PlannedTests;
  readonly result: SuiteResult;
}

/**
 * Integrates, and runs the tests of the repository before and after. What turns a green suite red is looked for by halves and left out: the
 * patches of others one by one, fixes by file. Suites that were red before, or can't be run, judge nothing, and are told.
 */
export async function testedIntegration(
  context: ActionContext<unknown>,
  start: RepositoryRef,
  parts: ChangeParts,
): Promise<TestedIntegration> {
  const { round } = parts;
  const integrated = await parts.integrate(parts.others, round);
  const kept = (tests: Omit<TestsOfChange, 'suites'>, suites: TestsOfChange['suites'] = []): TestedIntegration => ({
    integrated,
    round,
    rejected: [],
    tests: { ...tests, suites },
  });
  if (integrated.repository.commit === start.commit)
    return kept({ verdict: 'not_judged', summary: 'nothing was changed, so no tests were run' });
  const before = await testsBefore(context, start);
  if (before.length === 0)
    return kept({ verdict: 'not_judged', summary: 'no tests were found: no command for them in any manifest' });
  const green = before.filter(({ result }) => result.state === 'green').map(({ suite }) => suite);
  if (green.length === 0)
    return kept(
      { verdict: 'not_judged', summary: told(...notJudged(before)) },
      before.map((one) => suiteOf(one)),
    );
  // What can't be asked is never passed over in silence.
  const others = notJudged(before.filter(({ result }) => result.state !== 'green'));
  const after = await testsAfter(context, integrated.repository, green);
  const suites = before.map((one) => suiteOf(one, after));
  const reds = after.filter(({ result }) => result.state !== 'green');
  if (reds.length === 0)
    return kept(
      { verdict: 'accepted', summary: told(`the tests pass as before: ${namesOf(green)}`, ...others) },
      suites,
    );
  const summary = told(redInWords(reds), ...others);
  return { ...(await whatTheyStand(context, parts, green, summary)), tests: { verdict: 'rejected', summary, suites } };
}

/** Of a change that turns `green` red as much as does not. */
async function whatTheyStand(
  context: ActionContext<unknown>,
  parts: ChangeParts,
  green: readonly PlannedTests[],
  reason: string,
): Promise<Omit<TestedIntegration, 'tests'>> {
  const make = async (some: readonly Part[]): Promise<{ integrated: Integrated; round: FixPatch }> => {
    const files = new Set(some.flatMap((part) => (part.kind === 'fixes' ? part.file : [])));
    const round = files.size === parts.round.files.length ? parts.round : await parts.round.only(files, reason);
    const others = some.flatMap((part) => (part.kind === 'patch' ? part.patch : []));
    return { integrated: await parts.integrate(others, round), round };
  };
  const startedAt = performance.now();
  let asked = 0;
  const passes = async (some: readonly Part[]): Promise<boolean> => {
    asked += 1;
    const { integrated } = await make(some);
    const after = await testsAfter(context, integrated.repository, green);
    return after.every(({ result }) => result.state === 'green');
  };
  const all: Part[] = [
    ...parts.others.flatMap((patch) => (patch ? [{ kind: 'patch' as const, patch }] : [])),
    ...parts.round.files.map((file) => ({ kind: 'fixes' as const, file })),
  ];
  const mayAsk = (): boolean => asked < SEARCHES && performance.now() - startedAt < SEARCH_MS;
  const { kept, rejected } = await whatPasses(all, passes, mayAsk);
  return { ...(await make(kept)), rejected: titlesOf(rejected) };
}

function titlesOf(parts: readonly Part[]): string[] {
  const patches = parts.flatMap((part) => (part.kind === 'patch' ? part.patch.patch.title : []));
  const files = parts.flatMap((part) => (part.kind === 'fixes' ? part.file : []));
  if (files.length === 0) return patches;
  const more = files.length > 3 ? ` and ${files.length - 3} more` : '';
  return [...patches, `Fixes in ${files.slice(0, 3).join(', ')}${more}`.slice(0, 300)];
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

/** As long as a summary may be. */
function told(...parts: readonly string[]): string {
  return parts.join('; ').slice(0, 1000);
}

function namesOf(suites: readonly PlannedTests[]): string {
  return suites.map(({ shown, root }) => (root === '.' ? shown : `${shown} in ${root}`)).join(', ');
}

/** Of suites that judge nothing: why. */
function notJudged(suites: readonly Tried[]): string[] {
  const said = suites.map(({ suite, result }) =>
    result.state === 'red'
      ? `${namesOf([suite])} is red without the change (${result.why})`
      : `${namesOf([suite])} can't be run: ${result.why}`,
  );
  return said.length === 0 ? [] : [`not judged by tests: ${said.join('; ')}`];
}

function redInWords(reds: readonly Tried[]): string {
  const said = reds.map(({ suite, result }) => {
    const names = result.failed.length > 0 ? result.failed.slice(0, 5).join(', ') : result.why;
    return `${names} (${namesOf([suite])})`;
  });
  return `tests went red with the change: ${said.join('; ')}`;
}
