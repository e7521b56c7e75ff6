import { RunGraph } from '@devmesh/contracts/run-graph';
import { PreviewRun, type RunPreview } from '@devmesh/contracts/run-preview';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { happened, record, RUN, stored, WORKFLOW, WORKFLOW_DIGEST } from '../testing/history.js';
import { scriptKeys, scriptRun } from '../testing/scripted-mesh.js';
import { OTHER_KEY, TestGateway } from '../testing/test-gateway.js';

const gateway = new TestGateway();
beforeAll(() => gateway.start());
afterAll(() => gateway.close());
beforeEach(() => scriptKeys(gateway));
afterEach(() => {
  gateway.endTest();
});

const { created, scheduled } = happened;

describe('a graph', () => {
  it('of a run has the status of its steps, as data and in Mermaid', async () => {
    scriptRun(gateway, record(), stored(created(), scheduled(1, 'implement')));
    const graph = RunGraph.parse(await (await gateway.call(`/v1/runs/${RUN}/graph`)).json());
    expect(graph.nodes.map(({ id, status }) => [id, status])).toEqual([
      ['implement', 'running'],
      ['review', 'pending'],
      ['report', 'pending'],
    ]);
    const drawn = await gateway.call(`/v1/runs/${RUN}/graph?format=mermaid`);
    expect(drawn.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(await drawn.text()).toMatch(/^flowchart TD\n.*:::running\n/);
  });

  it('of a workflow has none', async () => {
    gateway.orchestrator.on('GET /v1/workflows/deliver', () => WORKFLOW);
    const graph = RunGraph.parse(await (await gateway.call('/v1/workflows/deliver/graph')).json());
    expect(graph.nodes.map(({ status }) => status)).toEqual([null, null, null]);
  });

  it('of a run of another project is not there', async () => {
    scriptRun(gateway, record(), []);
    const headers = { authorization: `Bearer ${OTHER_KEY}` };
    expect((await gateway.call(`/v1/runs/${RUN}/graph`, { headers })).status).toBe(404);
  });
});

describe('a preview', () => {
  it('takes the body of a submit, and clones and submits nothing', async () => {
    const preview: RunPreview = {
      workflow: { name: 'deliver', digest: WORKFLOW_DIGEST },
      plan: null,
      waves: [['implement'], ['review']],
      otherwise: [],
      steps: [],
      approvals: [],
      missingAgents: ['feature-dev'],
      limits: { timeoutMs: null, maxParallelAgents: null, maxConcurrentRuns: null },
    };
    gateway.orchestrator.on('POST /v1/runs/preview', () => preview);
    const body = { workflow: { name: 'deliver' }, repository: { url: 'https://nowhere.invalid/x.git' } };
    const response = await gateway.post('/v1/runs/preview', body);
    expect([response.status, await response.json()]).toEqual([200, preview]);
    expect(gateway.orchestrator.calls.map(({ json }) => PreviewRun.parse(json))).toEqual([
      { task: '', workflow: { name: 'deliver' }, repository: true },
    ]);
  });
});
