import type { MutationScore } from '@devmesh/engine/prover/mutation';
import type { Failure, Proof } from '@devmesh/engine/prover/prove';
import { duration } from '../output/text.js';
import { theme } from '../output/theme.js';

/** Transitions that at least one of the proofs went through, of those that docs/engine.md has. */
export interface Covered {
  readonly all: number;
  readonly hit: number;
  readonly missed: readonly string[];
}

export interface ProofReport {
  readonly revision: string | null;
  readonly seed: number;
  readonly proofs: readonly Proof[];
  readonly coverage: Covered;
  readonly mutants: MutationScore | null;
  readonly verdict: 'held' | 'broken';
}

/** Of the transitions in a full proof, at least this share is gone through. */
const COVERED = 0.95;

export function coveredBy(proofs: readonly Proof[]): Covered {
  const [first] = proofs;
  if (!first) return { all: 0, hit: 0, missed: [] };
  const missed = first.coverage.missed.filter((name) => proofs.every((proof) => proof.coverage.missed.includes(name)));
  return { all: first.coverage.all, hit: first.coverage.all - missed.length, missed };
}

/** `full`: held to the share of transitions and to the mutants, too. */
export function reportOf(
  proofs: readonly Proof[],
  mutants: MutationScore | null,
  about: { readonly revision: string | null; readonly seed: number; readonly full: boolean },
): ProofReport {
  const coverage = coveredBy(proofs);
  const held =
    proofs.every(({ verdict }) => verdict === 'held') &&
    (!about.full || coverage.hit / coverage.all >= COVERED) &&
    (mutants === null || mutants.score === 100);
  return {
    revision: about.revision,
    seed: about.seed,
    proofs,
    coverage,
    mutants,
    verdict: held ? 'held' : 'broken',
  };
}

const count = (value: number): string => value.toLocaleString('en-US');

function failureLines(failure: Failure, self: string, workflow: string): string[] {
  const faults = failure.trace.filter((line) => line.includes('FAULT'));
  const orders = failure.disturbances.length - faults.length;
  return [
    `  seed ${failure.seed}, ${failure.plot}: ${failure.invariant}`,
    ...failure.violations.map((violation) => `    broken: ${violation}`),
    ...(failure.disturbances.length === 0 ? ['    nothing went wrong before'] : []),
    ...faults.map((line) => `    it takes: at ${line.replace('FAULT ', '')}`),
    ...(orders > 0 ? [`    and ${orders} times another order or a wait`] : []),
    `    again: ${self} prove ${workflow} --seed ${failure.seed}`,
    '    the shortest way there that was found, in ms of the mesh:',
    ...failure.trace.map((line) => `      ${line}`),
  ];
}

/** A proof for people. */
export function proofLines(proof: Proof, self: string, color: boolean): string {
  const paint = theme(color);
  const mark = (verdict: string): string => (verdict === 'held' ? paint.good('held  ') : paint.bad('BROKEN'));
  const { crashPairs: pairs, coverage } = proof;
  const lines = [
    `${paint.strong(proof.workflow)}  ${mark(proof.verdict)}`,
    `  ${count(proof.runs)} runs in ${duration(proof.elapsedMs)}: ${count(proof.states)} distinct states, ${count(proof.pairs)} distinct (state, fault) pairs, ${count(proof.pairsPerMinute)} a minute`,
    `  single faults ${proof.singles === 'all' ? 'at every boundary' : 'at some boundaries (the time was up)'}; pairs of crash points: ${count(pairs.run)} run, ${count(pairs.metBefore)} met in a known state, ${count(pairs.left)} left; by chance: ${count(proof.randomRuns)} runs`,
    `  ${coverage.hit} of the ${coverage.all} transitions of docs/engine.md (a workflow has those that its steps can make)`,
    ...Object.entries(proof.invariants).map(([name, verdict]) => `  ${mark(verdict)} ${name}`),
    ...proof.failures.flatMap((failure) => failureLines(failure, self, proof.workflow)),
  ];
  return `${lines.join('\n')}\n`;
}

