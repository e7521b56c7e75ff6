import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { graphOf } from './graph.js';
import { preview } from './preview.js';
import { graphOfSteps } from './testing/fixtures.js';
import { randomGraph } from './testing/random-run.js';

vi.setConfig({ testTimeout: 60_000 });
const DIGEST = 'a'.repeat(64);

describe('what a run would do if all went well', () => {
  it('is told in waves, with what only other outcomes lead to', () => {
    const graph = graphOfSteps(
      { id: 'plan' },
      { id: 'b', needs: 'plan', when: 'steps.plan.output.n > 3' },
      { id: 'c', needs: 'plan', for_each: '${{ steps.plan.output.items }}', on_failure: 'mend' },
      { id: 'ok', needs: ['b', 'c'], approval: {} },
      { id: 'mend' },
      {
        id: 'last',
        needs: 'ok',
        action: 'judge/act',
        on_rejection: { action: 'retry', target: 'plan', max_attempts: 1 },
      },
    );
    expect(preview(graph, DIGEST)).toEqual({
      waves: [['plan'], ['b', 'c'], ['ok'], ['last']],
      otherwise: ['mend'],
    });
  });

  it('knows how many steps may run at once', () => {
    const graph = graphOfSteps({ id: 'a' }, { id: 'b' }, { id: 'c' });
    const narrow = graphOf({ ...graph.workflow, maxParallelAgents: 2 });
    expect(preview(narrow, DIGEST).waves).toEqual([['a', 'b'], ['c']]);
  });

  it('tells of every workflow each step once, none before what it needs all of', () => {
    fc.assert(
      fc.property(randomGraph, (graph) => {
        const { waves, otherwise } = preview(graph, DIGEST);
        const flat = waves.flat();
        expect(new Set(flat).size).toBe(flat.length);
        const works = graph.workflow.steps.filter(({ kind }) => kind === 'action' || kind === 'approval');
        expect([...flat, ...otherwise].toSorted()).toEqual(works.map(({ id }) => id).toSorted());
        const place = new Map(waves.flatMap((wave, index) => wave.map((id) => [id, index] as const)));
        for (const { id, needs, quorum, always } of works) {
          if (quorum !== null || always) continue;
          for (const need of needs) {
            const [before, own] = [place.get(need), place.get(id)];
            if (before !== undefined && own !== undefined) expect(before).toBeLessThan(own);
          }
        }
      }),
      { numRuns: 300, seed: 20_264 },
    );
  });
});
