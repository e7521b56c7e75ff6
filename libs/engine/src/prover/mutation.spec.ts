import { parseWorkflow } from '@devmesh/workflow/parse';
import { describe, expect, it } from 'vitest';
import { SIM_CATALOGUE, SIM_WORKFLOWS } from '../simulator/scenarios.js';
import { EQUIVALENTS } from './equivalents.js';
import { generatedMutants } from './generated-mutants.js';
import { mutationScore } from './mutation.js';
import { PROOF_CATALOGUE, PROVED_WORKFLOWS } from './proved-workflows.js';
import { SEEDED_MUTANTS } from './seeded-mutants.js';

const proved = Object.values(PROVED_WORKFLOWS).flatMap((source) => {
  const { workflow } = parseWorkflow(source, PROOF_CATALOGUE);
  return workflow === null ? [] : [{ workflow, catalogue: PROOF_CATALOGUE }];
});
const workflows = [
  ...proved,
  ...Object.values(SIM_WORKFLOWS).map((workflow) => ({ workflow, catalogue: SIM_CATALOGUE })),
];

describe('a broken mesh', () => {
  it('is found, in each of the ways in which it was broken: the score is 100 %', async () => {
    const { results, score, killed, equivalent } = await mutationScore({ workflows, seeds: 2000, equivalentSeeds: 6 });
    expect(results.filter(({ fate }) => fate === 'survived')).toEqual([]);
    expect(score).toBe(100);
    expect(killed + equivalent).toBe(SEEDED_MUTANTS.length + generatedMutants().length);
  }, 300_000);

  it('was broken by hand in at least 25 ways, in core and shell', () => {
    expect(SEEDED_MUTANTS.length).toBeGreaterThanOrEqual(25);
  });

  it('is said to be equivalent only where such a mutant is', () => {
    const names = new Set(generatedMutants().map(({ name }) => name));
    expect(Object.keys(EQUIVALENTS).filter((name) => !names.has(name))).toEqual([]);
  });
});
