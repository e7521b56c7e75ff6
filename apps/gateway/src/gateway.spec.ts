import { createHash } from 'node:crypto';
import { DevmeshError, Problem } from '@devmesh/contracts/errors';
import { ArtifactList, EventList, RunList, RunView } from '@devmesh/contracts/gateway-api';
import { SubmitRun } from '@devmesh/contracts/orchestrator-api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { API_ROUTES } from './openapi/routes.js';
import {
  artifact,
  BASE,
  COMMIT,
  digest,
  happened,
  integratedOutput,
  OTHER_RUN,
  record,
  reviewOutput,
  RUN,
  stored,
  time,
  WORKFLOW,
  WORKFLOW_DIGEST,
} from './testing/history.js';
import { scriptKeys, scriptRun, scriptStore } from './testing/scripted-mesh.js';
import { OTHER_KEY, TestGateway } from './testing/test-gateway.js';

const gateway = new TestGateway();
beforeAll(() => gateway.start());
afterAll(() => gateway.close());
beforeEach(() => scriptKeys(gateway));
afterEach(() => {
  gateway.endTest();
});

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const { created, scheduled, succeeded, settled, ended } = happened;

async function problemOf(response: Response): Promise<Problem> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = Problem.parse(await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}

describe('the door', () => {
  it.each([
    ['no key', '', 'no API key'],
    ['a wrong key', `Bearer dm_${'w'.repeat(32)}`, 'does not know that API key'],
    ['something else', 'Basic dXNlcjpwYXNzd29yZA==', 'not an API key'],
  ])('refuses %s with the cure', async (_, authorization, says) => {
    const response = await gateway.call('/v1/whoami', { headers: { authorization } });
    const problem = await problemOf(response);
    expect(problem).toMatchObject({ status: 401, code: 'unauthenticated', retryable: false });
    expect(problem.detail).toContain(says);
    expect(problem.detail).toContain('Authorization: Bearer dm_');
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('tells whose key it is', async () => {
    const response = await gateway.call('/v1/whoami');
    expect(await response.json()).toEqual({ projectId: 'alpha', name: 'ci' });
  });

  it('wants a key on every route that is not documented as open, before anything else', async () => {
    for (const route of API_ROUTES.filter((r) => r.open !== true)) {
      const path = route.path.replace('{runId}', 'no-id').replace('{digest}', 'no-digest');
      const response = await gateway.call(path, { method: route.method, headers: { authorization: '' } });
      expect(response.status, `${route.method} ${path}`).toBe(401);
      await response.arrayBuffer();
    }
    expect(gateway.state.calls).toEqual([]);
  });

  it.each([
    ['too large', 'x'.repeat(5_000_000)],
    ['not JSON', '{'],
  ])('does not even read what comes without a key: a body that is %s', async (_, body) => {
    const headers = { authorization: '', 'content-type': 'application/json' };
    const response = await gateway.call('/v1/runs', { method: 'POST', body, headers });
    expect(await problemOf(response)).toMatchObject({ code: 'unauthenticated' });
  });

  it('lets everybody read what is open', async () => {
    gateway.state.on('GET /health/live', () => ({ status: 'ok' }));
    gateway.orchestrator.on('GET /health/live', () => ({ status: 'ok' }));
    for (const route of API_ROUTES.filter((r) => r.open === true && r.method === 'get')) {
      const response = await gateway.call(route.path, { headers: { authorization: '' } });
      expect(response.status, route.path).toBe(200);
      await response.arrayBuffer();
    }
  });

  it('never writes a key into its log', async () => {
    await gateway.call('/v1/whoami').then((r) => r.arrayBuffer());
    await gateway
      .call('/v1/whoami', { headers: { authorization: `Bearer dm_${'w'.repeat(32)}` } })
      .then((r) => r.json());
    expect(gateway.log.length).toBeGreaterThan(0);
    expect(gateway.log.join('')).not.toMatch(/a{16}|w{16}/);
  });

  it('calls the services behind it with the internal token, never with the key', async () => {
    gateway.orchestrator.on('GET /v1/agents', () => ({ items: [] }));
    await gateway.call('/v1/agents').then((r) => r.json());
    expect(gateway.orchestrator.calls[0]?.headers.authorization).toBe(`Bearer ${gateway.internalToken}`);
  });

  it('allows no page of another site to read its answers', async () => {
    const response = await gateway.call('/v1/whoami', { headers: { origin: 'https://elsewhere.example' } });
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    await response.arrayBuffer();
  });
});

describe('routes', () => {
  it('are documented, all of them, and there are no others', () => {
    interface Layer {
      readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
    }
    const { stack } = (gateway.application as { router: { stack: readonly Layer[] } }).router;
    const answered = stack.flatMap(({ route }) =>
      route === undefined ? [] : Object.keys(route.methods).map((method) => `${method} ${route.path}`),
    );
    const documented = API_ROUTES.filter((route) => route.method !== 'head').map(
      (route) => `${route.method} ${route.path.replace(/\{(\w+)\}/g, ':$1')}`,
    );
    expect(answered.toSorted()).toEqual(documented.toSorted());
  });

  it('that are not there answer a problem', async () => {
    expect(await problemOf(await gateway.call('/v1/nothing'))).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('serve the document and the page under a policy that lets nothing in', async () => {
    const document = (await (await gateway.call('/openapi.json')).json()) as { openapi: string };
    expect(document.openapi).toBe('3.1.0');
    const page = await gateway.call('/docs');
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(await page.text()).toContain('/v1/runs/{runId}/events');
  });
});

describe('POST /v1/runs', () => {
  const BODY = { task: 'fix it', workflow: { name: 'deliver' } };
  const reply = (fresh: boolean): object => ({
    runId: RUN,
    workflow: { name: 'deliver', digest: WORKFLOW_DIGEST },
    fresh,
  });

  it('submits a run with one call, and shows it', async () => {
    scriptRun(gateway, record(), []);
    gateway.orchestrator.on('POST /v1/runs', () => reply(true));
    const first = await gateway.post('/v1/runs', BODY, { 'idempotency-key': 'k-1' });
    expect(first.status).toBe(202);
    expect(first.headers.get('location')).toBe(`/v1/runs/${RUN}`);
    const view = RunView.parse(await first.json());
    expect(view).toMatchObject({ id: RUN, status: 'running', task: 'fix it', createdAt: time(0), lastSeq: 0 });
    expect(view.steps.map((step) => step.status)).toEqual(['pending', 'pending', 'pending']);
    // The workflow and the key are known from now on: the next one asks the orchestrator only.
    gateway.state.calls.length = 0;
    await gateway.post('/v1/runs', BODY).then((r) => r.json());
    expect(gateway.state.calls).toEqual([]);
    expect(gateway.orchestrator.calls).toHaveLength(2);
    expect(SubmitRun.parse(gateway.orchestrator.calls[0]?.json)).toEqual({
      projectId: 'alpha',
      requestedBy: 'ci',
      task: 'fix it',
      workflow: { name: 'deliver' },
      repository: null,
      idempotency: { key: 'k-1', requestHash: sha256('{"task":"fix it","workflow":{"name":"deliver"}}') },
    });
    expect(gateway.orchestrator.calls[1]?.json).toMatchObject({ idempotency: null });
  });

  it('with a known key shows the run as it is now', async () => {
    scriptRun(gateway, record(), stored(created(), scheduled(1, 'implement')));
    gateway.orchestrator.on('POST /v1/runs', () => reply(false));
    const view = RunView.parse(await (await gateway.post('/v1/runs', BODY, { 'idempotency-key': 'k-1' })).json());
    expect(view.steps[0]?.status).toBe('running');
  });

  it('shows why a planned run has its steps', async () => {
    const plan = [{ step: 'review', because: 'the text asks for it' }];
    scriptRun(gateway, record(), stored(created(plan)));
    gateway.orchestrator.on('POST /v1/runs', () => reply(true));
    const view = RunView.parse(await (await gateway.post('/v1/runs', { task: 'review it' })).json());
    expect(view.plan).toEqual(plan);
  });

  it.each([
    ['idempotency_key_reused', 422, 'the key k-1 was used for another request'],
    ['invalid_workflow', 422, 'line 3, column 5: a cycle'],
    ['unavailable', 503, 'the orchestrator is busy'],
  ] as const)('passes %s on', async (code, status, says) => {
    gateway.orchestrator.on('POST /v1/runs', () => {
      throw new DevmeshError(code, says);
    });
    const problem = await problemOf(await gateway.post('/v1/runs', BODY, { 'idempotency-key': 'k-1' }));
    expect(problem).toMatchObject({ status, code });
    expect(problem.detail).toContain(says);
  });

  it.each([
    ['a task of 2 MB', { task: 'x'.repeat(2_000_000) }, 'invalid_request', '1048576'],
    ['a body of 5 MB', { task: 'x'.repeat(5_000_000) }, 'payload_too_large', '4194304'],
  ])('refuses %s and names the limit', async (_, body, code, limit) => {
    const problem = await problemOf(await gateway.post('/v1/runs', body));
    expect(problem.code).toBe(code);
    expect(problem.detail).toContain(limit);
  });

  it('points at every field that is wrong', async () => {
    const problem = await problemOf(await gateway.post('/v1/runs', { task: 7, workflow: { name: 8 } }));
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(problem.errors?.map((issue) => issue.pointer)).toEqual(['/task', '/workflow']);
  });

  it.each([
    ['text that is not JSON', '{', 'application/json', 'invalid_request'],
    ['a form', 'task=fix', 'application/x-www-form-urlencoded', 'unsupported_media_type'],
  ])('refuses %s', async (_, body, type, code) => {
    const response = await gateway.call('/v1/runs', { method: 'POST', body, headers: { 'content-type': type } });
    expect((await problemOf(response)).code).toBe(code);
  });

  it('refuses an idempotency key of another shape', async () => {
    const problem = await problemOf(await gateway.post('/v1/runs', BODY, { 'idempotency-key': 'x'.repeat(300) }));
    expect(problem.detail).toContain('Idempotency-Key');
  });

  it('takes a repository that the project uploaded, and no other', async () => {
    const bundle = Buffer.from('a bundle');
    const mine = sha256(bundle);
    const held = scriptStore(gateway, [mine]);
    scriptRun(gateway, record(), []);
    gateway.state.on('GET /v1/runs', () => ({ items: [], nextCursor: null }));
    gateway.orchestrator.on('POST /v1/runs', () => reply(true));
    const repository = (bundles: string[]): object => ({
      ref: { bundles, commit: COMMIT, base: BASE },
      origin: '/home/me/project',
    });
    const refused = await gateway.post('/v1/runs', { ...BODY, repository: repository([mine]) });
    expect(await problemOf(refused)).toMatchObject({ status: 422, code: 'invalid_repository' });

    await gateway.call(`/v1/artifacts/${mine}`, { method: 'PUT', body: bundle }).then((r) => r.json());
    const accepted = await gateway.post('/v1/runs', { ...BODY, repository: repository([mine]) });
    expect(RunView.parse(await accepted.json()).repository?.ref.bundles).toEqual([mine]);

    const theirs = { method: 'POST', body: JSON.stringify({ ...BODY, repository: repository([mine]) }) };
    const other = await gateway.call('/v1/runs', {
      ...theirs,
      headers: { authorization: `Bearer ${OTHER_KEY}`, 'content-type': 'application/json' },
    });
    expect(await problemOf(other)).toMatchObject({ code: 'invalid_repository' });

    // What led to the commit is read by an agent, so it is the project's own too.
    const foreign = { ...repository([mine]), history: sha256('of another project') };
    expect(await problemOf(await gateway.post('/v1/runs', { ...BODY, repository: foreign }))).toMatchObject({
      code: 'invalid_repository',
    });

    // Collected since: the run would not find it.
    held.clear();
    const late = await gateway.post('/v1/runs', { ...BODY, repository: repository([mine]) });
    expect(await problemOf(late)).toMatchObject({
      code: 'invalid_repository',
      detail: expect.stringContaining(`PUT /v1/artifacts/${mine}`) as string,
    });
  });
});

describe('runs of a project', () => {
  it('are listed page by page, without what is internal', async () => {
    gateway.state.on('GET /v1/runs', () => ({ items: [record({ lastTurnError: 'secret' })], nextCursor: 'opaque+/=' }));
    const response = await gateway.call('/v1/runs?status=running&limit=1&cursor=before%2B%2F%3D');
    const body = (await response.json()) as object;
    expect(RunList.parse(body).nextCursor).toBe('opaque+/=');
    expect(JSON.stringify(body)).not.toMatch(/secret|projectId/);
    expect(Object.fromEntries(gateway.state.to('GET /v1/runs')[0]?.query ?? [])).toEqual({
      projectId: 'alpha',
      status: 'running',
      limit: '1',
      cursor: 'before+/=',
    });
  });

  it.each([['limit=0'], ['limit=201'], ['limit=ten'], ['status=done']])('are not listed for %s', async (query) => {
    expect(await problemOf(await gateway.call(`/v1/runs?${query}`))).toMatchObject({ status: 400 });
  });

  it('are shown with steps, findings and result', async () => {
    const events = stored(
      created(),
      scheduled(1, 'implement'),
      succeeded(2, 'implement', integratedOutput(30)),
      settled(2, 'implement', 'succeeded'),
      scheduled(2, 'review'),
      succeeded(4, 'review', reviewOutput(2, 20)),
      settled(4, 'review', 'rejected'),
      ended(4, 'rejected'),
    );
    scriptRun(gateway, record(), events);
    const view = RunView.parse(await (await gateway.call(`/v1/runs/${RUN}`)).json());
    expect(view).toMatchObject({
      status: 'ended',
      verdict: 'rejected',
      findings: { high: 2 },
      sarif: digest(20),
      result: { bundle: digest(30), commit: COMMIT },
      lastSeq: 8,
    });
  });

  it.each([
    ['GET', ''],
    ['POST', '/cancel'],
    ['POST', '/resume'],
    ['GET', '/events'],
    ['GET', '/artifacts'],
  ])('of another project are not there: %s %s', async (method, path) => {
    gateway.state.on(`GET /v1/runs/${OTHER_RUN}`, () => record({ id: OTHER_RUN, projectId: 'beta' }));
    const problem = await problemOf(await gateway.call(`/v1/runs/${OTHER_RUN}${path}`, { method }));
    expect(problem).toMatchObject({ status: 404, code: 'not_found' });

    const missing = '018bcfe5-6800-7000-8000-0000000000ff';
    gateway.state.on(`GET /v1/runs/${missing}`, () => {
      throw new DevmeshError('not_found', 'the state says it in other words');
    });
    const nowhere = await problemOf(await gateway.call(`/v1/runs/${missing}${path}`, { method }));
    expect(nowhere.detail.replace(missing, OTHER_RUN)).toBe(problem.detail);
  });

  it('are cancelled in the name of the key', async () => {
    scriptRun(gateway, record(), stored(created()));
    gateway.orchestrator.on(`POST /v1/runs/${RUN}/cancel`, () => ({ runId: RUN, accepted: true }));
    const response = await gateway.post(`/v1/runs/${RUN}/cancel`, { reason: 'wrong branch' });
    expect(response.status).toBe(202);
    RunView.parse(await response.json());
    expect(gateway.orchestrator.calls[0]?.json).toEqual({ by: 'ci', reason: 'wrong branch' });
    expect((await gateway.call(`/v1/runs/${RUN}/cancel`, { method: 'POST' })).status).toBe(202);
    expect(gateway.orchestrator.calls[1]?.json).toEqual({ by: 'ci', reason: '' });
  });

  it('are resumed', async () => {
    scriptRun(gateway, record({ status: 'stuck', turnFailures: 5, lastTurnError: 'no disk' }), stored(created()));
    gateway.orchestrator.on(`POST /v1/runs/${RUN}/resume`, () => ({ runId: RUN }));
    const response = await gateway.call(`/v1/runs/${RUN}/resume`, { method: 'POST' });
    expect(response.status).toBe(202);
    expect(RunView.parse(await response.json())).toMatchObject({ turnFailures: 5, lastTurnError: 'no disk' });
  });

  it('that have no id of a run are refused before anybody is asked', async () => {
    expect(await problemOf(await gateway.call('/v1/runs/12'))).toMatchObject({ code: 'invalid_request' });
    expect(gateway.state.to('GET /v1/runs/12')).toEqual([]);
  });

  it('list their artifacts', async () => {
    scriptRun(gateway, record(), []);
    const items = [{ ...artifact(20, 'findings.sarif'), step: 'review', iteration: 1 }];
    gateway.state.on(`GET /v1/runs/${RUN}/artifacts`, () => ({ items }));
    const response = await gateway.call(`/v1/runs/${RUN}/artifacts`);
    expect(ArtifactList.parse(await response.json()).items).toEqual(items);
  });
});

describe('events as JSON', () => {
  it('are one page from where the client is', async () => {
    scriptRun(gateway, record(), stored(created(), scheduled(1, 'implement'), ended(2, 'passed')));
    const response = await gateway.call(`/v1/runs/${RUN}/events?after=1&limit=7&waitMs=20`, {
      headers: { accept: 'application/json' },
    });
    const page = EventList.parse(await response.json());
    expect(page.events.map((event) => event.seq)).toEqual([2, 3]);
    expect(page.ended).toBe(true);
    const [asked] = gateway.state.to(`GET /v1/runs/${RUN}/events`);
    expect(Object.fromEntries(asked?.query ?? [])).toEqual({ after: '1', limit: '7', waitMs: '20' });
  });
});

describe('what the orchestrator knows', () => {
  it('is asked and passed on', async () => {
    const list = [{ name: 'deliver', version: 1, description: '', digest: WORKFLOW_DIGEST, steps: [] }];
    gateway.orchestrator
      .on('GET /v1/workflows', () => ({ items: list }))
      .on('GET /v1/agents', () => ({ items: [{ agent: 'cicd', instances: [] }] }))
      .on('POST /v1/plan', () => ({ workflow: WORKFLOW, because: [] }))
      .on('POST /v1/workflows/validate', () => ({
        workflow: null,
        problems: [{ code: 'cycle', line: 3, column: 5, message: 'a cycle' }],
      }));
    expect(await (await gateway.call('/v1/workflows')).json()).toEqual({ items: list });
    expect(await (await gateway.call('/v1/agents')).json()).toEqual({ items: [{ agent: 'cicd', instances: [] }] });
    const plan = await gateway.post('/v1/plan', { task: 'review it' });
    expect(plan.status).toBe(200);
    expect(await plan.json()).toMatchObject({ because: [] });
    const check = await gateway.post('/v1/workflows/validate', { source: 'steps: []' });
    expect(await check.json()).toMatchObject({ workflow: null, problems: [{ line: 3, column: 5 }] });
    expect(gateway.orchestrator.to('POST /v1/workflows/validate')[0]?.json).toEqual({ source: 'steps: []' });
  });

  it('that reads otherwise than agreed is an error of its own', async () => {
    gateway.orchestrator.on('GET /v1/agents', () => ({ agents: [] }));
    expect(await problemOf(await gateway.call('/v1/agents'))).toMatchObject({ status: 502, code: 'bad_reply' });
  });

  it('is never told to a client as a wrong key of its own', async () => {
    gateway.orchestrator.on('GET /v1/agents', () => {
      throw new DevmeshError('unauthenticated', 'wrong internal token');
    });
    const response = await gateway.call('/v1/agents');
    expect(response.status).toBeGreaterThanOrEqual(500);
    expect((await problemOf(response)).detail).not.toContain('token');
  });
});

describe('health', () => {
  it('is ready when orchestrator and state-persistence answer, and not when one does not', async () => {
    gateway.state.on('GET /health/live', () => ({ status: 'ok' }));
    gateway.orchestrator.on('GET /health/live', () => ({ status: 'ok' }));
    expect((await gateway.call('/health/ready')).status).toBe(200);
    gateway.orchestrator.on('GET /health/live', () => {
      throw new DevmeshError('unavailable', 'not yet');
    });
    const response = await gateway.call('/health/ready');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      checks: { orchestrator: { status: 'down' }, 'state-persistence': { status: 'up' } },
    });
  });
});
