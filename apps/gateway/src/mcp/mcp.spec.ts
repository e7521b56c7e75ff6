import { once } from 'node:events';
import { request, type ServerResponse } from 'node:http';
import { Client, StreamableHTTPClientTransport, type Progress } from '@modelcontextprotocol/client';
import type { ApprovalRecord } from '@devmesh/contracts/approval';
import { DevmeshError, Problem } from '@devmesh/contracts/errors';
import type { RunEvent, StoredEvent } from '@devmesh/contracts/event';
import { RunList, RunView } from '@devmesh/contracts/gateway-api';
import type { RunRecord } from '@devmesh/contracts/state-api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { artifact, at, digest, happened, OTHER_RUN, record, RUN, stored, WORKFLOW_DIGEST } from '../testing/history.js';
import { scriptKeys, scriptRun } from '../testing/scripted-mesh.js';
import { KEY, OTHER_KEY, TestGateway } from '../testing/test-gateway.js';

const gateway = new TestGateway();
beforeAll(() => gateway.start());
afterAll(() => gateway.close());
beforeEach(() => scriptKeys(gateway));

const clients: Client[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  gateway.endTest();
});

type Era = 'legacy' | 'auto';

async function connected(apiKey = KEY, era: Era = 'auto'): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: era } });
  const requestInit = { headers: { authorization: `Bearer ${apiKey}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), { requestInit }));
  clients.push(client);
  return client;
}

/** Calls a tool that must do what it is asked. */
async function done(client: Client, name: string, input: object, options = {}): Promise<unknown> {
  const result = await client.callTool({ name, arguments: { ...input } }, options);
  if (result.isError === true) throw new Error(JSON.stringify(result.content));
  return result.structuredContent;
}

/** Calls a tool that must refuse. */
async function refused(client: Client, name: string, input: object): Promise<Problem> {
  const result = await client.callTool({ name, arguments: { ...input } });
  expect(result.isError).toBe(true);
  const [content] = result.content;
  return Problem.parse(JSON.parse(content?.type === 'text' ? content.text : ''));
}

/** Scripts a run that goes on as soon as somebody waits for its events. */
function scriptGoingOn(now: RunRecord, first: StoredEvent[], then: RunRecord, all: StoredEvent[]): void {
  scriptRun(gateway, now, []);
  let goesOn = false;
  gateway.state.on(`GET /v1/runs/${RUN}`, () => (goesOn ? then : now));
  gateway.state.on(`GET /v1/runs/${RUN}/events`, ({ query }) => {
    goesOn ||= query.has('waitMs');
    const events = (goesOn ? all : first).filter(({ seq }) => seq > Number(query.get('after')));
    return { events, progress: [], ended: goesOn && then.status === 'ended' };
  });
}

const { created, scheduled, succeeded, settled, ended } = happened;
const REPORT = digest(70);
const DONE = stored(
  created(),
  scheduled(1, 'report'),
  succeeded(2, 'report', { report: artifact(70, 'report.md') }),
  settled(2, 'report', 'succeeded'),
  ended(3, 'passed', 'all good'),
);
const ENDED = record({ status: 'ended', verdict: 'passed', reason: 'all good', lastSeq: 5 });

describe.each(['legacy', 'auto'] as const)('MCP with a client of the %s kind', (era) => {
  it('says what there is', async () => {
    const client = await connected(KEY, era);
    expect(client.getServerVersion()).toMatchObject({ name: 'devmesh', title: 'Devmesh' });
    expect(client.getInstructions()).toContain('a person');
    const { tools } = await client.listTools();
    expect(tools.map(({ name, annotations }) => [name, annotations?.readOnlyHint])).toEqual([
      ['submit_run', false],
      ['wait_for_run', true],
      ['get_run', true],
      ['list_runs', true],
      ['cancel_run', false],
      ['list_findings', true],
      ['list_approvals', true],
      ['decide_approval', false],
    ]);
    const { resourceTemplates } = await client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'devmesh://runs/{runId}/report.md',
      'devmesh://runs/{runId}/findings.sarif',
    ]);
  });

  it('submits a run in the name of the key, once for an idempotency key', async () => {
    scriptRun(gateway, record(), []);
    const workflow = { name: 'deliver', digest: WORKFLOW_DIGEST };
    gateway.orchestrator.on('POST /v1/runs', () => ({ runId: RUN, workflow, fresh: true }));
    const input = { task: 'fix it', workflow: { name: 'deliver' }, idempotencyKey: 'k-1' };
    const view = RunView.parse(await done(await connected(KEY, era), 'submit_run', input));
    expect(view).toMatchObject({ id: RUN, status: 'running', task: 'fix it' });
    expect(gateway.orchestrator.calls.map(({ json }) => json)).toMatchObject([
      { projectId: 'alpha', requestedBy: 'ci', task: 'fix it', idempotency: { key: 'k-1' } },
    ]);
  });

  it('waits until a run has ended, and tells what happens meanwhile', async () => {
    scriptGoingOn(record(), DONE.slice(0, 1), ENDED, DONE);
    const heard: Progress[] = [];
    const onprogress = (progress: Progress): void => void heard.push(progress);
    const view = await done(await connected(KEY, era), 'wait_for_run', { runId: RUN }, { onprogress });
    expect(RunView.parse(view)).toMatchObject({ status: 'ended', verdict: 'passed', report: REPORT });
    expect(heard.map(({ message }) => message)).toEqual([
      '2 StepScheduled report',
      '3 StepCompleted report',
      '4 StepSettled report',
      '5 RunEnded',
      'end',
    ]);
    expect(heard.map(({ progress }) => progress)).toEqual([1, 2, 3, 4, 5]);
  });

  it('ends the wait of a client that goes', async () => {
    scriptRun(gateway, record(), []);
    const polled = Promise.withResolvers<ServerResponse>();
    gateway.state.on(`GET /v1/runs/${RUN}/events`, ({ query }, response) => {
      if (!query.has('waitMs')) return { events: stored(created()), progress: [], ended: false };
      polled.resolve(response);
      return undefined;
    });
    const client = await connected(KEY, era);
    const call = client.callTool({ name: 'wait_for_run', arguments: { runId: RUN, seconds: 300 } });
    call.catch(() => undefined);
    const gone = once(await polled.promise, 'close');
    await client.close();
    await gone;
    await expect(call).rejects.toThrow();
  });

  it('reads the report that the view links to', async () => {
    scriptRun(gateway, ENDED, DONE);
    gateway.state.on(`GET /v1/artifacts/${REPORT}`, (_, response) => void response.end('# Report\n'));
    const client = await connected(KEY, era);
    const { content } = await client.callTool({ name: 'get_run', arguments: { runId: RUN } });
    const uri = content.flatMap((each) => (each.type === 'resource_link' ? each.uri : []))[0] ?? '';
    expect(uri).toBe(`devmesh://runs/${RUN}/report.md`);
    expect((await client.readResource({ uri })).contents).toEqual([
      { uri, mimeType: 'text/markdown', text: '# Report\n' },
    ]);
  });
});

