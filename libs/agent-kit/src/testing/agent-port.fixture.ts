import type { ActionContract } from '@devmesh/contracts/action';
import { catalogueOf } from '@devmesh/contracts/catalogue';
import type { ExecutionRequest } from '@devmesh/contracts/execution';
import type { ExecutionKey, InstanceId } from '@devmesh/contracts/ids';
import type { Outcome } from '@devmesh/contracts/outcome';
import { ClaimRequest, ClaimResult, Heartbeats, InboxPost } from '@devmesh/contracts/state-api';
import type { DispatchAnswer } from '@devmesh/engine/ports';
import { Network } from '@devmesh/engine/simulator/network';
import { GOOD_HABITS, SimAgent } from '@devmesh/engine/simulator/sim-agent';
import { SimRemote } from '@devmesh/engine/simulator/sim-remote';
import { StateStore } from '@devmesh/engine/simulator/state-store';
import { Timers } from '@devmesh/engine/simulator/timers';
import type { AgentClient, Dispatched } from '@devmesh/service-client/agent.client';
import { StaticDiscovery } from '@devmesh/service-client/discovery/static.discovery';
import { MeshClients } from '@devmesh/service-client/mesh-clients';
import { json, problem, ScriptedServer } from '@devmesh/service-client/testing/scripted-server';
import { readConfig } from '@devmesh/service-kit/config/read-config';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { createService } from '@devmesh/service-kit/service';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { implement, type Action } from '../action-context.js';
import { AgentConfig } from '../agent/agent.config.js';
import { createAgentModule } from '../agent/agent.module.js';

/** An agent as the engine meets it: the one of the simulator, or a real one over HTTP. The store behind it is the same model. */
export interface AgentUnderTest {
  readonly instance: InstanceId;
  readonly store: StateStore;
  /** Asks and waits for the outcome at most so long; a slow body is not done before `finish`. */
  execute(request: ExecutionRequest, wait: 'long' | 'none'): Promise<DispatchAnswer>;
  /** Asks, and goes away before there is an answer. */
  executeAndLeave(request: ExecutionRequest): Promise<void>;
  /** Starts to ask; the answer is awaited by the caller. Resolves once the body has begun. */
  begin(request: ExecutionRequest): Promise<{ readonly answer: Promise<DispatchAnswer> }>;
  cancel(key: ExecutionKey): Promise<boolean>;
  /** Slow bodies come to their end. */
  finish(): Promise<void>;
  /** Keys whose bodies began, in order. */
  bodies(): readonly ExecutionKey[];
  /** What the inbox was told, without what it knew. */
  reports(): readonly { readonly key: ExecutionKey; readonly outcome: Outcome }[];
  now(): number;
  close(): Promise<void>;
}

export interface ActionsUnderTest {
  readonly quick: ActionContract;
  readonly slow: ActionContract;
  readonly once: ActionContract;
}

const SLOW_MS = 1_000;
const OUTPUT = { done: true };

/** What the reports of an agent came to in the store. */
function reportsIn(store: StateStore, runId: string): { key: ExecutionKey; outcome: Outcome }[] {
  return (store.look(runId)?.inbox ?? []).flatMap(({ message }) =>
    message.kind === 'result' ? [{ key: message.key, outcome: message.outcome }] : [],
  );
}

/** The agent of the simulator, with a scheduler that lets everything happen at once. */
export function simulatedAgent(actions: ActionsUnderTest, runId: string): AgentUnderTest {
  let now = 1_000_000;
  const store = new StateStore();
  const network = new Network();
  const timers = new Timers();
  const bodies: ExecutionKey[] = [];
  const { quick, slow, once } = actions;
  const catalogue = catalogueOf([quick, slow, once]);
  const agent = new SimAgent(
    'cicd',
    'cicd#1',
    {
      network,
      timers,
      store,
      remote: new SimRemote(() => undefined),
      witness: { body: (key) => void bodies.push(key), said: () => undefined, claimed: () => undefined },
      script: ({ action }) => ({
        outcome: { kind: 'succeeded', output: OUTPUT },
        takesMs: action === actions.slow.id ? SLOW_MS : 0,
      }),
      catalogue,
      now: () => now,
    },
    GOOD_HABITS,
  );
  /** Everything that can happen now happens, and the agent reports what it owes. */
  const settle = async (): Promise<void> => {
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const call of network.calls.slice()) {
        quiet = 0;
        if (call.stage === 'requested') call.apply();
        else call.answer();
      }
    }
    for (const execution of agent.unreported(now)) {
      if (!execution.outcome) continue;
      execution.posted = true;
      const { key } = execution.request;
      const message = { kind: 'result', key, outcome: execution.outcome } as const;
      store.post(key.slice(0, 36), { dedupeKey: `result:${key}`, message }, now);
    }
  };
  const ask = async (request: ExecutionRequest, waitMs: number) => {
    const pending = agent.execute(request, now + waitMs);
    await settle();
    return pending;
  };
  const answer = async (poll: () => { readonly value: DispatchAnswer } | undefined): Promise<DispatchAnswer> => {
    for (;;) {
      await settle();
      const given = poll();
      if (given) return given.value;
      now += SLOW_MS;
    }
  };
  return {
    instance: agent.instance,
    store,
    execute: async (request, wait) => answer((await ask(request, wait === 'long' ? 60_000 : 0)).poll),
    executeAndLeave: async (request) => {
      (await ask(request, 60_000)).gone();
      await settle();
    },
    begin: async (request) => {
      const { poll } = await ask(request, 60_000);
      return { answer: new Promise((resolve) => setImmediate(() => resolve(answer(poll)))) };
    },
    cancel: async (key) => {
      const stopped = agent.cancel(key);
      await settle();
      return stopped;
    },
    finish: async () => {
      now += SLOW_MS;
      for (const timer of timers.due(now)) timers.fire(timer);
      await settle();
    },
    bodies: () => bodies,
    reports: () => reportsIn(store, runId),
    now: () => now,
    close: () => Promise.resolve(),
  };
}

