import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Action } from '@devmesh/agent-kit/action-context';
import { EffectLost, Effects } from '@devmesh/agent-kit/effects/effects';
import { ActionBench } from '@devmesh/agent-kit/testing/test-context';
import { DevmeshError } from '@devmesh/contracts/errors';
import { executionKey } from '@devmesh/contracts/ids';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { StateStore } from '@devmesh/engine/simulator/state-store';
import { makeRepository, removeAll, userGit } from '@devmesh/repository/testing/sample-git';
import { ScriptedForge } from '@devmesh/testing/scripted-forge';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createActions } from './actions.js';
import { integrateAction } from './integrate/integrate.action.js';

const RUN = '01900000-0000-7000-8000-000000000000';
const BRANCH = `devmesh/${RUN}`;

let forge: ScriptedForge;
let bench: ActionBench;
let work: string;
let submitted: RepositoryRef;
let ref: RepositoryRef;
let base: string;
let store: StateStore;
let now = 1_000_000;
let actions: readonly Action[];

beforeEach(async () => {
  forge = new ScriptedForge();
  bench = new ActionBench();
  work = makeRepository([['a.txt', 'one\n']]);
  base = userGit(work, ['rev-parse', 'HEAD']);
  await forge.start(work);
  submitted = await bench.submit(work);
  ref = await changed('the change');
  store = new StateStore();
  store.apply(
    {
      op: 'create',
      runId: RUN,
      projectId: 'p',
      events: [],
      workflow: { digest: 'a'.repeat(64), name: 'w' },
      task: '',
      repository: null,
      idempotency: null,
      wakeAt: now,
    },
    now,
  );
  const host = new URL(forge.url).host;
  actions = createActions({
    forges: { [host]: { token: forge.token, api: `${forge.url}/api` } },
    pushProtocols: ['http'],
  });
});
afterEach(async () => {
  await forge.stop();
  await bench.dispose();
  removeAll(work);
});

/** A tree with one commit over what was submitted, as a run makes it. */
async function changed(text: string): Promise<RepositoryRef> {
  const context = bench.context({});
  const checkout = await context.checkout(submitted);
  writeFileSync(join(checkout.path, 'a.txt'), `${text}\n`);
  const patch = await context.patch(checkout, { title: text });
  const patches = patch ? [{ step: 's', agent: 'feature-dev', patch }] : [];
  return (await integrateAction.run(bench.context({ repository: submitted, patches }))).repository as RepositoryRef;
}

interface Call {
  readonly instance?: string;
  readonly iteration?: number;
  readonly attempt?: number;
  readonly signal?: AbortSignal;
}

/** Runs an action with the ledger that the real one is held to. */
function run(id: string, input: Record<string, unknown>, call: Call = {}): Promise<Record<string, unknown>> {
  const { instance = 'i1', iteration = 1, attempt = 1 } = call;
  const action = actions.find(({ contract }) => contract.id === `feature-dev/${id}`);
  if (!action) throw new Error(`no action ${id}`);
  const signal = call.signal ?? new AbortController().signal;
  const effects = new Effects({
    state: {
      claimEffect: async (claim) => store.claimEffect(claim, now),
      recordEffect: async (result) => {
        if (store.recordEffect(result) === 'conflict') throw new DevmeshError('conflict', 'not yours');
      },
    },
    execution: executionKey(RUN, id, iteration, attempt),
    instance,
    approval: null,
    signal,
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
  });
  const valid = action.contract.input.parse(input);
  return action.run({ ...bench.context(valid, { step: id }), effects }) as Promise<Record<string, unknown>>;
}

const push = (call: Call = {}, over: object = {}) =>
  run('push', { repository: ref, remote: forge.remote, ...over }, call);
const pullRequest = (call: Call = {}, over: object = {}) =>
  run('pull-request', { remote: forge.remote, title: 'Harden the shop', body: 'what and why', ...over }, call);

