import { EQUIVALENTS } from './equivalents.js';
import { generatedMutants } from './generated-mutants.js';
import { hunt, type Hunted, type Kill } from './hunt.js';
import { SEEDED_MUTANTS } from './seeded-mutants.js';

export interface MutantResult {
  readonly name: string;
  readonly kind: 'seeded' | 'generated';
  /** `equivalent`: it survived, and a proof says why it had to. */
  readonly fate: 'killed' | 'equivalent' | 'survived';
  /** What it was found by, or why it cannot be. */
  readonly why: string;
  readonly runs: number;
}

export interface MutationScore {
  readonly killed: number;
  readonly equivalent: number;
  /** In a hundred, of those that are not equivalent. */
  readonly score: number;
  readonly results: readonly MutantResult[];
}

export interface MutationOptions {
  readonly workflows: readonly Hunted[];
  /** Seeds that a mutant may take to be found; and one that is said to be equivalent, to show that it is not. */
  readonly seeds: number;
  readonly equivalentSeeds: number;
  readonly onResult?: (result: MutantResult) => void;
}

function resultOf(
  name: string,
  kind: MutantResult['kind'],
  kill: Kill | null,
  seen: ReadonlySet<string>,
): MutantResult {
  const proof = kind === 'generated' ? EQUIVALENTS[name] : undefined;
  if (kill && proof !== undefined)
    return { name, kind, fate: 'survived', why: `said to be equivalent, but: ${kill.by}`, runs: kill.runs };
  if (kill) return { name, kind, fate: 'killed', why: kill.by, runs: kill.runs };
  if (proof !== undefined) return { name, kind, fate: 'equivalent', why: proof, runs: 0 };
  const others = [...seen].slice(0, 3).join('; ');
  return { name, kind, fate: 'survived', why: others === '' ? 'no promise broke' : `only: ${others}`, runs: 0 };
}

/** Hunts every mutant, those broken by hand and those that were generated. One that survives without a proof counts against the score. */
export async function mutationScore(options: MutationOptions): Promise<MutationScore> {
  const { workflows, seeds, equivalentSeeds, onResult } = options;
  const mutants = [
    ...SEEDED_MUTANTS.map((mutant) => ({ ...mutant, kind: 'seeded' as const })),
    ...generatedMutants().map((mutant) => ({ ...mutant, kind: 'generated' as const, found: /./ })),
  ];
  const results: MutantResult[] = [];
  for (const { name, kind, flaw, found } of mutants) {
    const seen = new Set<string>();
    const isEquivalent = kind === 'generated' && EQUIVALENTS[name] !== undefined;
    const kill = await hunt(flaw, workflows, isEquivalent ? equivalentSeeds : seeds, found, (violation) =>
      seen.add(violation),
    );
    const result = resultOf(name, kind, kill, seen);
    results.push(result);
    onResult?.(result);
  }
  const count = (fate: MutantResult['fate']) => results.filter((result) => result.fate === fate).length;
  const [killed, equivalent] = [count('killed'), count('equivalent')];
  return { killed, equivalent, score: (100 * killed) / Math.max(1, results.length - equivalent), results };
}
