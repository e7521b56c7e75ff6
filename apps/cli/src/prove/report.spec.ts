import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROVED_WORKFLOWS } from '@devmesh/engine/prover/proved-workflows';
import type { Proof } from '@devmesh/engine/prover/prove';
import { describe, expect, it } from 'vitest';
import { CLONE } from '../clone.js';
import { proofLines, reportOf, type ProofReport } from './report.js';

function proof(missed: readonly string[], over: Partial<Proof> = {}): Proof {
  return {
    workflow: 'deliver',
    seed: 7,
    verdict: 'held',
    invariants: { 'nothing is lost': 'held' },
    runs: 10,
    states: 200,
    pairs: 20,
    pairsPerMinute: 20,
    elapsedMs: 60_000,
    singles: 'all',
    crashPairs: { run: 5, left: 0, metBefore: 2 },
    randomRuns: 3,
    coverage: { all: 20, hit: 20 - missed.length, missed },
    hits: {},
    failures: [],
    ...over,
  };
}
const about = { revision: 'abc', seed: 7, full: true };
const mutants = { killed: 9, equivalent: 1, score: 100, results: [] };

describe('a report', () => {
  it('counts a transition as gone through when one of the workflows went through it', () => {
    const { coverage, verdict } = reportOf([proof(['a', 'b', 'c']), proof(['c', 'd'])], mutants, about);
    expect(coverage).toEqual({ all: 20, hit: 19, missed: ['c'] });
    expect(verdict).toBe('held');
  });

  it.each([
    ['a promise is broken', [proof([], { verdict: 'broken' })], mutants],
    ['less than 95 % were gone through', [proof(['a', 'b'])], mutants],
    ['a mutant survived', [proof([])], { ...mutants, score: 99 }],
  ] as const)('of the whole proof says broken when %s', (_why, proofs, hunted) => {
    expect(reportOf(proofs, hunted, about).verdict).toBe('broken');
  });

  it('of one workflow is not held to transitions that it cannot make', () => {
    expect(reportOf([proof(['a', 'b'])], null, { ...about, full: false }).verdict).toBe('held');
  });

  it('tells a failure with its seed, what it takes in words, and the trace', () => {
    const failure = {
      seed: 7,
      plot: 'smooth',
      invariant: 'nothing is lost',
      violations: ['run x ended as failed'],
      disturbances: [{ at: 3, kind: 'crash', of: 0 }],
      trace: ['0 orchestrator-1.1 takes 00', '0 FAULT orchestrator-1.1 dies', '5 due 00'],
    };
    const text = proofLines(
      proof([], { verdict: 'broken', invariants: { 'nothing is lost': 'broken' }, failures: [failure] }),
      './devmesh',
      false,
    );
    expect(text).toContain('BROKEN nothing is lost');
    expect(text).toContain('broken: run x ended as failed');
    expect(text).toContain('it takes: at 0 orchestrator-1.1 dies');
    expect(text).toContain('./devmesh prove deliver --seed 7');
    expect(text).toContain('      5 due 00');
  });
});

describe('the committed proof', () => {
  const committed = JSON.parse(readFileSync(join(CLONE, 'docs/proof.json'), 'utf8')) as ProofReport;

  it('held, with the revision that it is of, and every mutant found', () => {
    expect(committed).toMatchObject({ verdict: 'held', mutants: { score: 100 } });
    expect(committed.revision).toMatch(/^[0-9a-f]{12}$/);
    expect(committed.coverage.hit / committed.coverage.all).toBeGreaterThanOrEqual(0.95);
  });

  it('is of the main job and of every workflow that is to be proved', () => {
    expect(committed.proofs.map(({ workflow }) => workflow)).toEqual(['deliver', ...Object.keys(PROVED_WORKFLOWS)]);
    for (const { workflow, singles, pairsPerMinute } of committed.proofs) {
      expect(singles, workflow).toBe('all');
      expect(pairsPerMinute, workflow).toBeGreaterThan(10_000);
    }
  });
});
