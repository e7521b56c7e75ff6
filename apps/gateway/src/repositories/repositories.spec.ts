import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Problem } from '@devmesh/contracts/errors';
import { RunView } from '@devmesh/contracts/gateway-api';
import { SubmitRun } from '@devmesh/contracts/orchestrator-api';
import { RepositoryHistory } from '@devmesh/contracts/repository';
import { RunRepository } from '@devmesh/contracts/run';
import { makeRepository, userGit } from '@devmesh/repository/testing/sample-git';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { record, RUN, WORKFLOW_DIGEST } from '../testing/history.js';
import { scriptKeys, scriptRun } from '../testing/scripted-mesh.js';
import { TestGateway } from '../testing/test-gateway.js';

const gateway = new TestGateway();
const stored = new Map<string, Buffer>();
let repository = '';
let head = '';

beforeAll(async () => {
  await gateway.start();
  repository = makeRepository([['README.md', 'hello\n']]);
  head = userGit(repository, ['rev-parse', 'HEAD']);
});
afterAll(async () => {
  await gateway.close();
  rmSync(repository, { recursive: true, force: true });
});
beforeEach(() => {
  scriptKeys(gateway);
  stored.clear();
  // Which digest the bundle gets is git's business: any PUT is taken.
  gateway.state.any = ({ method, path, body }) => {
    const digest = path.split('/').at(-1) ?? '';
    if (method !== 'PUT' || createHash('sha256').update(body).digest('hex') !== digest) return undefined;
    stored.set(digest, body);
    return { digest, size: body.length };
  };
});
afterEach(() => {
  gateway.endTest();
});

/** What clones left behind on the disk. */
function leftovers(): string[] {
  return readdirSync(join(gateway.home, 'gateway', 'clones'));
}

async function refusal(url: string, ref?: string): Promise<Problem> {
  const response = await gateway.post('/v1/repositories', { url, ref });
  const problem = Problem.parse(await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}

describe('a repository by URL', () => {
  it('is cloned into the store', async () => {
    const response = await gateway.post('/v1/repositories', { url: pathToFileURL(repository).href });
    expect(response.status).toBe(200);
    const reply = RunRepository.parse(await response.json());
    expect(reply.ref).toMatchObject({ commit: head, base: head });
    expect([...stored.keys()]).toEqual(reply.ref.bundles);
    expect(leftovers()).toEqual([]);
    expect(
      stored
        .get(reply.ref.bundles[0] ?? '')
        ?.subarray(0, 16)
        .toString(),
    ).toContain('git bundle');
  });

  it('brings along what led to its commit, where its server hands that out', async () => {
    userGit(repository, ['config', 'uploadpack.allowFilter', 'true']);
    const response = await gateway.post('/v1/repositories', { url: pathToFileURL(repository).href });
    userGit(repository, ['config', 'uploadpack.allowFilter', 'false']);
    const { history } = RunRepository.parse(await response.json());
    const text = stored.get(history ?? '')?.toString() ?? '';
    expect(RepositoryHistory.parse(JSON.parse(text)).commits).toMatchObject([{ commit: head, title: 'First' }]);
  });

  it('may be submitted as it is: the run gets what an upload would have given it', async () => {
    scriptRun(gateway, record(), []);
    gateway.orchestrator.on('POST /v1/runs', () => ({
      runId: RUN,
      workflow: { name: 'deliver', digest: WORKFLOW_DIGEST },
      fresh: true,
    }));
    const body = { workflow: { name: 'deliver' }, repository: { url: pathToFileURL(repository).href, ref: 'main' } };
    const response = await gateway.post('/v1/runs', body, { 'idempotency-key': 'k' });
    expect(RunView.parse(await response.json()).repository?.ref.commit).toBe(head);
    const submitted = SubmitRun.parse(gateway.orchestrator.calls[0]?.json);
    expect(submitted.repository?.ref.bundles).toEqual([...stored.keys()]);
    // The request is the URL; what a clone of it gave today is not part of it.
    const canonical = `{"repository":{"ref":"main","url":"${pathToFileURL(repository).href}"},"task":"","workflow":{"name":"deliver"}}`;
    expect(submitted.idempotency?.requestHash).toBe(createHash('sha256').update(canonical).digest('hex'));
  });

  it.each([
    ['that is not there', () => pathToFileURL(join(repository, 'nowhere')).href, undefined, 'clone_failed', 'nowhere'],
    [
      'by a protocol that is not allowed',
      () => 'git://host.example/x.git',
      undefined,
      'clone_failed',
      'git is not among',
    ],
    ['without that branch', () => pathToFileURL(repository).href, 'missing', 'invalid_repository', '"missing"'],
  ])('%s is refused with culprit and cure', async (_, url, ref, code, says) => {
    const problem = await refusal(url(), ref);
    expect(problem).toMatchObject({ status: 422, code });
    expect(problem.detail).toContain(says);
    expect(leftovers()).toEqual([]);
  });

  it('that is no URL is refused before anything is tried', async () => {
    expect(await refusal('not a url')).toMatchObject({ status: 400, errors: [{ pointer: '/url' }] });
  });

  it('that asks for a password gets none, and a password in the URL shows nowhere', async () => {
    const server = createServer((_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const problem = await refusal(`http://robot:hunter2secret@127.0.0.1:${port}/x.git`);
      expect(problem).toMatchObject({ status: 422, code: 'clone_failed' });
      expect(problem.detail).toContain(`127.0.0.1:${port}/x.git`);
      expect(problem.detail).toMatch(/password/);
      expect(JSON.stringify(problem) + gateway.log.join('')).not.toMatch(/hunter2|robot/);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('a server that never answers', () => {
  const patient = new TestGateway();
  const silent = createServer(() => undefined);
  beforeAll(async () => {
    await patient.start({ timeoutMs: 1_000, concurrency: 1 });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    silent.closeAllConnections();
    silent.close();
    await patient.close();
  });

  it('is given up after the time that is configured, and meanwhile holds one place only', async () => {
    scriptKeys(patient);
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/x.git`;
    const asked = new Promise<void>((resolve) => silent.once('request', () => resolve()));
    const first = patient.post('/v1/repositories', { url });
    await asked;
    const second = await patient.post('/v1/repositories', { url });
    expect(second.status).toBe(429);
    expect(second.headers.get('retry-after')).toBe('5');
    expect(Problem.parse(await second.json())).toMatchObject({ code: 'rate_limited', retryable: true });
    const problem = Problem.parse(await (await first).json());
    expect(problem).toMatchObject({ status: 422, code: 'clone_timeout', retryable: true });
    expect(problem.detail).toContain('1000 ms');
    patient.endTest();
  });

  it('is given up at once when the client goes', async () => {
    // With the default patience of two minutes.
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/y.git`;
    const closed = new Promise<void>((resolve) => {
      silent.once('request', (request) => {
        request.socket.once('close', () => resolve());
        leave.abort();
      });
    });
    const leave = new AbortController();
    const init = { method: 'POST', body: JSON.stringify({ url }), signal: leave.signal };
    await expect(
      gateway.call('/v1/repositories', { ...init, headers: { 'content-type': 'application/json' } }),
    ).rejects.toThrow();
    await closed;
  });
});
