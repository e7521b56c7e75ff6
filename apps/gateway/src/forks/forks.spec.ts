import { Problem } from '@devmesh/contracts/errors';
import { ForkRun } from '@devmesh/contracts/fork';
import { RunView } from '@devmesh/contracts/gateway-api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digest, happened, OTHER_RUN, record, RUN, stored, WORKFLOW_DIGEST } from '../testing/history.js';
import { scriptKeys, scriptRun } from '../testing/scripted-mesh.js';
import { OTHER_KEY, TestGateway } from '../testing/test-gateway.js';

const gateway = new TestGateway();
beforeAll(() => gateway.start());
afterAll(() => gateway.close());
beforeEach(() => scriptKeys(gateway));
afterEach(() => {
  gateway.endTest();
});

const { created, scheduled, succeeded, settled, ended } = happened;
const HISTORY = stored(
  created(),
  scheduled(1, 'implement'),
  succeeded(2, 'implement'),
  settled(2, 'implement', 'succeeded'),
  ended(3, 'failed'),
);
const OVER = record({ status: 'ended', verdict: 'failed', reason: 'because', lastSeq: HISTORY.length });

describe('a run that goes on from another one', () => {
  it.each([
    ['retry', undefined, { kind: 'retry', from: null, at: null, input: null }],
    ['rerun', { from: 'review' }, { kind: 'rerun', from: 'review', at: null, input: null }],
    ['fork', { from: 'review', at: 3, input: { x: 1 } }, { kind: 'fork', from: 'review', at: 3, input: { x: 1 } }],
  ])('is made by a %s, and shown with where it comes from', async (verb, body, asked) => {
    const forkOf = { runId: RUN, at: 5, kind: asked.kind as 'retry', from: asked.from };
    const event = { ...created(), forkOf };
    scriptRun(gateway, OVER, HISTORY);
    scriptRun(gateway, record({ id: OTHER_RUN }), stored(event));
    const bodies: unknown[] = [];
    gateway.orchestrator.on(`POST /v1/runs/${RUN}/fork`, ({ json }) => {
      bodies.push(ForkRun.parse(json));
      return { runId: OTHER_RUN, workflow: { name: 'deliver', digest: WORKFLOW_DIGEST }, fresh: true };
    });
    const response = await gateway.post(`/v1/runs/${RUN}/${verb}`, body, { 'idempotency-key': 'once' });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe(`/v1/runs/${OTHER_RUN}`);
    expect(RunView.parse(await response.json())).toMatchObject({ id: OTHER_RUN, forkOf });
    expect(bodies).toEqual([
      {
        ...asked,
        projectId: 'alpha',
        requestedBy: 'ci',
        idempotency: { key: 'once', requestHash: expect.any(String) as string },
      },
    ]);
  });

  it('is refused an input that names content of others, and nothing is made', async () => {
    scriptRun(gateway, OVER, HISTORY);
    gateway.state.on(`GET /v1/runs/${RUN}/artifacts`, () => ({ items: [] }));
    const body = { from: 'review', input: { patch: { digest: digest(90) } } };
    const response = await gateway.post(`/v1/runs/${RUN}/fork`, body);
    expect(response.status).toBe(400);
    expect(Problem.parse(await response.json()).detail).toContain(digest(90));
  });

  it('is refused to another project, in the words for a run that is not there', async () => {
    scriptRun(gateway, OVER, HISTORY);
    const response = await gateway.post(`/v1/runs/${RUN}/retry`, undefined, { authorization: `Bearer ${OTHER_KEY}` });
    expect(Problem.parse(await response.json())).toMatchObject({ code: 'not_found' });
  });
});

describe('a run as it was', () => {
  it('is folded from the events up to that one, and knows nothing of what came later', async () => {
    scriptRun(gateway, OVER, HISTORY);
    const view = RunView.parse(await (await gateway.call(`/v1/runs/${RUN}?at=2`)).json());
    expect(view).toMatchObject({ status: 'running', verdict: null, reason: null, endedAt: null, lastSeq: 2 });
    expect(view.steps[0]).toMatchObject({ id: 'implement', status: 'running' });
    const last = RunView.parse(await (await gateway.call(`/v1/runs/${RUN}?at=5`)).json());
    expect(last).toMatchObject({ status: 'ended', verdict: 'failed', lastSeq: 5 });
  });

  it.each([
    ['an event that is not there', '6', HISTORY, 400, /has 5 events: at is a number from 1 to 5/],
    ['what is no number', '0', null, 400, /at/],
    ['events that were removed', '4', HISTORY.slice(2), 410, /were removed/],
  ])('is refused for %s', async (_about, at, events, status, says) => {
    if (events) scriptRun(gateway, OVER, events);
    const response = await gateway.call(`/v1/runs/${RUN}?at=${at}`);
    expect(response.status).toBe(status);
    expect(Problem.parse(await response.json()).detail).toMatch(says);
  });
});