describe('the tools of MCP', () => {
  it('come back from a wait when its time is over, and ask no more', async () => {
    const events = stored(created());
    scriptRun(gateway, record(), events);
    let polls = 0;
    gateway.state.on(`GET /v1/runs/${RUN}/events`, ({ query }) => {
      if (!query.has('waitMs')) return { events, progress: [], ended: false };
      polls += 1;
      return new Promise(() => undefined);
    });
    const view = await done(await connected(), 'wait_for_run', { runId: RUN, seconds: 1 });
    expect(RunView.parse(view).status).toBe('running');
    expect(polls).toBe(1);
    expect(await done(await connected(), 'wait_for_run', { runId: RUN, seconds: 0 })).toMatchObject({ id: RUN });
    const problem = await (
      await connected()
    ).callTool({ name: 'wait_for_run', arguments: { runId: RUN, seconds: 301 } });
    expect(problem.isError).toBe(true);
    expect(JSON.stringify(problem.content)).toContain('seconds');
  });

  it('come back from a wait when a person is asked', async () => {
    const asked: RunEvent = {
      type: 'ApprovalRequested',
      at: at(2),
      step: 'implement',
      iteration: 1,
      approval: {
        id: APPROVAL.id,
        kind: 'consent',
        title: 'Push?',
        subject: {},
        hash: APPROVAL.hash,
        expiresAt: at(100),
        remindAt: null,
        escalateAt: null,
        escalateTo: [],
      },
    };
    const events = stored(created(), scheduled(1, 'implement'), asked);
    scriptGoingOn(record(), events.slice(0, 2), record(), events);
    const view = RunView.parse(await done(await connected(), 'wait_for_run', { runId: RUN, seconds: 30 }));
    expect(view.steps[0]).toMatchObject({ status: 'awaiting', approvalId: APPROVAL.id });
    // The next one is there at once: it is still the person's turn.
    expect(await done(await connected(), 'wait_for_run', { runId: RUN, seconds: 30 })).toEqual(view);
  });

  it('list, look and cancel in the project of the key', async () => {
    scriptRun(gateway, record(), stored(created()));
    gateway.state.on('GET /v1/runs', ({ query }) => ({
      items: query.get('projectId') === 'alpha' && query.get('status') === 'running' ? [record()] : [],
      nextCursor: null,
    }));
    gateway.state.on(`GET /v1/runs/${RUN}/findings`, () => ({ items: [] }));
    gateway.orchestrator.on(`POST /v1/runs/${RUN}/cancel`, () => ({ runId: RUN, accepted: true }));
    const client = await connected();
    expect(RunList.parse(await done(client, 'list_runs', { status: 'running' })).items.map(({ id }) => id)).toEqual([
      RUN,
    ]);
    expect(await done(client, 'list_findings', { runId: RUN })).toEqual({ items: [] });
    await done(client, 'cancel_run', { runId: RUN, reason: 'enough' });
    expect(gateway.orchestrator.calls[0]?.json).toEqual({ by: 'ci', reason: 'enough' });
    const other = await connected(OTHER_KEY);
    for (const name of ['get_run', 'list_findings', 'cancel_run', 'wait_for_run'])
      expect(await refused(other, name, { runId: RUN }), name).toMatchObject({ code: 'not_found' });
    expect(gateway.orchestrator.calls).toHaveLength(1);
  });

  it('hand on the hash that was seen, and say when it is another by now', async () => {
    gateway.state.on('GET /v1/approvals', () => ({ items: [APPROVAL], nextCursor: null }));
    gateway.state.on(`GET /v1/approvals/${APPROVAL.id}`, () => APPROVAL);
    const said: unknown[] = [];
    gateway.state.on(`POST /v1/approvals/${APPROVAL.id}/verdict`, ({ json }) => {
      said.push(json);
      if ((json as { hash: string }).hash !== APPROVAL.hash)
        throw new DevmeshError('approval_changed', 'the approval is about something else by now: look at it again');
      return { ...APPROVAL, status: 'approved', decidedBy: 'ci' };
    });
    const client = await connected();
    expect(await done(client, 'list_approvals', { status: 'open' })).toEqual({ items: [APPROVAL], nextCursor: null });
    const verdict = { approvalId: APPROVAL.id, verdict: 'approved', comment: 'go' };
    expect(await refused(client, 'decide_approval', { ...verdict, hash: digest(9) })).toMatchObject({
      code: 'approval_changed',
      detail: 'the approval is about something else by now: look at it again',
    });
    expect(await done(client, 'decide_approval', { ...verdict, hash: APPROVAL.hash })).toMatchObject({
      status: 'approved',
    });
    expect(said).toEqual(
      [digest(9), APPROVAL.hash].map((hash) => ({ verdict: 'approved', hash, comment: 'go', by: 'ci' })),
    );
    const blind = await client.callTool({ name: 'decide_approval', arguments: verdict });
    expect(blind.isError).toBe(true);
    expect(said).toHaveLength(2);
  });

  it('tell nothing of the inside when something unforeseen goes wrong', async () => {
    gateway.state.on(`GET /v1/runs/${RUN}`, () => ({ secret: 'inside' }));
    const problem = await refused(await connected(), 'get_run', { runId: RUN });
    expect(JSON.stringify(problem)).not.toContain('secret');
    expect(['bad_reply', 'internal']).toContain(problem.code);
  });
});

