import { PassThrough } from 'node:stream';
import { defineAction } from '@devmesh/contracts/action';
import { EXECUTION_LEASE_MS } from '@devmesh/contracts/execution';
import type { ClaimReply } from '@devmesh/contracts/state-api';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EffectClaims } from './effect-claims.js';
import { Execution } from './execution.js';
import type { StatePort } from './state.port.js';

const action = {
  contract: defineAction({
    id: 'cicd/work',
    title: 'Work',
    input: z.object({}),
    output: z.object({}),
    effects: 'once',
  }),
  run: () => Promise.resolve({}),
};
const request = {
  key: '01900000-0000-7000-8000-000000000001/a/1/1',
  action: 'cicd/work',
  epoch: 1,
  instance: 'i',
  notAfter: 1e15,
  input: {},
  rework: null,
  acknowledge: [],
};

/** Claims whose answers take so long each, by a clock that only they move. */
function claims(...answers: { readonly reply: ClaimReply; readonly tookMs: number }[]) {
  const clock = { now: 0 };
  const left = [...answers];
  const unstubbed = (): never => {
    throw new Error('not stubbed');
  };
  const state: StatePort = {
    claim: () => {
      const next = left.shift();
      if (next === undefined) throw new Error('asked too often');
      clock.now += next.tookMs;
      return Promise.resolve(next.reply);
    },
    claimResult: unstubbed,
    heartbeats: unstubbed,
    postInbox: unstubbed,
  };
  const logger = Logger.create({ service: 'cicd', level: 'error', stream: new PassThrough() });
  const effects = new EffectClaims(
    state,
    'i',
    logger,
    () => clock.now,
    () => Promise.resolve(),
  );
  return { ask: () => effects.claim(new Execution(action, request, 'digest')), left };
}

describe('a claim', () => {
  it('is acted on when its answer is fresh', async () => {
    const { ask } = claims({ reply: { claim: 'granted' }, tookMs: EXECUTION_LEASE_MS / 2 - 1 });
    expect(await ask()).toEqual({ kind: 'act' });
  });

  it.each(['granted', 'lapsed'] as const)(
    'that was %s is asked for again when the process stood still meanwhile',
    async (claim) => {
      const { ask, left } = claims(
        { reply: { claim }, tookMs: EXECUTION_LEASE_MS },
        { reply: { claim: 'held', retryAfterMs: 700 }, tookMs: 1 },
      );
      await expect(ask()).rejects.toMatchObject({ code: 'claim_held' });
      expect(left).toEqual([]);
    },
  );

  it('whose answers are always late is given up, with nothing done', async () => {
    const late = { reply: { claim: 'granted' }, tookMs: EXECUTION_LEASE_MS } as const;
    const { ask } = claims(late, late, late, late, late, late);
    await expect(ask()).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });
});
