import { PassThrough } from 'node:stream';
import { defineAction } from '@devmesh/contracts/action';
import { HEARTBEAT_MS } from '@devmesh/contracts/execution';
import type { Heartbeats as HeartbeatsBody } from '@devmesh/contracts/state-api';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { Execution } from './execution.js';
import { Heartbeats } from './heartbeats.js';
import type { StatePort } from './state.port.js';

const action = {
  contract: defineAction({ id: 'cicd/work', title: 'Work', input: z.object({}), output: z.object({}) }),
  run: () => Promise.resolve({}),
};
const RUN = '01900000-0000-7000-8000-000000000001';

function execution(step: string): Execution {
  const request = {
    key: `${RUN}/${step}/1/1`,
    action: 'cicd/work',
    epoch: 1,
    instance: 'i',
    notAfter: 1e15,
    input: {},
    rework: null,
    acknowledge: [],
  };
  return new Execution(action, request, 'digest');
}

const unstubbed = (): never => {
  throw new Error('not stubbed');
};

let sent: HeartbeatsBody['executions'][];
let reply: () => Promise<{ ended: string[] }>;
let endedRuns: string[];
let beats: Heartbeats;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  sent = [];
  endedRuns = [];
  reply = () => Promise.resolve({ ended: [] });
  const state: StatePort = {
    claim: unstubbed,
    claimResult: unstubbed,
    postInbox: unstubbed,
    heartbeats: (body) => {
      sent.push(body.executions);
      return reply();
    },
  };
  const logger = Logger.create({ service: 'cicd', level: 'error', stream: new PassThrough() });
  beats = new Heartbeats(state, 'instance-1', logger, Date.now, (ended) => endedRuns.push(ended.key));
});
afterEach(() => {
  beats.close();
  vi.useRealTimers();
});

const keys = (): string[][] => sent.map((batch) => batch.map(({ key }) => key.split('/')[1] ?? ''));

describe('Heartbeats', () => {
  it('are silent without slow executions', async () => {
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('vouch for all executions in one call, until they end', async () => {
    beats.add(execution('a'));
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS / 2);
    beats.add(execution('b'));
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS / 2 - 1);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(keys()).toEqual([['a', 'b']]);
    beats.remove(`${RUN}/a/1/1`);
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    expect(keys()).toEqual([['a', 'b'], ['b']]);
    beats.remove(`${RUN}/b/1/1`);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('say what changed at once, but at most once a second', async () => {
    const a = execution('a');
    beats.add(a);
    const say = (message: string): void => {
      a.progress = message;
      beats.progressed(a.key);
    };
    say('one');
    await vi.advanceTimersByTimeAsync(0);
    say('two');
    say('three');
    await vi.advanceTimersByTimeAsync(999);
    expect(sent.map((batch) => batch[0]?.progress)).toEqual(['one']);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent.map((batch) => batch[0]?.progress)).toEqual(['one', 'three']);
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS - 1);
    expect(sent).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(sent).toHaveLength(3);
  });

  it('introduce those that outlive their wait together, at once, and say when that is on record', async () => {
    const both = Promise.all([beats.introduce(execution('a')), beats.introduce(execution('b'))]);
    await vi.advanceTimersByTimeAsync(50);
    expect(keys()).toEqual([['a', 'b']]);
    expect(await both).toEqual([true, true]);
  });

  it('introduce one that several callers wait for once, and tell each of them', async () => {
    const one = execution('a');
    const both = Promise.all([beats.introduce(one), beats.introduce(one)]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await both).toEqual([true, true]);
    expect(keys()).toEqual([['a']]);
  });

  it('keep nobody waiting for an introduction that fails, or does not end', async () => {
    reply = () => Promise.reject(new Error('gone'));
    const failed = beats.introduce(execution('a'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await failed).toBe(false);
    reply = () => new Promise(() => undefined);
    const hung = beats.introduce(execution('b'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await hung).toBe(false);
  });

  it('end the introduction of one that ends before', async () => {
    const one = execution('a');
    const introduced = beats.introduce(one);
    beats.remove(one.key);
    expect(await introduced).toBe(true);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sent).toEqual([]);
  });

  it('say nothing of executions that have not outlived their wait', async () => {
    beats.progressed(`${RUN}/quick/1/1`);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(sent).toEqual([]);
  });

  it('tell which runs have ended', async () => {
    reply = () => Promise.resolve({ ended: [`${RUN}/a/1/1`, `${RUN}/unknown/1/1`] });
    beats.add(execution('a'));
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    expect(endedRuns).toEqual([`${RUN}/a/1/1`]);
  });

  it('go on after one that failed', async () => {
    reply = () => Promise.reject(new Error('gone'));
    beats.add(execution('a'));
    await vi.advanceTimersByTimeAsync(2 * HEARTBEAT_MS);
    expect(sent).toHaveLength(2);
  });

  it('travel in batches of a thousand', async () => {
    for (let n = 0; n < 1001; n++) beats.add(execution(`s${n}`));
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    expect(sent.map((batch) => batch.length)).toEqual([1000, 1]);
  });
});
