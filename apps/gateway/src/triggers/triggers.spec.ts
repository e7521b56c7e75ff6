import { createHmac } from 'node:crypto';
import { DevmeshError, Problem } from '@devmesh/contracts/errors';
import { StoreFiring, StoreTrigger, TriggerCreated, TriggerView, type TriggerRecord } from '@devmesh/contracts/trigger';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { scriptKeys } from '../testing/scripted-mesh.js';
import { OTHER_KEY, TestGateway } from '../testing/test-gateway.js';

const gateway = new TestGateway();
const stored = new Map<string, TriggerRecord>();
const firings: unknown[] = [];
const NOBODY = '01890000-0000-4000-8000-000000000009';

beforeAll(() => gateway.start());
afterAll(() => gateway.close());
beforeEach(() => {
  scriptKeys(gateway);
  stored.clear();
  firings.length = 0;
  gateway.state.on('POST /v1/triggers', ({ json }) => {
    const { nextAt, ...trigger } = StoreTrigger.parse(json);
    const record: TriggerRecord = {
      ...trigger,
      createdAt: '2026-01-01T00:00:00.000Z',
      nextAt: nextAt === null ? null : new Date(nextAt).toISOString(),
      lastFiredAt: null,
      lastRunId: null,
      lastError: null,
    };
    stored.set(record.id, record);
    return record;
  });
  gateway.state.any = ({ method, path, json }) => {
    const [, , , id = '', what] = path.split('/');
    const trigger = stored.get(id);
    if (!path.startsWith('/v1/triggers/') || trigger === undefined) return undefined;
    if (what === 'firings') {
      firings.push(StoreFiring.parse(json));
      return { fresh: firings.length === 1 };
    }
    if (method === 'DELETE') stored.delete(id);
    return method === 'DELETE' ? {} : trigger;
  };
});
afterEach(() => gateway.endTest());

const hook = { name: 'on-push', on: { kind: 'webhook', branches: ['main'] }, run: { task: 'check ${{ branch }}' } };

async function created(body: object = hook): Promise<TriggerCreated> {
  const response = await gateway.post('/v1/triggers', body);
  expect(response.status).toBe(200);
  return TriggerCreated.parse(await response.json());
}

function deliver(path: string, secret: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const own = { authorization: '', 'content-type': 'application/json', 'x-hub-signature-256': signature };
  return gateway.call(path, { method: 'POST', body, headers: { ...own, ...headers } });
}

describe('a webhook', () => {
  it('tells its secret once; what is read later has none', async () => {
    const trigger = await created();
    expect(trigger.secret).toMatch(/^[\w-]{43}$/);
    expect(trigger.path).toBe(`/v1/hooks/${trigger.id}`);
    const read = await (await gateway.call(`/v1/triggers/${trigger.id}`)).text();
    expect(TriggerView.parse(JSON.parse(read)).name).toBe('on-push');
    expect(read).not.toContain(trigger.secret);
    expect(gateway.log.join('')).not.toContain(trigger.secret);
  });

  it('takes a signed delivery without an API key: on record when it is answered, once', async () => {
    const { path, secret } = await created();
    const body = '{"ref":"refs/heads/main"}';
    const send = () =>
      deliver(path ?? '', secret ?? '', body, { 'x-github-event': 'push', 'x-github-delivery': 'd-1' });
    const first = await send();
    expect([first.status, await first.json()]).toEqual([202, { accepted: true, reason: null }]);
    expect(firings[0]).toEqual({ key: 'd-1', run: { task: 'check main' } });
    expect(await (await send()).json()).toEqual({ accepted: true, reason: 'this delivery was taken before' });
  });

  it('answers what it starts nothing for, with the reason', async () => {
    const { path, secret } = await created();
    const other = await deliver(path ?? '', secret ?? '', '{"ref":"refs/heads/other"}');
    expect(await other.json()).toEqual({ accepted: false, reason: 'branch other is not among main' });
    const ping = await deliver(path ?? '', secret ?? '', '{}', { 'x-github-event': 'ping' });
    expect(await ping.json()).toMatchObject({ accepted: false });
    expect(firings).toEqual([]);
  });

  it('refuses a bad signature and an unknown trigger alike, and what is no JSON', async () => {
    const { path, secret } = await created();
    gateway.state.on(`GET /v1/triggers/${NOBODY}`, () => {
      throw new DevmeshError('not_found', 'no such trigger');
    });
    const forged = Problem.parse(await (await deliver(path ?? '', 'wrong', '{}')).json());
    const unknown = Problem.parse(await (await deliver(`/v1/hooks/${NOBODY}`, secret ?? '', '{}')).json());
    expect(forged).toMatchObject({ status: 401, code: 'unauthenticated' });
    expect(unknown.detail).toBe(forged.detail);
    expect(Problem.parse(await (await deliver(path ?? '', secret ?? '', 'no json')).json()).code).toBe(
      'invalid_request',
    );
    const large = await deliver(path ?? '', secret ?? '', `"${'x'.repeat(5 * 1024 * 1024)}"`);
    expect(Problem.parse(await large.json()).code).toBe('payload_too_large');
  });
});

describe('a schedule', () => {
  it('is due at its next occurrence', async () => {
    const trigger = await created({
      name: 'nightly',
      on: { kind: 'schedule', cron: '0 3 * * *', timezone: 'Europe/Berlin' },
      run: {},
    });
    expect(trigger).toMatchObject({ secret: null, path: null, enabled: true });
    expect(Date.parse(trigger.nextAt ?? '')).toBeGreaterThan(Date.now());
  });

  it.each([
    [{ kind: 'schedule', cron: 'soon' }, 'soon'],
    [{ kind: 'schedule', cron: '0 0 30 2 *' }, 'never comes again'],
    [{ kind: 'webhook', branches: ['a*b*c'] }, 'at most one *'],
  ])('refuses %j, naming the culprit', async (on, says) => {
    const problem = Problem.parse(await (await gateway.post('/v1/triggers', { name: 'x', on, run: {} })).json());
    expect(problem.code).toBe('invalid_request');
    expect(problem.detail).toContain(says);
  });
});

it("another project's trigger is not there", async () => {
  const { id } = await created();
  const headers = { authorization: `Bearer ${OTHER_KEY}` };
  for (const method of ['GET', 'DELETE'])
    expect((await gateway.call(`/v1/triggers/${id}`, { method, headers })).status).toBe(404);
  expect((await gateway.call(`/v1/triggers/${id}`, { method: 'DELETE' })).status).toBe(200);
  expect(stored.size).toBe(0);
});