describe('the resources of MCP', () => {
  it('are not there for others, before there is a report, and by a wrong address', async () => {
    scriptRun(gateway, record(), stored(created()));
    const uri = `devmesh://runs/${RUN}/report.md`;
    await expect((await connected()).readResource({ uri })).rejects.toMatchObject({
      message: expect.stringContaining('wait until it has ended') as string,
      data: { uri },
    });
    await expect((await connected(OTHER_KEY)).readResource({ uri })).rejects.toThrow(/no run/);
    const wrong = 'devmesh://runs/x/findings.sarif';
    await expect((await connected()).readResource({ uri: wrong })).rejects.toThrow(/the run of the address/);
  });

  it('are downloaded instead when they are large', async () => {
    scriptRun(gateway, ENDED, DONE);
    gateway.state.on(
      `GET /v1/artifacts/${REPORT}`,
      (_, response) => void response.end(Buffer.alloc(4 * 1024 * 1024 + 1)),
    );
    const uri = `devmesh://runs/${RUN}/report.md`;
    await expect((await connected()).readResource({ uri })).rejects.toThrow(`/v1/artifacts/${REPORT}?run=${RUN}`);
  });

  it('complete the ids of runs', async () => {
    gateway.state.on('GET /v1/runs', () => ({ items: [record(), record({ id: OTHER_RUN })], nextCursor: null }));
    const ref = { type: 'ref/resource', uri: 'devmesh://runs/{runId}/report.md' } as const;
    const found = await (await connected()).complete({ ref, argument: { name: 'runId', value: OTHER_RUN } });
    expect(found.completion.values).toEqual([OTHER_RUN]);
  });
});

