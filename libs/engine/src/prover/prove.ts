import type { ActionCatalogue } from '@devmesh/contracts/catalogue';
import type { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { Random } from '../simulator/random.js';
import { EVERYTHING, NO_FAULTS, type Flaw, type Scenario } from '../simulator/scenarios.js';
import { chance } from '../simulator/simulate.js';
import { Coverage } from './coverage.js';
import { Explorer, explorePairs, exploreSingles, type Finding, type Singles } from './explore.js';
import { INVARIANT_NAMES, invariantOf } from './invariants.js';
import { ofPlot, plotOf, type MoodName, type Plot } from './plots.js';
import { inheritedBy, Judge } from './reference.js';
import { shrink } from './shrink.js';
import type { Specification } from './specification.js';

/** Until when to explore. What is exhaustive ends by itself. */
export interface Budget {
  /** Told the number of runs so far, and the share of the whole that the part under way may use, 0 to 1. */
  isOver(runs: number, share: number): boolean;
}

export interface ProveOptions {
  readonly workflow: WorkflowDefinition;
  readonly catalogue: ActionCatalogue;
  readonly specification: Specification;
  readonly seed: number;
  readonly budget: Budget;
  /** Random runs after the systematic ones; Infinity: until the budget is used up. */
  readonly randomRuns: number;
  readonly flaw?: Flaw;
  /** Milliseconds, for the rates alone. */
  readonly clock: () => number;
}

/** A promise that was broken, with the shortest way there that was found. */
export interface Failure {
  readonly seed: number;
  readonly plot: string;
  readonly invariant: string;
  readonly violations: readonly string[];
  readonly disturbances: readonly object[];
  readonly trace: readonly string[];
}

export interface Proof {
  readonly workflow: string;
  readonly seed: number;
  readonly verdict: 'held' | 'broken';
  readonly invariants: Readonly<Record<string, 'held' | 'broken'>>;
  readonly runs: number;
  readonly states: number;
  readonly pairs: number;
  readonly pairsPerMinute: number;
  readonly elapsedMs: number;
  /** Systematic part: whether the single faults were all run; pairs of crash points run, left by the budget, and met before. */
  readonly singles: 'all' | 'some';
  readonly crashPairs: { readonly run: number; readonly left: number; readonly metBefore: number };
  readonly randomRuns: number;
  readonly coverage: { readonly all: number; readonly hit: number; readonly missed: readonly string[] };
  readonly hits: Readonly<Record<string, number>>;
  readonly failures: readonly Failure[];
}

/** How the time is shared out: single faults, pairs, chance. */
const SHARES = { singles: 0.4, pairs: 0.75 } as const;
/** A run that has not ended by then never will: calm ones take some hundred. */
const MAX_DECISIONS = 20_000;

function scenarioOf(options: ProveOptions, plot: Plot, over: Partial<Scenario> = {}): Scenario {
  return {
    seed: options.seed,
    workflow: options.workflow,
    runs: 1,
    orchestrators: 2,
    ...ofPlot(plot),
    catalogue: options.catalogue,
    faults: NO_FAULTS,
    maxDecisions: MAX_DECISIONS,
    ...(options.flaw ? { flaw: options.flaw } : {}),
    ...over,
  };
}

const SYSTEMATIC: readonly MoodName[] = ['smooth', 'rework', 'troubled'];
const PAIRED: ReadonlySet<string> = new Set<MoodName>(['smooth', 'rework']);
const ASKED: readonly MoodName[] = [...SYSTEMATIC, 'lastMinute'];

interface SystematicPlot {
  readonly scenario: Scenario;
  readonly name: string;
  /** Also every pair of crash points: where all goes well, and where work is sent back. */
  readonly pairs: boolean;
}

/** Plots that are gone through systematically: a run where all goes well, one with rework, one with trouble, and a fork of the first. */
function systematicPlots(options: ProveOptions): SystematicPlot[] {
  const { workflow, catalogue, seed } = options;
  const asks = workflow.steps.some(({ approval }) => approval !== null);
  const plots = (asks ? ASKED : SYSTEMATIC).map((mood) =>
    plotOf(workflow, catalogue, mood, mood === 'troubled' ? seed : 0),
  );
  const scenarios = plots.map((plot) => ({
    scenario: scenarioOf(options, plot),
    name: plot.name,
    pairs: PAIRED.has(plot.name),
  }));
  const [smooth] = plots;
  const inherited = smooth && inheritedBy(scenarioOf(options, smooth));
  return smooth && inherited
    ? [...scenarios, { scenario: scenarioOf(options, smooth, { inherited }), name: 'fork', pairs: false }]
    : scenarios;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const copy = [...items];
  for (let index = copy.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    const [one, two] = [copy[index], copy[other]];
    if (one === undefined || two === undefined) continue;
    copy[index] = two;
    copy[other] = one;
  }
  return copy;
}

/** Puts the workflow through every fault that the budget allows, on the shell and the core that ship. */
export async function prove(options: ProveOptions): Promise<Proof> {
  const { budget, seed, clock } = options;
  const began = clock();
  const coverage = new Coverage(options.specification);
  const judge = new Judge();
  const explorer = new Explorer(coverage, judge.judge);
  const random = new Random(seed);
  const systematic = systematicPlots(options);
  const found: (Singles & { scenario: Scenario; name: string })[] = [];
  for (const [index, { scenario, name, pairs: paired }] of systematic.entries()) {
    const share = (SHARES.singles * (index + 1)) / systematic.length;
    const singles = await exploreSingles(explorer, scenario, name, paired, () => budget.isOver(explorer.runs, share));
    found.push({ ...singles, scenario, name });
  }
  let pairs = 0;
  for (const [index, { scenario, name, pairs: left }] of found.entries()) {
    const share = SHARES.singles + ((SHARES.pairs - SHARES.singles) * (index + 1)) / found.length;
    const isOver = () => budget.isOver(explorer.runs, share);
    pairs += await explorePairs(explorer, scenario, name, shuffled(left, random), isOver);
  }
  let chances = 0;
  for (; chances < options.randomRuns && !explorer.isDone && !budget.isOver(explorer.runs, 1); chances++) {
    const number = seed + chances;
    const plot = plotOf(options.workflow, options.catalogue, 'troubled', number);
    const scenario = scenarioOf(options, plot, { seed: number, runs: 1 + (number % 2) });
    await explorer.run(scenario, plot.name, chance(number, EVERYTHING));
  }
  const elapsedMs = clock() - began;
  const failures = await Promise.all(explorer.findings.map((finding) => failureOf(finding, judge)));
  const broken = new Set(failures.map(({ invariant }) => invariant));
  const { states, pairs: statePairs } = explorer.counts;
  return {
    workflow: options.workflow.name,
    seed,
    verdict: failures.length === 0 ? 'held' : 'broken',
    invariants: Object.fromEntries(INVARIANT_NAMES.map((name) => [name, broken.has(name) ? 'broken' : 'held'])),
    runs: explorer.runs,
    states,
    pairs: statePairs,
    pairsPerMinute: elapsedMs > 0 ? Math.round((statePairs / elapsedMs) * 60_000) : 0,
    elapsedMs,
    singles: found.every(({ complete }) => complete) ? 'all' : 'some',
    crashPairs: {
      run: pairs,
      left: found.reduce((sum, { pairs: all }) => sum + all.length, 0) - pairs,
      metBefore: explorer.known,
    },
    randomRuns: chances,
    coverage: coverage.report(),
    hits: coverage.counts(),
    failures,
  };
}

async function failureOf({ scenario, plot, report }: Finding, judge: Judge): Promise<Failure> {
  const shortest = await shrink(scenario, report, judge.judge);
  return {
    seed: scenario.seed,
    plot,
    invariant: invariantOf(shortest.violations[0] ?? ''),
    violations: shortest.violations,
    disturbances: shortest.disturbances,
    trace: shortest.trace,
  };
}
