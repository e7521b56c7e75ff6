import { ACTION_CATALOGUE, catalogueOf } from '@devmesh/contracts/catalogue';
import { describe, expect, it } from 'vitest';
import { parseWorkflow } from './parse.js';
import { CATALOGUE } from './testing/fixtures.js';

function lastSteps(source: string): unknown[] {
  const parsed = parseWorkflow(`name: test\n${source}`, ACTION_CATALOGUE);
  expect(parsed.problems).toEqual([]);
  return (parsed.workflow?.steps ?? []).flatMap(({ id, needs, always }) =>
    id.startsWith('finish-') ? [{ id, needs, always }] : [],
  );
}

describe('the implicit last steps', () => {
  it('integrate a patch that reaches no integrating step, behind everything, and then report', () => {
    const source = 'steps:\n  - { id: a, action: cicd/generate }\n  - { id: b, action: code-review/review }';
    expect(lastSteps(source)).toEqual([
      { id: 'finish-integrate', needs: ['a', 'b'], always: true },
      { id: 'finish-report', needs: ['finish-integrate'], always: true },
    ]);
  });

  it('leave a patch alone that an integrating step takes, however far down', () => {
    const source = [
      'steps:',
      '  - { id: a, action: cicd/generate }',
      '  - { id: b, action: code-review/review, needs: a }',
      '  - { id: c, action: feature-dev/integrate, needs: b }',
    ].join('\n');
    expect(lastSteps(source)).toEqual([{ id: 'finish-report', needs: ['c'], always: true }]);
  });

  it('are added by branches too: what a goto branch leads to follows', () => {
    const source = [
      'steps:',
      '  - { id: a, action: cicd/generate, on_success: b }',
      '  - { id: b, action: feature-dev/integrate }',
    ].join('\n');
    expect(lastSteps(source)).toEqual([{ id: 'finish-report', needs: ['b'], always: true }]);
  });

  it('are not added when a step reports, when the workflow says so, or when no agent could do them', () => {
    expect(lastSteps('steps:\n  - { id: r, action: documentation/report }')).toEqual([]);
    expect(lastSteps('finish: false\nsteps:\n  - { id: a, action: cicd/generate }')).toEqual([]);
    const source = 'name: test\nsteps:\n  - agent: worker';
    expect(parseWorkflow(source, CATALOGUE).workflow?.steps).toHaveLength(1);
    expect(parseWorkflow(source, catalogueOf([...CATALOGUE.values()])).workflow?.steps).toHaveLength(1);
  });
});
