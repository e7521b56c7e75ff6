import { DevmeshError, Problem } from '@devmesh/contracts/errors';
import { RunList, RunView } from '@devmesh/contracts/gateway-api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digest, record, RUN, time } from '../testing/history.js';
import { scriptKeys, scriptRun } from '../testing/scripted-mesh.js';
import { TestGateway } from '../testing/test-gateway.js';

const gateway = new TestGateway();
beforeAll(() => gateway.start());
afterAll(() => gateway.close());
beforeEach(() => {
  scriptKeys(gateway);
});
afterEach(() => {
  gateway.endTest();
});

const ENDED = record({ status: 'ended', verdict: 'rejected', reason: 'not good enough', endedAt: time(9), lastSeq: 7 });
const PRUNED = { ...ENDED, prunedAt: time(99) };

/** A run as state-persistence tells of it once its detail is gone. */
function scriptPruned(): void {
  // The workflow stays, however old the run.
  scriptRun(gateway, PRUNED, []);
  for (const part of ['events', 'artifacts']) {
    gateway.state.on(`GET /v1/runs/${RUN}/${part}`, () => {
      throw new DevmeshError('gone', 'the detail of that run was removed: keep it for longer');
    });
  }
}

describe('a run whose detail was removed', () => {
  it('is still shown, with how it ended and that it was pruned', async () => {
    scriptPruned();
    const view = RunView.parse(await (await gateway.call(`/v1/runs/${RUN}`)).json());
    expect(view).toMatchObject({
      id: RUN,
      status: 'ended',
      verdict: 'rejected',
      reason: 'not good enough',
      endedAt: time(9),
      prunedAt: time(99),
      steps: [],
    });
  });

  it('is listed as such', async () => {
    gateway.state.on('GET /v1/runs', () => ({ items: [PRUNED, ENDED], nextCursor: null }));
    const { items } = RunList.parse(await (await gateway.call('/v1/runs')).json());
    expect(items.map(({ prunedAt }) => prunedAt)).toEqual([time(99), undefined]);
  });

  it.each([
    ['events', `/v1/runs/${RUN}/events`, { accept: 'application/json' }],
    ['stream', `/v1/runs/${RUN}/events`, { accept: 'text/event-stream' }],
    ['list of artifacts', `/v1/runs/${RUN}/artifacts`, {}],
    ['artifacts', `/v1/artifacts/${digest(70)}?run=${RUN}`, {}],
    ['past', `/v1/runs/${RUN}?at=2`, {}],
    ['graph', `/v1/runs/${RUN}/graph`, {}],
    ['export', `/v1/runs/${RUN}/export`, {}],
  ])('has no %s any more: 410, with the cure', async (_, path, headers) => {
    scriptPruned();
    const response = await gateway.call(path, { headers });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      410,
      expect.stringContaining('application/problem+json'),
    ]);
    expect(Problem.parse(await response.json())).toMatchObject({
      code: 'gone',
      retryable: false,
      detail: expect.stringContaining('keep it for longer') as string,
    });
  });

  it('is shown though it is pruned between the look at it and the look at its events', async () => {
    scriptPruned();
    const records = [ENDED, PRUNED];
    gateway.state.on(`GET /v1/runs/${RUN}`, () => records.shift());
    const view = RunView.parse(await (await gateway.call(`/v1/runs/${RUN}`)).json());
    expect(view).toMatchObject({ verdict: 'rejected', prunedAt: time(99), steps: [] });
  });
});

describe('removing detail', () => {
  it('is done in the project of the caller', async () => {
    const asked: unknown[] = [];
    gateway.state.on('POST /v1/runs/prune', ({ json }) => {
      asked.push(json);
      return { runs: 3, events: 40, more: true };
    });
    const response = await gateway.post('/v1/runs/prune', { olderThanMs: 1000, projectId: 'beta' });
    expect([response.status, await response.json()]).toEqual([200, { runs: 3, events: 40, more: true }]);
    expect(asked).toEqual([{ olderThanMs: 1000, dryRun: false, projectId: 'alpha' }]);
  });

  it.each([[{}], [{ olderThanMs: -1 }], [{ olderThanMs: 1.5 }], [{ olderThanMs: 1, dryRun: 'yes' }]])(
    'is refused for %j',
    async (body) => {
      const response = await gateway.post('/v1/runs/prune', body);
      expect(response.status).toBe(400);
    },
  );
});
