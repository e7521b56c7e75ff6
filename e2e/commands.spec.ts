import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredEvent } from '@devmesh/contracts/event';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { commandLines } from '@devmesh/repository/testing/git-http-server';
import { makeRepository, removeAll } from '@devmesh/repository/testing/sample-git';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Devmesh, type RunResult } from './support/devmesh.js';
import { processesOf } from './support/leftovers.js';
import { resultBranches } from './support/repositories.js';

const VULNERABLE = 'export const token = (): string => Math.random().toString(36).slice(2);\n';

let devmesh: Devmesh;
let repository: string;
/** A run that is over, on `repository`. */
let done: RunResult;

beforeAll(async () => {
  devmesh = await Devmesh.make(inject('clone'));
  repository = makeRepository([
    ['package.json', '{ "name": "small", "main": "src/token.ts" }\n'],
    ['src/token.ts', VULNERABLE],
  ]);
  done = (await devmesh.json<RunResult>(['run', '--repo', repository])).data;
});

afterAll(async () => {
  await devmesh.down();
  const left = processesOf(devmesh.folder);
  await devmesh.remove();
  removeAll(repository);
  expect(left).toEqual([]);
});

const short = (run: string): string => run.slice(-8);

/** Has an agent stand still while `use` runs, so that a run stays under way for as long as it is needed. */
async function whileFrozen<T>(agent: string, use: () => Promise<T>): Promise<T> {
  const { data } = await devmesh.json<{ services: { name: string; pid: number }[] }>(['status']);
  const pid = data.services.find(({ name }) => name === agent)?.pid;
  if (pid === undefined) throw new Error(`no ${agent} in ${JSON.stringify(data)}`);
  process.kill(pid, 'SIGSTOP');
  try {
    return await use();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

describe('looking at a run', () => {
  it('lists it, by its short name and as data', async () => {
    const listed = await devmesh.run(['runs', '-n', '50']);
    expect(listed.stdout).toMatch(new RegExp(`^${short(done.run.id)} +✔ passed +deliver`, 'm'));
    const { data } = await devmesh.json<{ runs: RunView[] }>(['runs', '-n', '50']);
    expect(data.runs.map(({ id }) => id)).toContain(done.run.id);
  });

  it('shows its steps, result and artifacts', async () => {
    const shown = await devmesh.run(['show', short(done.run.id)]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/✔ verify +code-review/);
    expect(shown.stdout).toContain(`devmesh/${done.run.id}`);
    expect(shown.stdout).toMatch(/^findings\.sarif +review/m);
  });

  it('tells its events in order, without a gap', async () => {
    const { data } = await devmesh.json<{ events: StoredEvent[] }>(['events', done.run.id]);
    expect(data.events.map(({ seq }) => seq)).toEqual(data.events.map((_, index) => index + 1));
    expect(data.events[0]?.event.type).toBe('RunCreated');
    expect(data.events.at(-1)?.event).toMatchObject({ type: 'RunEnded', verdict: 'passed' });
    const text = await devmesh.run(['events', done.run.id]);
    expect(text.stdout.trimEnd().split('\n')).toHaveLength(data.events.length);
  });

  it('shows what it changed', async () => {
    const diff = await devmesh.run(['diff', done.run.id]);
    expect(diff).toMatchObject({ code: 0, stderr: '' });
    expect(diff.stdout).toContain('-export const token = (): string => Math.random().toString(36).slice(2);');
    const stat = await devmesh.run(['diff', done.run.id, '--stat']);
    expect(stat.stdout).toMatch(/src\/token\.ts +\| +\d/);
    const { data } = await devmesh.json<{ diff: string }>(['diff', done.run.id]);
    expect(data.diff).toBe(diff.stdout);
  });

  it('gathers what every service logged of it', async () => {
    const logs = await devmesh.run(['logs', done.run.id]);
    expect(logs.stdout).toMatch(/orchestrator .* run ended .*verdict=passed/);
    const raw = await devmesh.run(['logs', done.run.id, '--json']);
    const lines = raw.stdout.trimEnd().split('\n');
    const parsed = lines.map((line) => JSON.parse(line) as { service: string; time: string; runId?: string });
    expect(parsed.length).toBeGreaterThan(5);
    expect(parsed.map(({ time }) => time)).toEqual(parsed.map(({ time }) => time).toSorted());
  });

  it.each([
    [['show', '00000000'], 2, 'no run is called 00000000: ./devmesh runs lists them'],
    [['show', 'x'], 2, '"x" is not a run'],
    [['logs', 'nobody'], 2, '"nobody" is neither a service nor a run: the services are cicd'],
    [['fly'], 2, "unknown command 'fly'"],
    [['runs', '-n', 'many'], 2, 'It is a whole number from 1 to 10000'],
  ])('refuses %j with exit code %i and a cure', async (args, exitCode, text) => {
    const said = await devmesh.run(args);
    expect(said.code).toBe(exitCode);
    expect(said.stderr).toContain(text);
    expect(said.stdout).toBe('');
  });
});

describe('a run under way', () => {
  it('goes on without the command: --detach, then show --follow brings its result home', async () => {
    const mine = makeRepository([['src/token.ts', VULNERABLE]]);
    const detached = await devmesh.run(['run', '--repo', mine, '--detach', '--quiet']);
    expect(detached).toMatchObject({ code: 0, stderr: '' });
    const id = detached.stdout.trim();
    const followed = await devmesh.json<RunResult>(['show', id, '--follow']);
    expect(followed.code).toBe(0);
    expect(followed.data).toMatchObject({ run: { id, verdict: 'passed' }, delivered: { branch: `devmesh/${id}` } });
    expect(resultBranches(mine)).toEqual([`devmesh/${id}`]);
    removeAll(mine);
  });

  it('is left with Ctrl-C, which says how to follow and to cancel it; cancel ends it for who follows', async () => {
    // The first step stands still: under way, or not begun when the orchestrator has seen already that its agent does not answer.
    const still = /understand +\S+ (running|waiting)/;
    await whileFrozen('rag-context', async () => {
      const watching = devmesh.start(['run', '--repo', repository]);
      await watching.said(still);
      watching.child.kill('SIGINT');
      const left = await watching.ended;
      expect(left.code).toBe(130);
      const [, id = ''] = /devmesh show (\w{8}) --follow/.exec(left.stderr) ?? [];
      expect(left.stderr).toContain(`cancel  ./devmesh cancel ${id}`);
      const { data } = await devmesh.json<{ run: RunView }>(['show', id]);
      expect(data.run).toMatchObject({ status: 'running', verdict: null });

      const following = devmesh.start(['show', id, '--follow']);
      await following.said(still);
      const cancelled = await devmesh.run(['cancel', id, '--reason', 'not today']);
      expect(cancelled).toMatchObject({ code: 0, stderr: '' });
      const ended = await following.ended;
      expect(ended.code).toBe(130);
      expect(ended.stdout).toMatch(/⊘ cancelled in .*\n +because +not today/);
    });
  });

  it('that is over is not cancelled any more', async () => {
    const said = await devmesh.json<{ run: RunView }>(['cancel', done.run.id]);
    expect(said).toMatchObject({ code: 0, data: { run: { status: 'ended', verdict: 'passed' } } });
  });
});

describe('the API', () => {
  const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    devmesh.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  it('describes itself in OpenAPI 3.1, and shows it to people, without a key', async () => {
    const document = (await (await fetch(`${devmesh.gateway}/openapi.json`)).json()) as {
      openapi: string;
      paths: Record<string, unknown>;
    };
    expect(document.openapi).toMatch(/^3\.1\./);
    expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/v1/runs', '/v1/runs/{runId}/events']));
    const docs = await fetch(`${devmesh.gateway}/docs`);
    expect(docs.headers.get('content-type')).toContain('text/html');
  });

  it('makes one run of a request that is repeated with its key, and refuses another request with it', async () => {
    const { ref, origin } = done.run.repository ?? {};
    const submit = { task: 'once', workflow: { name: 'review' }, repository: { ref, origin } };
    const [one, two] = await Promise.all([
      post('/v1/runs', submit, { 'idempotency-key': 'only-once' }),
      post('/v1/runs', submit, { 'idempotency-key': 'only-once' }),
    ]);
    expect([one.status, two.status]).toEqual([202, 202]);
    const ids = [((await one.json()) as RunView).id, ((await two.json()) as RunView).id];
    expect(ids[0]).toBe(ids[1]);
    expect(one.headers.get('location')).toBe(`/v1/runs/${ids[0] ?? ''}`);
    const other = await post('/v1/runs', { ...submit, task: 'twice' }, { 'idempotency-key': 'only-once' });
    expect(other.status).toBe(422);
    expect(await other.json()).toMatchObject({ code: 'idempotency_key_reused' });
  });

  it('streams events, and goes on after Last-Event-ID without loss or doubles', async () => {
    const ids = async (headers: Record<string, string>): Promise<number[]> => {
      const stream = await devmesh.request(`/v1/runs/${done.run.id}/events`, {
        headers: { accept: 'text/event-stream', ...headers },
      });
      expect(stream.headers.get('content-type')).toContain('text/event-stream');
      const text = await stream.text();
      expect(text).toMatch(/^event: end$/m);
      return [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
    };
    const all = await ids({});
    expect(all).toEqual(Array.from({ length: done.run.lastSeq }, (_, index) => index + 1));
    expect(await ids({ 'last-event-id': '5' })).toEqual(all.slice(5));
  });

  it.each([
    ['without a key', '/v1/runs', { authorization: '' }, 401, 'unauthenticated'],
    ['with a wrong key', '/v1/runs', { authorization: `Bearer dm_${'x'.repeat(40)}` }, 401, 'unauthenticated'],
    ['for a run that is not there', '/v1/runs/01900000-0000-7000-8000-000000000000', {}, 404, 'not_found'],
    ['for what is no id', '/v1/runs/17', {}, 400, 'invalid_request'],
    ['for a limit that is none', '/v1/runs?limit=0', {}, 400, 'invalid_request'],
  ])('answers %s with problem+json', async (_, path, headers, status, problem) => {
    const reply = await devmesh.request(path, { headers });
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(await reply.json()).toMatchObject({ status, code: problem, type: expect.any(String) as string });
  });

  it('names the field that is wrong', async () => {
    const reply = await post('/v1/runs', { task: 7 });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({ errors: [{ pointer: '/task' }] });
  });

  it('pages through the runs', async () => {
    const first = (await (await devmesh.request('/v1/runs?limit=1')).json()) as {
      items: RunView[];
      nextCursor: string;
    };
    expect(first.items).toHaveLength(1);
    const next = await devmesh.request(`/v1/runs?limit=1&cursor=${encodeURIComponent(first.nextCursor)}`);
    const second = (await next.json()) as { items: RunView[] };
    expect(second.items[0]?.id).not.toBe(first.items[0]?.id);
  });

  it('lets nobody else into the services behind it', async () => {
    for (let port = devmesh.portBase + 1; port <= devmesh.portBase + 8; port++) {
      const reply = await fetch(`http://127.0.0.1:${port}/v1/agent`, { headers: { authorization: 'Bearer guessed' } });
      expect([401, 404], String(port)).toContain(reply.status);
    }
  });
});

describe('secrets', () => {
  it('stand in no log, no argument of a process, no output of a command', async () => {
    const folder = join(devmesh.home, 'secrets');
    const texts = [
      ...readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8').trim()),
      readFileSync(join(devmesh.home, 'api-key'), 'utf8').trim(),
    ];
    // Of an address only the password is secret.
    const secrets = texts.map((text) => (text.startsWith('postgres') ? new URL(text).password : text));
    expect(secrets.length).toBeGreaterThanOrEqual(5);
    for (const secret of secrets) expect(secret.length).toBeGreaterThan(20);

    const watching = devmesh.start(['run', '--repo', repository]);
    const seen: string[] = [];
    const sample = (): unknown => seen.push(...commandLines());
    watching.child.stdout?.on('data', sample);
    await watching.ended;
    await devmesh.request('/v1/whoami', { headers: { authorization: 'Bearer wrong' } });
    const logs = join(devmesh.home, 'logs');
    const places: Record<string, string> = {
      arguments: seen.join('\n'),
      outputs: devmesh.heard.join('\n'),
      ...Object.fromEntries(readdirSync(logs).map((name) => [name, readFileSync(join(logs, name), 'utf8')])),
    };
    expect(seen.some((line) => line.includes(devmesh.clone))).toBe(true);
    for (const [place, text] of Object.entries(places))
      for (const secret of secrets) expect(text.includes(secret), place).toBe(false);
  });

  it('are for their owner alone', () => {
    const mode = (name: string): string => (statSync(join(devmesh.home, name)).mode & 0o777).toString(8);
    expect(mode('api-key')).toBe('600');
    expect(mode('.')).toBe('700');
    for (const name of readdirSync(join(devmesh.home, 'secrets'))) expect(mode(join('secrets', name))).toBe('600');
  });
});
