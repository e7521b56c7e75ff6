import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineAction, MAX_OUTPUT_BYTES, Verdict, type ActionContract } from '@devmesh/contracts/action';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { ExecutionRequest } from '@devmesh/contracts/execution';
import type { Outcome } from '@devmesh/contracts/outcome';
import type { AgentClient, Dispatched } from '@devmesh/service-client/agent.client';
import { StaticDiscovery } from '@devmesh/service-client/discovery/static.discovery';
import { MeshClients } from '@devmesh/service-client/mesh-clients';
import { json, problem, ScriptedServer } from '@devmesh/service-client/testing/scripted-server';
import { readConfig } from '@devmesh/service-kit/config/read-config';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { createService, type Service } from '@devmesh/service-kit/service';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { implement, type Action, type ActionContext, type ActionProbe } from '../action-context.js';
import { AgentConfig } from '../agent/agent.config.js';
import { createAgentModule } from '../agent/agent.module.js';
import { ForgetfulRegistry } from '../testing/forgetful.registry.js';
import type { ExecutionRegistry } from './execution.registry.js';

const TOKEN = 'a-token-for-tests-that-is-long-enough';
const RUN = '01900000-0000-7000-8000-000000000001';
const OTHER_RUN = '01900000-0000-7000-8000-000000000002';
const KEY = `${RUN}/review/1/1`;

const contract = defineAction({
  id: 'cicd/work',
  title: 'Work',
  isDefault: true,
  givesVerdict: true,
  input: z.object({ n: z.number(), more: z.string().default('none') }),
  output: z.object({ doubled: z.number(), verdict: Verdict.optional(), text: z.string().optional() }),
});
const once = defineAction({ ...contract, id: 'cicd/publish', isDefault: false, effects: 'once' });
const probing = defineAction({ ...once, id: 'cicd/probe', onLost: 'probe' });

type Work = (context: ActionContext<{ n: number; more: string }>) => Promise<{ doubled: number }>;

let folder: string;
let state: ScriptedServer;
const ended: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-'));
  state = await ScriptedServer.start((_, response) => problem(response, 500, 'internal'));
});
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
  await state.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Rig {
  readonly service: Service;
  readonly url: string;
  readonly agent: AgentClient;
  readonly logged: () => string;
  execute(change?: Partial<ExecutionRequest>, waitSeconds?: number): Promise<Dispatched>;
}

interface RigOptions {
  readonly probe?: ActionProbe<typeof probing>;
  readonly registry?: ExecutionRegistry;
  readonly executions?: { concurrency: number; queued: number };
}

async function rig(work: Work, options: RigOptions = {}): Promise<Rig> {
  const config = readConfig(AgentConfig, {
    service: 'cicd',
    env: {
      DEVMESH_INTERNAL_TOKEN: TOKEN,
      DEVMESH_HOME: folder,
      DEVMESH_ENDPOINTS: JSON.stringify({ 'state-persistence': [state.url] }),
    },
  });
  const bind = (of: ActionContract): Action => implement(of as typeof contract, work) as Action;
  const actions = [
    bind(contract),
    bind(once),
    implement(probing, work, options.probe === undefined ? {} : { probe: options.probe }),
  ];
  const stream = new PassThrough();
  let lines = '';
  stream.on('data', (chunk: Buffer) => (lines += chunk.toString()));
  const service = await createService({
    name: 'cicd',
    config,
    logger: Logger.create({ service: 'cicd', level: 'debug', stream }),
    module: createAgentModule({
      agent: 'cicd',
      config: { ...config, ...(options.executions === undefined ? {} : { executions: options.executions }) },
      actions,
      // Pauses between attempts take no time.
      sleep: () => Promise.resolve(),
      ...(options.registry === undefined ? {} : { registry: options.registry }),
    }),
    bodyLimitBytes: 1024 * 1024,
  });
  const url = await service.listen(0);
  const clients = new MeshClients({ discovery: new StaticDiscovery({ cicd: [url] }), internalToken: TOKEN });
  const agent = clients.agent('cicd');
  ended.push(
    () => service.close(200),
    () => clients.close(),
  );
  const execute = (change: Partial<ExecutionRequest> = {}, waitSeconds = 30): Promise<Dispatched> =>
    agent.execute(
      url,
      {
        key: KEY,
        action: 'cicd/work',
        epoch: 1,
        instance: service.identity.instance,
        notAfter: Date.now() + 60_000,
        input: { n: 2 },
        rework: null,
        acknowledge: [],
        ...change,
      },
      waitSeconds,
    );
  return { service, url, agent, execute, logged: () => lines };
}