describe('the door of MCP', () => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  const accept = { accept: 'application/json, text/event-stream' };

  it('wants a key', async () => {
    const response = await gateway.post('/mcp', ping, { ...accept, authorization: '' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    await expect(connected(`dm_${'x'.repeat(32)}`)).rejects.toThrow();
  });

  it.each([
    ['a name that is not its own', { host: 'rebound.example:8000' }, /rebound\.example.*DEVMESH_PUBLIC_URL/],
    ['a page of another site', { origin: 'https://elsewhere.example' }, /pages of .*elsewhere\.example/],
  ])('refuses %s, before it looks at the key', async (_, headers, says) => {
    const { status, body } = await raw(headers);
    expect(status).toBe(403);
    expect(Problem.parse(JSON.parse(body))).toMatchObject({ code: 'forbidden', detail: expect.stringMatching(says) });
    expect(gateway.state.calls).toEqual([]);
  });

  it('has no sessions', async () => {
    for (const method of ['GET', 'DELETE']) {
      const response = await gateway.call('/mcp', { method, headers: accept });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    }
  });

  it('answers what is no JSON-RPC with an error', async () => {
    const headers = { ...accept, 'content-type': 'application/json', authorization: `Bearer ${KEY}` };
    const { status, body } = await raw(headers, '{"hello":1}');
    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ jsonrpc: '2.0', error: { code: -32_600 } });
  });
});

/** `fetch` sets the host by itself. */
function raw(headers: Record<string, string>, sent = '{}'): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(`${gateway.url}/mcp`, { method: 'POST', headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.once('end', () => resolve({ status: response.statusCode, body }));
    });
    asked.once('error', reject).end(sent);
  });
}

const APPROVAL: ApprovalRecord = {
  id: '018bcfe5-6800-7000-8000-0000000000aa',
  runId: RUN,
  projectId: 'alpha',
  step: 'implement',
  iteration: 1,
  kind: 'consent',
  title: 'Push?',
  subject: { action: 'push' },
  hash: digest(8),
  status: 'open',
  requestedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-01-02T00:00:00.000Z',
  escalateTo: [],
  escalatedAt: null,
  decidedAt: null,
  decidedBy: null,
  comment: null,
};
