import { fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { mutationScore, type MutationScore } from '@devmesh/engine/prover/mutation';
import { prove as proveWorkflow, type Budget, type Proof } from '@devmesh/engine/prover/prove';
import { readSpecification } from '@devmesh/engine/prover/specification';
import { SIM_CATALOGUE, SIM_WORKFLOWS } from '@devmesh/engine/simulator/scenarios';
import { CLONE, revision } from '../clone.js';
import { EXIT, type CliContext, type ExitCode } from '../context.js';
import { mutantLines, proofLines, proofPage, reportOf, type ProofReport } from '../prove/report.js';
import { provedSubjects, subjectOf, type Subject } from '../prove/subjects.js';

export interface ProveOptions {
  readonly full?: boolean;
  readonly seed?: number;
  readonly minutes?: number;
  readonly json?: boolean;
}

const MINUTES = 1;
/** Runs by chance behind what is exhaustive. */
const FULL_CHANCES = 5_000;
const SEEDS = 2000;
const EQUIVALENT_SEEDS = 50;

function budgetOf(context: CliContext, options: ProveOptions, workflows: number): Budget {
  const began = performance.now();
  const minutes = options.minutes ?? (options.full === true ? Infinity : MINUTES);
  const each = (minutes * 60_000) / workflows;
  return {
    isOver: (_runs, share) => context.interrupted.aborted || performance.now() - began > each * share,
  };
}

async function hunted(context: CliContext, subjects: readonly Subject[]): Promise<MutationScore> {
  const [, ...proved] = subjects;
  const workflows = [
    ...proved,
    ...Object.values(SIM_WORKFLOWS).map((workflow) => ({ workflow, catalogue: SIM_CATALOGUE })),
  ];
  return mutationScore({
    workflows,
    seeds: SEEDS,
    equivalentSeeds: EQUIVALENT_SEEDS,
    onResult: () => context.interrupted.throwIfAborted(),
  });
}

/** The proof of one workflow by a process of its own: all of them at once use all cores. */
async function apart(context: CliContext, name: string, options: ProveOptions): Promise<Proof> {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const given = Object.entries({ seed: options.seed, minutes: options.minutes });
  const args = given.flatMap(([option, value]) => (value === undefined ? [] : [`--${option}`, String(value)]));
  // The channel tells the process when this one is gone, however it went.
  const child = fork(main, ['prove', name, '--full', '--json', ...args], {
    cwd: context.cwd,
    env: context.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    signal: context.interrupted,
  });
  let failure: Error | undefined;
  child.once('error', (error) => (failure = error));
  const [stdout, stderr] = await Promise.all(
    [child.stdout, child.stderr].map((from) => (from ? text(from) : Promise.resolve(''))),
  );
  // It ends with 1 when a promise is broken, and says so in its report.
  const [proof] = stdout?.startsWith('{"revision"') ? (JSON.parse(stdout) as ProofReport).proofs : [];
  if (!proof) throw new Error(`the proof of ${name} ended without a report: ${stderr}`, { cause: failure });
  return proof;
}

/**
 * Puts workflows through every fault, on the engine that ships and without a mesh. Without a name: those of the committed proof, and its
 * report is written.
 */
export async function prove(context: CliContext, given: string | undefined, options: ProveOptions): Promise<ExitCode> {
  const { out, self } = context;
  const all = given === undefined;
  const full = options.full === true;
  const seed = options.seed ?? 1;
  const specification = readSpecification(readFileSync(join(CLONE, 'docs/engine.md'), 'utf8'));
  const subjects = all ? provedSubjects() : [await subjectOf(context, given)];
  const say = (text: string): void => {
    if (options.json !== true) out.write(text);
  };
  const proved = async ({ name, workflow, catalogue }: Subject): Promise<Proof> => {
    const proof =
      all && full
        ? await apart(context, name, options)
        : await proveWorkflow({
            workflow,
            catalogue,
            specification,
            seed,
            budget: budgetOf(context, options, subjects.length),
            randomRuns: full ? FULL_CHANCES : Infinity,
            clock: () => performance.now(),
          });
    context.interrupted.throwIfAborted();
    say(`${proofLines(proof, self, out.color)}\n`);
    return proof;
  };
  const proofs: Proof[] = [];
  let mutants: MutationScore | null = null;
  if (all && full) {
    const parts = Promise.all(subjects.map(proved));
    mutants = await hunted(context, subjects);
    proofs.push(...(await parts));
  } else for (const subject of subjects) proofs.push(await proved(subject));
  if (mutants) say(`${mutantLines(mutants)}\n`);
  const report = reportOf(proofs, mutants, { revision: await revision(), seed, full: all && full });
  if (all && full) {
    const machine = `${availableParallelism()} cores, a process for each workflow, Node.js ${process.versions.node}, ${process.platform}-${process.arch}`;
    writeFileSync(join(CLONE, 'docs/proof.json'), `${JSON.stringify(report, null, 2)}\n`);
    writeFileSync(join(CLONE, 'docs/proof.md'), proofPage(report, machine));
    say('written: docs/proof.md, docs/proof.json\n');
  }
  if (options.json === true) out.write(`${JSON.stringify(report)}\n`);
  else if (all) say(`${report.coverage.hit} of ${report.coverage.all} transitions; ${report.verdict}\n`);
  return report.verdict === 'held' ? EXIT.passed : EXIT.failed;
}