describe('a push', () => {
  it('makes the branch of the run at the remote, once', async () => {
    expect(await push()).toMatchObject({ branch: BRANCH, commit: ref.commit, remote: forge.remote });
    expect(forge.branch(BRANCH)).toBe(ref.commit);
    await push({ instance: 'i2', attempt: 2 });
    expect(forge.effects.git).toBe(1);
  });

  it('of a later iteration moves the branch from where it was left', async () => {
    await push();
    const next = await changed('more');
    await push({ iteration: 2 }, { repository: next });
    expect(forge.branch(BRANCH)).toBe(next.commit);
    expect(forge.effects.git).toBe(2);
  });

  it('whose connection broke is looked for before anything else is done', async () => {
    forge.disturb = (call) => (call === 'git' ? 'break_before' : undefined);
    await expect(push()).rejects.toMatchObject({ code: 'unavailable', retryable: true });
    expect(forge.branch(BRANCH)).toBeNull();
    forge.disturb = () => undefined;
    await push({ attempt: 2 });
    expect(forge.branch(BRANCH)).toBe(ref.commit);
  });

  it('C18: of an actor that wakes up after its successor is refused by the remote: nothing is pushed twice', async () => {
    // The late one looked, and stands still before its push until the successor is done with a newer tree.
    let wake = (): void => undefined;
    const paused = new Promise<void>((resolve) => (wake = resolve));
    const slow = bench.context({ repository: ref, remote: forge.remote }, { step: 'push' });
    const late = actions.find(({ contract }) => contract.id === 'feature-dev/push');
    const acting = Promise.withResolvers<undefined>();
    const result = late?.run({
      ...slow,
      effects: {
        perform: async (request) => {
          store.claimEffect(
            {
              key: `${RUN}/push/push/x`,
              execution: executionKey(RUN, 'push', 1, 1),
              instance: 'i1',
              intent: {},
              intentHash: 'a'.repeat(64),
              leaseMs: 1000,
              approval: null,
            },
            now,
          );
          acting.resolve(undefined);
          await paused;
          return request.act(null, new AbortController().signal);
        },
      },
    });
    await acting.promise;
    const newer = await changed('newer');
    now += 200_000;
    await push({ instance: 'i2', iteration: 2 }, { repository: newer });
    wake();
    await expect(result).rejects.toMatchObject({ code: 'conflict' });
    expect(forge.branch(BRANCH)).toBe(newer.commit);
  });

  it('is refused where somebody else has the branch, and says what to do where no token opens the remote', async () => {
    execFileSync('git', ['-C', forge.gitDir, 'branch', BRANCH, base]);
    await expect(push()).rejects.toMatchObject({ code: 'conflict' });
    actions = createActions({ forges: {}, pushProtocols: ['http'] });
    await expect(push({ attempt: 2 })).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('token') as string,
    });
    await expect(push({ attempt: 3 }, { remote: '~/code/shop' })).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('remote: https://') as string,
    });
  });

  it('of a run that is being cancelled does not happen', async () => {
    store.post(RUN, { dedupeKey: 'cancel', message: { kind: 'cancel', by: 'x', reason: '' } }, now);
    await expect(push()).rejects.toMatchObject({ code: 'effect_refused' });
    expect(forge.effects.git).toBe(0);
  });
});

describe('a pull request', () => {
  beforeEach(async () => {
    await push();
  });

  it('is opened once, and brought up to date when its content changes', async () => {
    const first = await pullRequest();
    expect(first).toMatchObject({ number: 1, url: `${forge.url}/acme/shop/pull/1` });
    expect(forge.pulls).toMatchObject([{ title: 'Harden the shop', head: BRANCH, base: 'main' }]);
    expect(forge.pulls[0]?.body).toContain(RUN);
    await pullRequest({ instance: 'i2', attempt: 2 });
    await pullRequest({ iteration: 2 }, { title: 'Harden it more' });
    expect(forge.pulls).toMatchObject([{ title: 'Harden it more' }]);
    expect(forge.effects).toMatchObject({ create: 1, update: 1 });
  });

  it('C17: that was opened unheard is found, and not opened again', async () => {
    forge.disturb = (call) => (call === 'create' ? 'break_after' : undefined);
    expect(await pullRequest()).toMatchObject({ number: 1 });
    forge.disturb = () => undefined;
    await pullRequest({ attempt: 2 });
    expect(forge.effects.create).toBe(1);
  });

  it('of two actors at once is one: the forge refuses a second per head', async () => {
    const effects = {
      perform: (request: Parameters<Effects['perform']>[0]) => request.act(null, new AbortController().signal),
    };
    const action = actions.find(({ contract }) => contract.id === 'feature-dev/pull-request');
    if (!action) throw new Error('no action');
    const input = action.contract.input.parse({ remote: forge.remote, title: 'Harden the shop' });
    const both = await Promise.all(
      ['a', 'b'].map(() => action.run({ ...bench.context(input), runId: RUN, effects: effects as never })),
    );
    expect(both).toMatchObject([{ number: 1 }, { number: 1 }]);
    expect(forge.effects.create).toBe(1);
  });

  it('that nobody can look for is lost, for a person to tell', async () => {
    forge.disturb = (call) =>
      call === 'create' ? 'break_after' : call === 'list' && forge.effects.create > 0 ? { status: 503 } : undefined;
    await expect(pullRequest()).rejects.toThrow(EffectLost);
    expect(forge.effects.create).toBe(1);
    forge.disturb = () => undefined;
    expect(await pullRequest({ instance: 'i2', attempt: 2 })).toMatchObject({ number: 1 });
    expect(forge.effects.create).toBe(1);
  });

  it.each([
    [{ status: 401 }, 'forbidden'],
    [{ status: 503 }, 'unavailable'],
    [{ status: 418 }, 'conflict'],
  ] as const)('that is refused with %j is %s', async (disturbance, code) => {
    forge.disturb = (call) => (call === 'create' ? disturbance : undefined);
    await expect(pullRequest()).rejects.toMatchObject({ code });
    expect(forge.pulls).toEqual([]);
  });

  it('tells no token in what it says', async () => {
    forge.disturb = () => ({ status: 401 });
    const error: unknown = await pullRequest().catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(forge.token);
  });
});