const double: Work = ({ input }) => Promise.resolve({ doubled: input.n * 2 });

/** An action that ends when the test says so. */
function held(): {
  work: Work;
  finish: (doubled?: number) => void;
  runs: () => number;
  contexts: ActionContext<unknown>[];
} {
  const contexts: ActionContext<unknown>[] = [];
  const { promise, resolve } = Promise.withResolvers<{ doubled: number }>();
  return {
    work: (context) => {
      contexts.push(context);
      return promise;
    },
    finish: (doubled = 4) => resolve({ doubled }),
    runs: () => contexts.length,
    contexts,
  };
}

const succeeded = (doubled: number): Outcome => ({ kind: 'succeeded', output: { doubled } });
const done = (outcome: unknown): unknown => ({ kind: 'done', outcome });
const refusedWith = (code: string): unknown => ({ kind: 'refused', error: expect.objectContaining({ code }) });
const failedWith = (code: string, message: RegExp, retryable = false): unknown =>
  done({ kind: 'failed', error: { code, retryable, message: expect.stringMatching(message) } });
/** What was posted to a path of the state service. */
const posted = (path: RegExp): unknown[] =>
  state.received.filter((r) => path.test(r.path)).map((r) => JSON.parse(r.body.toString()) as unknown);

describe('an execution', () => {
  it('is answered within the wait', async () => {
    const { execute } = await rig(double);
    await expect(execute()).resolves.toEqual(done(succeeded(4)));
    expect(state.received).toEqual([]);
  });

  it('gives the action its input with defaults, its key, and why it is done again', async () => {
    const { work, finish, contexts } = held();
    finish();
    const { execute } = await rig(work);
    await execute({ key: `${RUN}/review/3/2`, rework: { from: 'gate', output: { why: 'x' } } });
    expect(contexts[0]).toMatchObject({
      runId: RUN,
      step: 'review',
      iteration: 3,
      input: { n: 2, more: 'none' },
      rework: { from: 'gate', output: { why: 'x' } },
    });
  });

  it('carries the verdict of its output', async () => {
    const { execute } = await rig(() => Promise.resolve({ doubled: 1, verdict: 'rejected', extra: 1 }));
    await expect(execute()).resolves.toEqual(
      done({ kind: 'succeeded', output: { doubled: 1, verdict: 'rejected' }, verdict: 'rejected' }),
    );
  });

  it.each<[string, Partial<ExecutionRequest>, Work, unknown]>([
    ['input against the contract', { input: { n: 'two' } }, double, failedWith('invalid_input', /\/n: /)],
    [
      'input over the limit',
      { input: { n: 1, more: 'x'.repeat(256 * 1024) } },
      double,
      failedWith('invalid_input', /at most 262144/),
    ],
    [
      'output against the contract',
      {},
      () => Promise.resolve({ doubled: 'x' } as never),
      failedWith('internal', /against its own contract.*\/doubled/),
    ],
    [
      'output over the limit',
      {},
      () => Promise.resolve({ doubled: 1, text: 'x'.repeat(MAX_OUTPUT_BYTES) }),
      failedWith('output_too_large', /at most 32768/),
    ],
    [
      'an error of its own',
      {},
      () => Promise.reject(new DevmeshError('patch_conflict', 'a.ts differs')),
      failedWith('patch_conflict', /^a\.ts differs$/),
    ],
    [
      'an error worth another attempt',
      {},
      () => Promise.reject(new DevmeshError('unavailable', 'x')),
      failedWith('unavailable', /x/, true),
    ],
    [
      'a path of this machine in an error',
      {},
      () => Promise.reject(new DevmeshError('action_failed', 'no /var/lib/mesh/x.ts here')),
      failedWith('action_failed', /^no \[path\] here$/),
    ],
    [
      'a bug',
      {},
      () => Promise.reject(new TypeError('x of undefined at /srv/secret')),
      failedWith('internal', /^cicd\/work ended with an unforeseen TypeError; the log of the agent has it$/),
    ],
    ['a time that has passed', { notAfter: 1 }, double, done({ kind: 'timed_out' })],
  ])('makes a typed outcome of %s', async (_, change, work, expected) => {
    const { execute } = await rig(work);
    await expect(execute(change)).resolves.toEqual(expected);
  });

  it('logs how it ended, with the names of run and step', async () => {
    const { execute, logged } = await rig(double);
    await execute();
    const lines = logged()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(
      expect.objectContaining({ message: 'execution ended', runId: RUN, step: 'review', outcome: 'succeeded' }),
    );
  });

  it('logs what a bug said', async () => {
    const { execute, logged } = await rig(() => Promise.reject(new TypeError('the details')));
    await execute();
    expect(logged()).toContain('the details');
  });

  it('ends with its deadline, and the action hears of it', async () => {
    const heard = Promise.withResolvers<void>();
    const { execute } = await rig(
      ({ signal }) => new Promise(() => signal.addEventListener('abort', () => heard.resolve())),
    );
    await expect(execute({ notAfter: Date.now() + 30 })).resolves.toEqual(done({ kind: 'timed_out' }));
    await heard.promise;
  });
});