export function mutantLines({ killed, equivalent, score, results }: MutationScore): string {
  const survivors = results.filter(({ fate }) => fate === 'survived');
  return [
    `mutants: ${killed} of ${results.length - equivalent} found (${score.toFixed(1)} %), ${equivalent} equivalent`,
    ...survivors.map(({ kind, name, why }) => `  survived: ${kind} ${name}: ${why}`),
    '',
  ].join('\n');
}

function proofRow(proof: Proof): string {
  const { workflow, runs, states, pairs, pairsPerMinute, crashPairs, randomRuns, coverage, verdict } = proof;
  const left = crashPairs.left > 0 ? `, ${count(crashPairs.left)} left` : '';
  return `| ${workflow} | ${verdict} | ${count(runs)} | ${count(states)} | ${count(pairs)} | ${count(pairsPerMinute)} | ${proof.singles} | ${count(crashPairs.run)} + ${count(crashPairs.metBefore)}${left} | ${count(randomRuns)} | ${coverage.hit} of ${coverage.all} |`;
}

/** The committed page. */
export function proofPage(report: ProofReport, machine: string): string {
  const { coverage, mutants, proofs } = report;
  const names = Object.keys(proofs[0]?.invariants ?? {});
  const share = ((100 * coverage.hit) / coverage.all).toFixed(1);
  const seeded = mutants?.results.filter(({ kind }) => kind === 'seeded') ?? [];
  const generated = mutants?.results.filter(({ kind }) => kind === 'generated') ?? [];
  const equivalent = mutants?.results.filter(({ fate }) => fate === 'equivalent') ?? [];
  return `# The proof

Written by \`./devmesh prove --full --seed ${report.seed}\` at revision ${report.revision ?? 'unknown'}, on ${machine}. The same as data:
[proof.json](proof.json). What is proved and how: [engine.md](engine.md), and the README of [libs/engine](../libs/engine/README.md).

Verdict: **${report.verdict}**.

The orchestrator's own shell and core run over simulated ports. A run is a row of boundaries: before a request arrives, between its effect and
its answer, after. At every boundary of a run where all goes well, of one with rework, of one with trouble, and of a fork: every single
fault; then, where all goes well and where work is sent back, every pair of crash points (orchestrator, each agent, lost request or answer, second job, paused owner with a takeover). A pair whose second
fault meets a state that it was done to before is counted and not run again. Then chance: kill, duplicate, delay, reorder, pause, by seed.

| workflow | verdict | runs | distinct states | distinct (state, fault) | a minute | single faults | pairs run + met before | by chance | transitions |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
${proofs.map(proofRow).join('\n')}

Invariants, judged by what was committed and by what reached the agents and the world outside, never by what the shell had in mind: ${names.join(', ')}.

Transitions of docs/engine.md, of all workflows together: ${coverage.hit} of ${coverage.all} (${share} %).${coverage.missed.length > 0 ? ` Not gone through: ${coverage.missed.join('; ')}.` : ''}

## Mutants

${mutants ? `${mutants.killed} of ${mutants.results.length - mutants.equivalent} were found: ${mutants.score.toFixed(1)} %. ${seeded.length} were seeded by hand into core, shell and what they stand on; ${generated.length} were generated from the calls of the ports and the events of the transition table, ${equivalent.length} of them equivalent.` : 'Not hunted.'}

### Seeded

| the mesh is broken like this | found by |
| --- | --- |
${seeded.map(({ name, why }) => `| ${name} | ${why.replaceAll(/[0-9a-f-]{36}/g, 'R').replaceAll('|', '\\|')} |`).join('\n')}

### Equivalent

| mutant | why it cannot be found |
| --- | --- |
${equivalent.map(({ name, why }) => `| ${name} | ${why} |`).join('\n')}
`;
}
