import { afterEach, expect, test } from 'vitest';
import { smokeRun, type SmokeRun } from './smoke.ts';
import { completed, RUN, startScriptedGateway, type ScriptedGateway } from './testing/scripted-gateway.ts';

let started: ScriptedGateway | null = null;
afterEach(() => started?.stop());

async function gateway(...script: Parameters<typeof startScriptedGateway>) {
  const { url, asked } = (started = await startScriptedGateway(...script));
  const run = (): Promise<SmokeRun> =>
    smokeRun({ gateway: url, apiKey: 'key', repository: 'https://example.org/r.git', timeoutMs: 200, pauseMs: 1 });
  return { run, asked };
}

test('a gateway that is not ready is told as that, and asked no more', async () => {
  const { run, asked } = await gateway([], { '/health/ready': [503, { status: 'error' }] });
  await expect(run()).rejects.toThrow('is not ready (503)');
  expect(asked).toEqual(['GET /health/ready -']);
});

test.for([
  ['fails', [['ended', 'failed']], 'ended as failed'],
  ['is stuck', [['stuck', null]], 'is stuck'],
  ['does not end', Array.from({ length: 500 }, () => ['running', null] as const), 'is running after 0 s'],
  [
    'ends without a step',
    [
      ['running', null],
      ['ended', 'passed'],
    ],
    'without a step',
  ],
] as const)('a run that %s is no success', async ([, states, said]) => {
  const { run } = await gateway(states);
  await expect(run()).rejects.toThrow(said);
});

test('a key that is not taken is told by what the gateway says', async () => {
  const { run } = await gateway([], { '/v1/runs': [401, { code: 'unauthenticated' }] });
  await expect(run()).rejects.toThrow('/v1/runs answered 401');
});

test('a run that rejects has done its job', async () => {
  const events = { events: [completed('review')], progress: [], ended: true };
  const { run, asked } = await gateway(
    [
      ['running', null],
      ['ended', 'rejected'],
    ],
    {
      [`/v1/runs/${RUN}/events`]: [200, events],
    },
  );
  expect(await run()).toEqual({ id: RUN, verdict: 'rejected', steps: ['review'] });
  expect(asked.slice(1).every((call) => call.endsWith(' Bearer key'))).toBe(true);
});