describe('joining by key', () => {
  it('never runs a key twice: under way, ended, and whoever asks', async () => {
    const { work, finish, runs } = held();
    const { execute } = await rig(work);
    const both = [execute(), execute({ epoch: 2 })];
    await expect.poll(runs).toBe(1);
    finish();
    await expect(Promise.all(both)).resolves.toEqual([done(succeeded(4)), done(succeeded(4))]);
    await expect(execute({ epoch: 2 })).resolves.toEqual(done(succeeded(4)));
    expect(runs()).toBe(1);
  });

  it('refuses a key with another request, however its members are ordered', async () => {
    const { execute } = await rig(double);
    await execute({ input: { n: 2, more: 'x' } });
    await expect(execute({ input: { more: 'x', n: 2 } })).resolves.toEqual(done(succeeded(4)));
    await expect(execute({ input: { n: 3, more: 'x' } })).resolves.toEqual(refusedWith('conflict'));
  });

  it('forgets an answer that its run has on record, and no other, and never runs its key again', async () => {
    const { work, finish, runs } = held();
    finish();
    const { execute, agent, url } = await rig(work);
    await execute();
    await execute({ key: `${OTHER_RUN}/a/1/1`, acknowledge: [KEY] });
    await expect(agent.get(url, KEY)).resolves.toMatchObject({ outcome: succeeded(4) });
    await execute({ key: `${RUN}/next/1/1`, acknowledge: [KEY] });
    await expect(agent.get(url, KEY)).rejects.toMatchObject({ code: 'not_found' });
    expect(runs()).toBe(3);
    // A request of it that was long on its way comes late: it is refused, not run again.
    await expect(execute()).resolves.toEqual(refusedWith('execution_cancelled'));
    expect(runs()).toBe(3);
  });

  it('goes on when its caller goes away, and the successor joins it', async () => {
    const { work, finish, runs } = held();
    const { execute, agent, url, service } = await rig(work);
    const controller = new AbortController();
    const request = {
      key: KEY,
      action: 'cicd/work',
      epoch: 1,
      instance: service.identity.instance,
      notAfter: Date.now() + 60_000,
      input: { n: 2 },
      rework: null,
      acknowledge: [],
    };
    const first = agent.execute(url, request, 30, { signal: controller.signal });
    await expect.poll(runs).toBe(1);
    controller.abort();
    await expect(first).resolves.toMatchObject({ kind: 'unreachable' });
    const second = execute();
    finish();
    await expect(second).resolves.toEqual(done(succeeded(4)));
    expect(runs()).toBe(1);
  });

  it('can be switched off to see the difference', async () => {
    const { work, finish, runs } = held();
    finish();
    const { execute } = await rig(work, { registry: new ForgetfulRegistry() });
    await execute();
    await execute();
    expect(runs()).toBe(2);
  });
});