const TOKEN = 'a-token-for-tests-that-is-long-enough';

/** What a refusal means to the engine: as the orchestrator's dispatcher reads it. */
function read(dispatched: Dispatched): DispatchAnswer {
  switch (dispatched.kind) {
    case 'done':
      return { kind: 'outcome', outcome: dispatched.outcome };
    case 'accepted':
      return { kind: 'accepted', leaseUntil: dispatched.leaseUntil ?? 0 };
    case 'unreachable':
      return { kind: 'unreachable' };
    case 'refused': {
      const { code, retryAfterMs } = dispatched.error;
      if (code === 'stale_epoch') return { kind: 'stale' };
      if (code === 'wrong_instance') return { kind: 'gone' };
      if (code === 'execution_cancelled') return { kind: 'outcome', outcome: { kind: 'cancelled' } };
      if (code === 'claim_held') return { kind: 'held', retryAfterMs: retryAfterMs ?? 0 };
      return { kind: 'refused', error: { code, message: dispatched.error.message, retryable: false } };
    }
  }
}

/** The state service over HTTP, answered by the model. */
function serve(state: ScriptedServer, store: StateStore): void {
  state.script(({ path, body }, response) => {
    const given: unknown = JSON.parse(body.toString());
    if (path === '/v1/executions/claim') {
      const reply = store.claim(ClaimRequest.parse(given), Date.now());
      return reply === 'barred' ? problem(response, 409, 'execution_cancelled') : json(response, reply);
    }
    if (path === '/v1/executions/heartbeats') {
      return json(response, { ended: store.heartbeat(Heartbeats.parse(given), Date.now()) });
    }
    if (path === '/v1/executions/result') {
      return store.record(ClaimResult.parse(given)) === 'conflict'
        ? problem(response, 409, 'conflict')
        : json(response, {});
    }
    const run = /^\/v1\/runs\/([0-9a-f-]{36})\/inbox$/.exec(path)?.[1];
    if (run === undefined) return problem(response, 500, 'internal');
    return json(response, store.post(run, InboxPost.parse(given), Date.now()));
  });
}

/** A real agent, as a service of its own, with the model of the state service behind it. */
export async function realAgent(actions: ActionsUnderTest, runId: string): Promise<AgentUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-'));
  const store = new StateStore();
  const state = await ScriptedServer.start((_, response) => problem(response, 500, 'internal'));
  serve(state, store);
  const bodies: ExecutionKey[] = [];
  const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
  const began = new Map<ExecutionKey, () => void>();
  const bind = (contract: ActionContract, isSlow: boolean): Action =>
    implement(contract, async ({ key }) => {
      bodies.push(key);
      began.get(key)?.();
      if (isSlow) await finished;
      return OUTPUT;
    }) as Action;
  const config = readConfig(AgentConfig, {
    service: 'cicd',
    env: {
      DEVMESH_INTERNAL_TOKEN: TOKEN,
      DEVMESH_HOME: folder,
      DEVMESH_ENDPOINTS: JSON.stringify({ 'state-persistence': [state.url] }),
    },
  });
  const service = await createService({
    name: 'cicd',
    config,
    logger: Logger.create({ service: 'cicd', level: 'error', stream: new PassThrough().resume() }),
    module: createAgentModule({
      agent: 'cicd',
      config,
      actions: [bind(actions.quick, false), bind(actions.slow, true), bind(actions.once, false)],
      sleep: () => Promise.resolve(),
    }),
    bodyLimitBytes: 1024 * 1024,
  });
  const url = await service.listen(0);
  const clients = new MeshClients({ discovery: new StaticDiscovery({ cicd: [url] }), internalToken: TOKEN });
  const agent: AgentClient = clients.agent('cicd');
  const begun = (key: ExecutionKey): Promise<void> => new Promise((resolve) => began.set(key, resolve));
  return {
    instance: service.identity.instance,
    store,
    execute: async (request, wait) => read(await agent.execute(url, request, wait === 'long' ? 30 : 0)),
    executeAndLeave: async (request) => {
      const controller = new AbortController();
      const body = begun(request.key);
      const call = agent.execute(url, request, 30, { signal: controller.signal });
      await body;
      controller.abort();
      await call;
      // The agent hears of it when the connection closes.
      for (let heard = false; !heard;)
        heard = (await (await fetch(`${url}/metrics`)).text()).includes('status="aborted"');
    },
    begin: async (request) => {
      const body = begun(request.key);
      const answer = agent.execute(url, request, 30).then(read);
      await body;
      return { answer };
    },
    cancel: (key) => agent.cancel(url, key, { timeoutMs: 2_000 }),
    finish: async () => {
      finish();
    },
    bodies: () => bodies,
    reports: () => reportsIn(store, runId),
    now: () => Date.now(),
    close: async () => {
      finish();
      await service.close(200);
      await clients.close();
      await state.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
