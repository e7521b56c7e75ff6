import { ACTION_CATALOGUE } from '@devmesh/contracts/catalogue';
import { STEP_TRANSITIONS } from '@devmesh/workflow/state';
import { parseWorkflow } from '@devmesh/workflow/parse';
import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { NO_FAULTS } from '../simulator/scenarios.js';
import { OUTCOME_ROWS } from './coverage.js';
import { Explorer, explorePairs, exploreSingles } from './explore.js';
import { Coverage } from './coverage.js';
import { plotOf } from './plots.js';
import { prove, type Proof } from './prove.js';
import { PROOF_CATALOGUE, PROVED_WORKFLOWS } from './proved-workflows.js';
import { readSpecification } from './specification.js';

vi.setConfig({ testTimeout: 150_000 });

const read = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const specification = readSpecification(read('docs/engine.md'));

function workflowOf(name: string) {
  const source = PROVED_WORKFLOWS[name];
  const parsed =
    source === undefined
      ? parseWorkflow(read(`workflows/${name}.yaml`), ACTION_CATALOGUE)
      : parseWorkflow(source, PROOF_CATALOGUE);
  if (parsed.workflow === null) throw new Error(JSON.stringify(parsed.problems));
  return { workflow: parsed.workflow, catalogue: source === undefined ? ACTION_CATALOGUE : PROOF_CATALOGUE };
}

function sample(name: string, runs: number, randomRuns: number): Promise<Proof> {
  return prove({
    ...workflowOf(name),
    specification,
    seed: 1,
    randomRuns,
    budget: { isOver: (count, share) => count >= runs * share },
    clock: () => performance.now(),
  });
}

describe('the specification', () => {
  it('has the transitions of the code in its diagram, and no others', () => {
    const coded = Object.entries(STEP_TRANSITIONS).flatMap(([event, { from, to }]) =>
      from.flatMap((one) => to.map((other) => `step ${one} -> ${other} by ${event}`)),
    );
    const drawn = specification.transitions.filter(
      (name) => name.startsWith('step ') && !/ by (RunCreated|ReworkStarted)$/.test(name),
    );
    // What leaves a step as it is has no arrow.
    expect(drawn.toSorted()).toEqual(coded.filter((name) => !name.endsWith(' by BranchTaken')).toSorted());
  });

  it('has a row for every outcome that is counted, and no others', () => {
    const rows = specification.transitions.filter((name) => name.startsWith('outcome '));
    expect(rows).toEqual(Object.keys(OUTCOME_ROWS).map((row) => `outcome ${row}`));
  });
});

describe('a seeded sample of every fault', () => {
  it('breaks no promise of deliver and of the three workflows, and goes through the specification', async () => {
    const missed: ReadonlySet<string>[] = [];
    for (const name of ['deliver', ...Object.keys(PROVED_WORKFLOWS)]) {
      const { failures, coverage, pairs, states } = await sample(name, 1_100, 220);
      expect(failures, name).toEqual([]);
      expect(pairs, name).toBeGreaterThan(1_000);
      expect(states, name).toBeGreaterThan(5_000);
      missed.push(new Set(coverage.missed));
    }
    const never = specification.transitions.filter((transition) => missed.every((one) => one.has(transition)));
    expect(never.length / specification.transitions.length, never.join('\n')).toBeLessThanOrEqual(0.05);
  });

  it('finds again what it found, from the seed alone', async () => {
    const { elapsedMs: _one, pairsPerMinute: _rate, ...first } = await sample('release', 120, 20);
    const { elapsedMs: _other, pairsPerMinute: _again, ...second } = await sample('release', 120, 20);
    expect(second).toEqual(first);
  });

  it('tells a failure with its seed and the one disturbance that it takes', async () => {
    const { workflow, catalogue } = workflowOf('deliver');
    const { verdict, failures } = await prove({
      workflow,
      catalogue,
      specification,
      seed: 7,
      randomRuns: 0,
      budget: { isOver: (count) => count >= 300 },
      clock: () => performance.now(),
      flaw: { habits: { joins: false } },
    });
    expect(verdict).toBe('broken');
    expect(failures[0]).toMatchObject({ seed: 7, invariant: 'no finished step is done again' });
    expect(failures[0]?.disturbances).toHaveLength(1);
    expect(failures[0]?.trace.filter((line) => line.includes('FAULT'))).toHaveLength(1);
  });
});

describe('pairs whose second crash meets a state that it met before', () => {
  it('break no promise either: leaving them out leaves nothing out', async () => {
    const { workflow, catalogue } = workflowOf('purchase');
    const { script, people } = plotOf(workflow, catalogue, 'smooth');
    const scenario = { seed: 1, workflow, catalogue, script, people, runs: 1, orchestrators: 2, faults: NO_FAULTS };
    const explorer = new Explorer(
      new Coverage(specification),
      () => [],
      1,
      (count) => count % 40 === 0,
    );
    const { pairs } = await exploreSingles(explorer, scenario, 'smooth', true, () => false);
    expect(pairs.length).toBeGreaterThan(400);
    await explorePairs(
      explorer,
      scenario,
      'smooth',
      pairs.filter((_, index) => index % 20 === 0),
      () => false,
    );
    expect(explorer.findings).toEqual([]);
  });
});
