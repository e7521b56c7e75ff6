import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from '@devmesh/testing/postgres';
import { readConfig } from '@devmesh/service-kit/config/read-config';
import { createService, type Service } from '@devmesh/service-kit/service';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { AppModule } from './app.module.js';
import { noteBackup } from './backup/last-backup.js';
import { JSON_BODY_BYTES, StateConfig } from './config.js';
import { appendOp, createOp, WORKFLOW, WORKFLOW_DIGEST } from './testing/state.fixture.js';

const TOKEN = randomBytes(24).toString('hex');
const auth = { authorization: `Bearer ${TOKEN}` };
let database: TestDatabase;
let home: string;
let service: Service;
let url: string;

beforeAll(async () => {
  database = await createDatabase(inject('postgresUrl'));
  home = await mkdtemp(join(tmpdir(), 'state home '));
  service = await start();
  url = await service.listen(0);
});
afterAll(async () => {
  await service.close();
  await database.drop();
  await rm(home, { recursive: true });
});

const FIRST_KEY = `dm_${randomBytes(24).toString('hex')}`;

function start(): Promise<Service> {
  const env = {
    DEVMESH_INTERNAL_TOKEN: TOKEN,
    DATABASE_URL: database.url,
    DEVMESH_HOME: home,
    DEVMESH_FIRST_API_KEY: FIRST_KEY,
    LOG_LEVEL: 'error',
  };
  const config = readConfig(StateConfig, { service: 'state-persistence', env });
  return createService({
    name: 'state-persistence',
    config,
    bodyLimitBytes: JSON_BODY_BYTES,
    module: AppModule.of(config),
  });
}

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url + path, {
    method,
    headers: { ...auth, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

function upload(digest: string, body: Buffer<ArrayBuffer>): Promise<Response> {
  return fetch(`${url}/v1/artifacts/${digest}`, {
    method: 'PUT',
    headers: { ...auth, 'content-type': 'application/octet-stream' },
    body,
  });
}

test('the first API key is known from the start, at every start', async () => {
  const again = await start();
  await again.close();
  const hash = createHash('sha256').update(FIRST_KEY).digest('hex');
  expect(await call('POST', '/v1/api-keys/verify', { hash })).toMatchObject({
    status: 200,
    body: { projectId: 'default', name: 'first' },
  });
});

test('a run goes from its workflow to its end over HTTP', async () => {
  expect(await call('PUT', `/v1/workflows/${WORKFLOW_DIGEST}`, WORKFLOW)).toEqual({ status: 200, body: {} });
  expect((await call('GET', `/v1/workflows/${WORKFLOW_DIGEST}`)).body).toEqual(WORKFLOW);
  const create = createOp({ wakeAt: Date.now() });
  const { runId } = create;
  expect(await call('POST', '/v1/batch', { ops: [create] })).toEqual({
    status: 200,
    body: { results: [{ result: 'created', runId, fresh: true }] },
  });
  const due = await call('POST', '/v1/runs/due', { limit: 10, leaseMs: 5_000, waitMs: 10_000 });
  expect(due).toEqual({ status: 200, body: { runs: [{ runId, lease: 1, priority: 0 }] } });
  await call('POST', '/v1/batch', { ops: [{ op: 'acquire', runId, owner: 'o' }] });
  const message = { kind: 'cancel', by: 'me', reason: 'changed my mind' };
  expect((await call('POST', `/v1/runs/${runId}/inbox`, { dedupeKey: 'c', message })).body).toEqual({
    accepted: true,
    ended: false,
  });
  const key = `${runId}/only/1/1`;
  const beat = { instance: 'i', leaseMs: 5_000, executions: [{ key, progress: 'at it' }] };
  expect((await call('POST', '/v1/executions/heartbeats', beat)).body).toEqual({ ended: [] });
  expect((await call('POST', '/v1/executions/claim', { key, instance: 'i', leaseMs: 5_000 })).body).toEqual({
    claim: 'granted',
  });
  expect((await call('GET', `/v1/runs/${runId}/events?after=1`)).body).toEqual({
    events: [],
    progress: [{ step: 'only', key, message: 'at it' }],
    ended: false,
  });
  expect(
    (await call('POST', '/v1/executions/result', { key, instance: 'i', outcome: { kind: 'cancelled' } })).body,
  ).toEqual({});
  expect((await call('POST', `/v1/runs/${runId}/turn-failures`, { epoch: 1, error: 'x' })).body).toEqual({
    failures: 1,
    stuck: false,
  });
  expect((await call('POST', `/v1/runs/${runId}/resume`, {})).body).toMatchObject({
    id: runId,
    status: 'running',
    turnFailures: 0,
  });
  expect((await call('POST', '/v1/runs/recover', { owner: 'o' })).body).toEqual({ runs: 1 });
  const artifact = {
    digest: 'a'.repeat(64),
    name: 'report.md',
    mediaType: 'text/markdown',
    size: 3,
    step: 'only',
    iteration: 1,
  };
  const end = appendOp(runId, 1, {
    consume: [],
    artifacts: [artifact],
    ended: { verdict: 'cancelled', reason: 'changed my mind' },
    wakeAt: null,
  });
  expect((await call('POST', '/v1/batch', { ops: [end] })).body).toMatchObject({
    results: [{ seq: 2, inbox: [{ message }] }],
  });
  expect((await call('GET', `/v1/runs/${runId}/artifacts`)).body).toEqual({ items: [artifact] });
  expect((await call('GET', '/v1/runs?limit=1&status=ended')).body).toMatchObject({
    items: [{ id: runId }],
    nextCursor: null,
  });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('workflows_total{status="cancelled"} 1');
  expect(metrics).toContain('workflow_duration_seconds_count 1');
  expect(metrics).toContain('active_workflows 0');
  expect(metrics).toMatch(/state_transactions_total [1-9]/);
});

test('the last backup is exported once there is one', async () => {
  const read = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
  expect(await read()).not.toMatch(/^backup_last_success_timestamp_seconds/m);
  await noteBackup(home, { name: 'devmesh', at: '2026-11-20T02:00:00.000Z', targets: ['/mnt/backups'] });
  expect(await read()).toContain(`backup_last_success_timestamp_seconds ${Date.UTC(2026, 10, 20, 2) / 1000}`);
  expect(await read()).toMatch(/data_disk_free_bytes [1-9]/);
});

test('the detail of a run is removed over HTTP, and is gone then', async () => {
  const create = createOp({ wakeAt: Date.now() });
  const { runId } = create;
  await call('POST', '/v1/batch', { ops: [create] });
  await call('POST', '/v1/batch', { ops: [{ op: 'acquire', runId, owner: 'o' }] });
  const ended = { verdict: 'passed', reason: 'all well' } as const;
  await call('POST', '/v1/batch', { ops: [appendOp(runId, 1, { ended, wakeAt: null, park: true })] });
  const prune = (dryRun: boolean): Promise<unknown> =>
    call('POST', '/v1/runs/prune', { projectId: 'default', olderThanMs: 0, dryRun });
  // Whatever else has ended in this database is counted too.
  const counted = (await prune(true)) as { body: { runs: number } };
  expect(counted.body.runs).toBeGreaterThan(0);
  expect(await prune(false)).toEqual({ status: 200, body: { ...counted.body, events: expect.any(Number) as number } });
  for (const part of ['events', 'artifacts']) {
    expect(await call('GET', `/v1/runs/${runId}/${part}`)).toMatchObject({ status: 410, body: { code: 'gone' } });
  }
  expect((await call('GET', `/v1/runs/${runId}`)).body).toMatchObject({
    verdict: 'passed',
    prunedAt: expect.any(String) as string,
  });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain(`runs_pruned_total ${counted.body.runs}`);
});

test('an approval is asked, decided and acted on over HTTP', async () => {
  const create = createOp({ wakeAt: Date.now() });
  const { runId } = create;
  const id = randomUUID();
  const hash = 'd'.repeat(64);
  const what = {
    kind: 'consent',
    title: 'May it?',
    subject: {},
    hash,
    remindAt: null,
    escalateAt: null,
    escalateTo: [],
  };
  const request = { id, ...what, expiresAt: Date.now() + 60_000 };
  await call('POST', '/v1/batch', { ops: [create] });
  await call('POST', '/v1/batch', { ops: [{ op: 'acquire', runId, owner: 'o' }] });
  const asks = { ...appendOp(runId, 1), approvals: [{ step: 'only', iteration: 1, request }] };
  expect((await call('POST', '/v1/batch', { ops: [asks] })).body).toMatchObject({ results: [{ result: 'appended' }] });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('approvals_pending 1');
  const open = { id, runId, status: 'open', hash };
  expect(await call('GET', `/v1/approvals?runId=${runId}&status=open`)).toMatchObject({
    status: 200,
    body: { items: [open], nextCursor: null },
  });
  expect(await call('GET', `/v1/approvals/${id}`)).toMatchObject({ status: 200, body: open });
  const none = randomUUID();
  expect(await call('GET', `/v1/approvals/${none}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  const decide = (approval: string, over: object = {}) =>
    call('POST', `/v1/approvals/${approval}/verdict`, { verdict: 'approved', hash, by: 'ann', ...over });
  expect(await decide(none)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  expect(await decide(id, { hash: 'e'.repeat(64) })).toMatchObject({ status: 409, body: { code: 'approval_changed' } });
  const decided = await decide(id);
  expect(decided).toMatchObject({ status: 200, body: { id, status: 'approved', decidedBy: 'ann' } });
  expect(await decide(id)).toEqual(decided);
  expect(await decide(id, { by: 'bob' })).toMatchObject({ status: 409, body: { code: 'approval_closed' } });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('approvals_pending 0');
  const key = `${runId}/only/push/origin`;
  const mine = { key, execution: `${runId}/only/1/1`, instance: 'i' };
  const claim = { ...mine, intent: {}, intentHash: hash, leaseMs: 1_000, approval: { id, hash } };
  expect(await call('POST', '/v1/effects/claim', claim)).toEqual({
    status: 200,
    body: { claim: 'granted', previous: null },
  });
  const result = { ...mine, outcome: 'done', result: { sha: 'c' } };
  expect(await call('POST', '/v1/effects/result', { ...result, instance: 'j' })).toMatchObject({
    status: 409,
    body: { code: 'conflict' },
  });
  expect(await call('POST', '/v1/effects/result', result)).toEqual({ status: 200, body: {} });
  expect((await call('GET', `/v1/runs/${runId}/effects`)).body).toMatchObject({
    items: [{ key, status: 'done', result: { sha: 'c' }, approvalId: id, claims: 1 }],
  });
  // Its time has come: the run counts the execution no longer.
  const barred = [`${runId}/only/1/2`];
  await call('POST', '/v1/batch', { ops: [{ ...appendOp(runId, 1), barred }] });
  const late = { key: barred[0], instance: 'i', leaseMs: 1_000 };
  expect(await call('POST', '/v1/executions/claim', late)).toMatchObject({
    status: 409,
    body: { code: 'execution_cancelled' },
  });
  const ended = { verdict: 'passed', reason: '' };
  await call('POST', '/v1/batch', { ops: [{ ...appendOp(runId, 1), ended, wakeAt: null, park: false }] });
});

test('a workflow under a digest that is not its own is refused with the right one', async () => {
  const answer = await call('PUT', `/v1/workflows/${'0'.repeat(64)}`, WORKFLOW);
  expect(answer).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', detail: expect.stringContaining(WORKFLOW_DIGEST) as string },
  });
});

test('keys are known by their hash', async () => {
  const hash = createHash('sha256').update('a key').digest('hex');
  const made = await call('POST', '/v1/api-keys', { projectId: 'default', name: 'laptop', hash });
  expect(made).toMatchObject({ status: 200, body: { projectId: 'default', name: 'laptop' } });
  expect((await call('POST', '/v1/api-keys', { projectId: 'default', name: 'again', hash })).body).toEqual(made.body);
  expect((await call('POST', '/v1/api-keys/verify', { hash })).body).toEqual(made.body);
  expect((await call('POST', '/v1/api-keys/verify', { hash: '0'.repeat(64) })).status).toBe(404);
  expect((await call('POST', '/v1/api-keys', { projectId: 'none', name: 'x', hash: '1'.repeat(64) })).status).toBe(404);
});

test('who has no internal token gets nothing', async () => {
  expect((await fetch(`${url}/v1/runs`)).status).toBe(401);
  expect((await fetch(`${url}/health/ready`)).status).toBe(200);
});

describe('artifacts', () => {
  const bytes = Buffer.from(randomBytes(3_000_000));
  const digest = createHash('sha256').update(bytes).digest('hex');

  test('come back as they went in', async () => {
    const stored = await upload(digest, bytes);
    expect([stored.status, await stored.json()]).toEqual([200, { digest, size: bytes.length }]);
    expect((await upload(digest, bytes)).status).toBe(200);
    const head = await fetch(`${url}/v1/artifacts/${digest}`, { method: 'HEAD', headers: auth });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '3000000']);
    const got = await fetch(`${url}/v1/artifacts/${digest}`, { headers: auth });
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test('of another digest, as JSON, or too large are refused, and leave nothing behind', async () => {
    const other = '0'.repeat(64);
    expect((await upload(other, bytes)).status).toBe(400);
    expect((await call('PUT', `/v1/artifacts/${other}`, { a: 1 })).status).toBe(415);
    const size = await new Promise((resolve, reject) => {
      const big = request(
        `${url}/v1/artifacts/${other}`,
        {
          method: 'PUT',
          headers: { ...auth, 'content-type': 'application/octet-stream', 'content-length': 3 * 1024 ** 3 },
        },
        (response) => {
          resolve(response.statusCode);
          big.destroy();
        },
      );
      big.on('error', reject);
      big.write('x');
    });
    expect(size).toBe(413);
    expect((await fetch(`${url}/v1/artifacts/${other}`, { headers: auth })).status).toBe(404);
    expect(await readdir(join(home, 'artifacts', 'incoming'))).toEqual([]);
  });
});

test('a service does not start on a database from a later version', async () => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(`insert into migrations (timestamp, name) values (9999999999999, 'Later9999999999999')`);
  await expect(start()).rejects.toThrow('Later9999999999999');
  await client.query(`delete from migrations where name = 'Later9999999999999'`);
  await client.end();
});
