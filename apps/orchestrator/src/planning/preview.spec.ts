import { ACTION_CATALOGUE } from '@devmesh/contracts/catalogue';
import { RunPreview } from '@devmesh/contracts/run-preview';
import { describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { previewOf } from './preview.js';
import { WorkflowLibrary } from './workflow-library.js';

const library = new WorkflowLibrary(fileURLToPath(new URL('../../../../workflows', import.meta.url)), ACTION_CATALOGUE);

describe('a preview', () => {
  it('tells what is asked, what acts, who is missing and what bounds it', () => {
    const loaded = library.fromSource(`
name: careful
finish: false
timeout: 1h
max_parallel_agents: 2
steps:
  - { id: look, action: rag-context/index }
  - { id: review, needs: look, action: code-review/review, when: steps.look.status == "succeeded" }
  - { id: ok, needs: review, approval: { title: "Fine?", deadline: 2h } }
`);
    const preview = previewOf(loaded, null, ACTION_CATALOGUE, (agent) => (agent === 'rag-context' ? ['r1'] : []));
    expect(RunPreview.parse(preview)).toMatchObject({
      workflow: { name: 'careful', digest: loaded.digest },
      waves: [['look'], ['review'], ['ok']],
      steps: [
        { id: 'look', effects: 'none', when: null },
        { id: 'review', when: 'steps.look.status == "succeeded"' },
      ],
      approvals: [{ step: 'ok', title: 'Fine?', deadlineMs: 7_200_000, onExpiry: 'reject' }],
      missingAgents: ['code-review'],
      limits: { timeoutMs: 3_600_000, maxParallelAgents: 2, maxConcurrentRuns: null },
    });
  });

  it.each(library.list().map((loaded) => [loaded.definition.name, loaded] as const))(
    'of %s, which is shipped, reaches its report',
    (_name, loaded) => {
      const { waves } = previewOf(loaded, null, ACTION_CATALOGUE, () => []);
      const last = loaded.definition.steps.find(({ action }) => action === 'documentation/report')?.id;
      expect(waves.flat()).toContain(last);
    },
  );
});