describe('the agent refuses', () => {
  it('another incarnation, an old epoch, an unknown action', async () => {
    const { execute } = await rig(double);
    await expect(execute({ instance: 'cicd-before' })).resolves.toEqual(refusedWith('wrong_instance'));
    await expect(execute({ action: 'cicd/nothing' })).resolves.toEqual(refusedWith('unknown_action'));
    await execute({ epoch: 5 });
    await expect(execute({ epoch: 4 })).resolves.toEqual(refusedWith('stale_epoch'));
    await expect(execute({ epoch: 1, key: `${OTHER_RUN}/a/1/1` })).resolves.toEqual(done(succeeded(4)));
  });

  it('a header that is not the key', async () => {
    const { url, service } = await rig(double);
    const body = {
      key: KEY,
      action: 'cicd/work',
      epoch: 1,
      instance: service.identity.instance,
      notAfter: 1,
      input: {},
      rework: null,
      acknowledge: [],
    };
    const answer = await fetch(`${url}/v1/executions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(400);
  });

  it('more than its queue takes, before anything is started', async () => {
    state.script((_, response) => json(response, { accepted: true, ended: false }));
    const { work, finish, runs } = held();
    const { execute } = await rig(work, { executions: { concurrency: 1, queued: 1 } });
    const first = execute({ key: `${RUN}/a/1/1` });
    await expect.poll(runs).toBe(1);
    const second = execute({ key: `${RUN}/b/1/1` }, 0);
    await expect(second).resolves.toMatchObject({ kind: 'accepted' });
    await expect(execute({ key: `${RUN}/c/1/1` })).resolves.toEqual({
      kind: 'refused',
      error: expect.objectContaining({ code: 'unavailable', retryAfterMs: 1000 }),
    });
    finish();
    await first;
  });

  it('new keys while it shuts down, but answers the ones it knows', async () => {
    const { work, finish, runs } = held();
    const { execute, service } = await rig(work);
    const first = execute();
    await expect.poll(runs).toBe(1);
    // Kept alive by the call under way, as a caller's connection is.
    const closing = service.close(5_000);
    finish();
    await expect(first).resolves.toEqual(done(succeeded(4)));
    await closing;
  });
});

describe('cancelling', () => {
  it('stops the action, answers who waits, and bars the key', async () => {
    const heard = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const { execute, agent, url } = await rig(({ signal }) => {
      started.resolve();
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          heard.resolve();
          reject(new Error('stopped'));
        });
      });
    });
    const waiting = execute();
    await started.promise;
    await agent.cancel(url, KEY);
    await heard.promise;
    await expect(waiting).resolves.toEqual(done({ kind: 'cancelled' }));
    await expect(execute()).resolves.toEqual(refusedWith('execution_cancelled'));
    await expect(agent.cancel(url, KEY)).resolves.toBe(true);
  });

  it('is not confirmed while the code heeds no abort', async () => {
    const { work, finish, runs } = held();
    const { execute, agent, url } = await rig(work);
    const waiting = execute();
    await expect.poll(runs).toBe(1);
    await expect(agent.cancel(url, KEY)).resolves.toBe(false);
    await waiting;
    finish();
    await expect.poll(() => agent.cancel(url, KEY)).toBe(true);
  });

  it('bars a key that comes later', async () => {
    const { work, runs } = held();
    const { execute, agent, url } = await rig(work);
    await expect(agent.cancel(url, KEY)).resolves.toBe(true);
    await expect(execute()).resolves.toEqual(refusedWith('execution_cancelled'));
    expect(runs()).toBe(0);
  });

  it('leaves an answer as it is', async () => {
    const { execute, agent, url } = await rig(double);
    await execute();
    await expect(agent.cancel(url, KEY)).resolves.toBe(true);
    await expect(agent.get(url, KEY)).resolves.toMatchObject({ outcome: succeeded(4) });
  });
});

describe('a slow execution', () => {
  it('is accepted, and its outcome told to the inbox, again until that is taken', async () => {
    let posts = 0;
    state.script(({ path }, response) => {
      if (!path.endsWith('/inbox')) return problem(response, 500, 'internal');
      posts += 1;
      // Three attempts of the client fail; those of the agent go on.
      return posts <= 4
        ? problem(response, 503, 'unavailable', { retryable: true })
        : json(response, { accepted: true, ended: false });
    });
    const { work, finish } = held();
    const { execute, agent, url } = await rig(work);
    await expect(execute({}, 0)).resolves.toEqual({ kind: 'accepted', leaseUntil: expect.any(Number) });
    await expect(agent.get(url, KEY)).resolves.toMatchObject({ outcome: null });
    finish();
    await expect.poll(() => posts, { timeout: 5_000 }).toBe(5);
    expect(posted(/inbox/).at(-1)).toEqual({
      dedupeKey: `result:${KEY}`,
      message: { kind: 'result', key: KEY, outcome: succeeded(4) },
    });
    expect(state.received.at(-1)?.path).toBe(`/v1/runs/${RUN}/inbox`);
    await expect(execute()).resolves.toEqual(done(succeeded(4)));
  });

  it('tells the inbox when its caller went away', async () => {
    state.script((_, response) => json(response, { accepted: true, ended: false }));
    const { work, finish, runs } = held();
    const { agent, url, service } = await rig(work);
    const controller = new AbortController();
    const request = {
      key: KEY,
      action: 'cicd/work',
      epoch: 1,
      instance: service.identity.instance,
      notAfter: Date.now() + 60_000,
      input: { n: 2 },
      rework: null,
      acknowledge: [],
    };
    const call = agent.execute(url, request, 30, { signal: controller.signal });
    await expect.poll(runs).toBe(1);
    controller.abort();
    await call;
    // The agent hears of it when the connection closes.
    await expect.poll(async () => (await fetch(`${url}/metrics`)).text()).toContain('status="aborted"');
    finish();
    await expect.poll(() => posted(/inbox/).length).toBe(1);
  });
});

describe('a once action', () => {
  const publish = { action: 'cicd/publish' };

  function claims(
    claim: unknown,
    result: (response: Parameters<typeof json>[0]) => unknown = (response) => json(response, {}),
  ): void {
    state.script(({ path }, response) => {
      if (path === '/v1/executions/claim') return json(response, claim);
      if (path === '/v1/executions/result') return result(response);
      return problem(response, 500, 'internal');
    });
  }

  it('is claimed before it acts, and on record before it is answered', async () => {
    claims({ claim: 'granted' });
    const { work, finish, runs } = held();
    const { execute, service } = await rig(work);
    const answer = execute(publish);
    await expect.poll(runs).toBe(1);
    expect(posted(/claim/)).toEqual([{ key: KEY, instance: service.identity.instance, leaseMs: EXECUTION_LEASE_MS }]);
    finish();
    await expect(answer).resolves.toEqual(done(succeeded(4)));
    expect(posted(/result/)).toEqual([{ key: KEY, instance: service.identity.instance, outcome: succeeded(4) }]);
  });

  it('is answered from the record when it was done before', async () => {
    claims({ claim: 'done', outcome: succeeded(8) });
    const { work, runs } = held();
    const { execute } = await rig(work);
    await expect(execute(publish)).resolves.toEqual(done(succeeded(8)));
    expect(runs()).toBe(0);
  });

  it('waits for the lease of another to end, and may be asked again', async () => {
    claims({ claim: 'held', retryAfterMs: 700 });
    const { work, runs, finish } = held();
    const { execute } = await rig(work);
    await expect(execute(publish)).resolves.toEqual({
      kind: 'refused',
      error: expect.objectContaining({ code: 'claim_held', retryAfterMs: 700 }),
    });
    claims({ claim: 'granted' });
    finish();
    await expect(execute(publish)).resolves.toEqual(done(succeeded(4)));
    expect(runs()).toBe(1);
  });

  it('does not act without its claim', async () => {
    const { work, runs } = held();
    const { execute } = await rig(work);
    await expect(execute(publish)).resolves.toEqual(refusedWith('unavailable'));
    expect(runs()).toBe(0);
  });

  it('is lost when a claim has lapsed and nobody can tell', async () => {
    claims({ claim: 'lapsed' });
    const { work, runs } = held();
    const { execute } = await rig(work);
    await expect(execute(publish)).resolves.toEqual(
      done({ kind: 'lost', message: expect.stringContaining('cicd/publish') }),
    );
    expect(runs()).toBe(0);
    expect(posted(/result/)).toHaveLength(1);
  });

  it.each<[string, Awaited<ReturnType<ActionProbe<typeof probing>>>, unknown, number]>([
    ['done', { state: 'done', output: { doubled: 10 } }, succeeded(10), 0],
    ['not done', { state: 'not_done' }, succeeded(4), 1],
    [
      'unknown',
      { state: 'unknown', message: 'the forge is silent' },
      { kind: 'lost', message: 'the forge is silent' },
      0,
    ],
  ])('asks its probe about a lapsed claim: %s', async (_, found, outcome, times) => {
    claims({ claim: 'lapsed' });
    const { work, runs, finish } = held();
    finish();
    const { execute } = await rig(work, { probe: () => Promise.resolve(found) });
    await expect(execute({ action: 'cicd/probe' })).resolves.toEqual(done(outcome));
    expect(runs()).toBe(times);
    expect(posted(/result/)).toEqual([expect.objectContaining({ outcome })]);
  });

  it('is lost when its claim was taken over before the end', async () => {
    claims({ claim: 'granted' }, (response) => problem(response, 409, 'conflict'));
    const { execute } = await rig(double);
    await expect(execute(publish)).resolves.toEqual(
      done({ kind: 'lost', message: expect.stringContaining('taken over') }),
    );
  });
});

describe('an agent', () => {
  it('says who it is and what it can do', async () => {
    const { agent, url, service } = await rig(double);
    await expect(agent.info(url)).resolves.toMatchObject({
      agent: 'cicd',
      instance: service.identity.instance,
      actions: [
        { id: 'cicd/work', title: 'Work', effects: 'none', isDefault: true },
        { id: 'cicd/publish', effects: 'once', isDefault: false },
        { id: 'cicd/probe' },
      ],
    });
  });

  it('counts the time of its actions', async () => {
    const { execute, url } = await rig(double);
    await execute();
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'agent_execution_seconds_count{agent="cicd",action="cicd/work"} 1',
    );
  });

  it('does not start with an action of another agent', () => {
    const config = readConfig(AgentConfig, {
      service: 'cicd',
      env: { DEVMESH_INTERNAL_TOKEN: TOKEN, DEVMESH_HOME: folder },
    });
    const module = createAgentModule({ agent: 'gateway', config, actions: [implement(contract, double)] });
    return expect(
      createService({
        name: 'gateway',
        config,
        module,
        logger: Logger.create({ service: 'x', level: 'error', stream: new PassThrough() }),
      }),
    ).rejects.toThrow(/cicd\/work is not one of gateway/);
  });
});
