import { DevmeshError, type ErrorCode } from '@devmesh/contracts/errors';
import type { AgentInfo, ExecutionRequest } from '@devmesh/contracts/execution';
import type { AgentClient, Dispatched } from '@devmesh/service-client/agent.client';
import { describe, expect, it } from 'vitest';
import { AgentDispatcher } from './agent-dispatcher.js';
import { AgentRegistry } from './agent-registry.js';

const REQUEST: ExecutionRequest = {
  key: '019a0000-0000-7000-8000-000000000001/review/1/1',
  action: 'code-review/review',
  epoch: 3,
  instance: 'one',
  notAfter: 5,
  input: {},
  rework: null,
  acknowledge: [],
};

/** A dispatcher over agents that answer as told; `ask` after a restart finds `next`. */
async function dispatcherOf(dispatched: Dispatched, instances = ['one'], next = instances) {
  let asked = 0;
  const registry = new AgentRegistry(['code-review'], {
    addresses: () => instances.map((_, index) => `http://${index}`),
    info: (agent, address): Promise<AgentInfo> => {
      const all = asked++ < instances.length ? instances : next;
      const instance = all[Number(address.slice('http://'.length))] ?? 'none';
      return Promise.resolve({ agent, instance, version: '1', revision: 'x', startedAt: 0, actions: [] });
    },
    now: () => 1000,
  });
  await registry.refresh();
  const calls: string[] = [];
  const client = {
    execute: (address: string, request: ExecutionRequest, wait: number) => {
      calls.push(`${address} ${request.key} ${wait}`);
      return Promise.resolve(dispatched);
    },
  } as unknown as AgentClient;
  return {
    dispatcher: new AgentDispatcher(
      registry,
      () => client,
      () => 1000,
    ),
    registry,
    calls,
  };
}

function refused(code: ErrorCode, retryAfterMs?: number): Dispatched {
  return {
    kind: 'refused',
    error: new DevmeshError(code, 'because', retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

describe('what an answer of an agent means to the engine', () => {
  it.each<[string, Dispatched, object]>([
    [
      'an outcome',
      { kind: 'done', outcome: { kind: 'timed_out' } },
      { kind: 'outcome', outcome: { kind: 'timed_out' } },
    ],
    ['under way', { kind: 'accepted', leaseUntil: 77 }, { kind: 'accepted', leaseUntil: 77 }],
    [
      'a broken connection',
      { kind: 'unreachable', error: new DevmeshError('unavailable', 'x') },
      { kind: 'unreachable' },
    ],
    ['a later owner', refused('stale_epoch'), { kind: 'stale' }],
    ['a tombstone', refused('execution_cancelled'), { kind: 'outcome', outcome: { kind: 'cancelled' } }],
    ['a living claim', refused('claim_held', 40), { kind: 'held', retryAfterMs: 40 }],
    [
      'an invalid input',
      refused('invalid_input'),
      { kind: 'refused', error: { code: 'invalid_input', message: 'because', retryable: false } },
    ],
    ['an open breaker', refused('circuit_open'), { kind: 'unreachable' }],
    ['no room, and nobody else', refused('unavailable'), { kind: 'unreachable' }],
  ])('%s', async (_, dispatched, answer) => {
    const { dispatcher } = await dispatcherOf(dispatched);
    expect(await dispatcher.execute('code-review', REQUEST, 1000)).toEqual(answer);
  });

  it('no room, and somebody else: another is found', async () => {
    const { dispatcher } = await dispatcherOf(refused('shutting_down'), ['one', 'two']);
    expect(await dispatcher.execute('code-review', REQUEST, 1000)).toEqual({ kind: 'gone' });
  });

  it('another incarnation: gone, and the new one is known by then', async () => {
    const { dispatcher } = await dispatcherOf(refused('wrong_instance'), ['one'], ['two']);
    expect(await dispatcher.execute('code-review', REQUEST, 1000)).toEqual({ kind: 'gone' });
    expect(dispatcher.instances('code-review')).toEqual(['two']);
  });

  it('sends to the address of the instance that was chosen, and asks it to wait', async () => {
    const { dispatcher, calls } = await dispatcherOf({ kind: 'accepted', leaseUntil: 1 }, ['zero', 'one']);
    await dispatcher.execute('code-review', REQUEST, 1000);
    expect(calls).toEqual([`http://1 ${REQUEST.key} 1`]);
  });

  it('does not send to an instance that is gone', async () => {
    const { dispatcher, calls } = await dispatcherOf({ kind: 'accepted', leaseUntil: 1 }, ['two']);
    expect(await dispatcher.execute('code-review', REQUEST, 1000)).toEqual({ kind: 'gone' });
    expect(await dispatcher.cancel('code-review', 'one', REQUEST.key)).toBe(true);
    expect(calls).toEqual([]);
  });
});
