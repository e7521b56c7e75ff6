import type { AgentInfo } from '@devmesh/contracts/execution';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import { describe, expect, it } from 'vitest';
import { AgentRegistry } from './agent-registry.js';

function info(instance: string, agent = 'code-review'): AgentInfo {
  return { agent, instance, version: '1', revision: 'x', startedAt: 0, actions: [] };
}

/** A mesh of addresses; an Error answers as one that is down. */
function registryOf(answers: Record<string, AgentInfo | Error>) {
  const clock = { now: 1_000_000 };
  const registry = new AgentRegistry(['code-review'], {
    addresses: () => Object.keys(answers),
    info: (_agent, address) => {
      const answer = answers[address];
      return answer instanceof Error || answer === undefined
        ? Promise.reject(answer ?? new Error('nobody'))
        : Promise.resolve(answer);
    },
    now: () => clock.now,
  });
  return { registry, answers, clock };
}

describe('the registry of agents', () => {
  it('gives the healthy instances, the least busy first', async () => {
    const { registry } = registryOf({
      'http://a': info('one'),
      'http://b': info('two'),
      'http://c': new Error('down'),
    });
    await registry.refresh();
    registry.begin('http://a');
    expect(registry.instances('code-review')).toEqual(['two', 'one']);
  });

  it('lets instances that are equally busy take turns', async () => {
    const { registry } = registryOf({ 'http://a': info('one'), 'http://b': info('two') });
    await registry.refresh();
    const first = [1, 2, 3, 4].map(() => registry.instances('code-review')[0]);
    expect(new Set(first.slice(0, 2))).toEqual(new Set(['one', 'two']));
    expect(first.slice(2)).toEqual(first.slice(0, 2));
  });

  it('says gone for an instance where another incarnation answers now', async () => {
    const { registry, answers } = registryOf({ 'http://a': info('one') });
    await registry.refresh();
    answers['http://a'] = info('two');
    await registry.ask('code-review', 'http://a');
    expect(registry.find('code-review', 'one')).toBe('gone');
    expect(registry.find('code-review', 'two')).toEqual({ at: 'http://a' });
  });

  it('does not say gone while an address is silent for less than a lease', async () => {
    const { registry, answers, clock } = registryOf({ 'http://a': info('one') });
    await registry.refresh();
    answers['http://a'] = new Error('down');
    registry.begin('http://a')(true);
    clock.now += EXECUTION_LEASE_MS - 1;
    expect(registry.find('code-review', 'one')).toEqual({ at: 'http://a' });
    expect(registry.instances('code-review')).toEqual([]);
    clock.now += 2;
    expect(registry.find('code-review', 'one')).toBe('gone');
  });

  it('takes an instance that it never saw for gone only when every address answers, or after a lease', async () => {
    const { registry, answers, clock } = registryOf({ 'http://a': info('two'), 'http://b': new Error('down') });
    await registry.refresh();
    expect(registry.find('code-review', 'old')).toBe('unknown');
    clock.now += EXECUTION_LEASE_MS + 1;
    expect(registry.find('code-review', 'old')).toBe('gone');
    answers['http://b'] = info('three');
    await registry.refresh();
    expect(registry.find('code-review', 'another')).toBe('gone');
  });

  it('ignores an address where another agent answers', async () => {
    const { registry } = registryOf({ 'http://a': info('one', 'cicd') });
    await registry.refresh();
    expect(registry.instances('code-review')).toEqual([]);
  });

  it('forgets an address that discovery no longer gives', async () => {
    const { registry, answers } = registryOf({ 'http://a': info('one'), 'http://b': info('two') });
    await registry.refresh();
    delete answers['http://a'];
    await registry.refresh();
    expect(registry.instances('code-review')).toEqual(['two']);
  });
});
