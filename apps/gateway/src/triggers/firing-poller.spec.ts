import { DevmeshError } from '@devmesh/contracts/errors';
import type { RunView } from '@devmesh/contracts/gateway-api';
import type { DueFirings, DueFiringsRequest, Firing, FiringResult, TriggerRecord } from '@devmesh/contracts/trigger';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { pollFirings, type FiringPollerParts } from './firing-poller.js';

const RUN = '018bcfe5-6800-7000-8000-000000000001';
const NOW = Date.parse('2026-01-01T03:00:00.500Z');

function trigger(over: Partial<TriggerRecord> = {}): TriggerRecord {
  return {
    id: '01890000-0000-4000-8000-000000000001',
    projectId: 'alpha',
    name: 'nightly',
    on: { kind: 'schedule', cron: '0 3 * * *', timezone: 'UTC' },
    run: { task: 'tidy' },
    enabled: true,
    secret: null,
    createdBy: 'ci',
    createdAt: '2026-01-01T00:00:00.000Z',
    nextAt: '2026-01-01T03:00:00.000Z',
    lastFiredAt: null,
    lastRunId: null,
    lastError: null,
    ...over,
  };
}

const nightly: Firing = { trigger: trigger(), key: '2026-01-01T03:00:00.000Z', run: { task: 'tidy' } };

/** Polls once for each of these answers; an error is a call that fails. `create` gets the signal that breaks it off. */
async function poll(answers: readonly (DueFirings | Error)[], create: (signal?: AbortSignal) => Promise<RunView>) {
  const left = [...answers];
  const end = new AbortController();
  const seen = {
    asked: [] as DueFiringsRequest[],
    runs: [] as unknown[][],
    results: [] as FiringResult[],
    waits: [] as number[],
  };
  const parts: FiringPollerParts = {
    triggers: {
      due: async (request) => {
        seen.asked.push(request);
        const answer = left.shift();
        if (answer instanceof Error) throw answer;
        return answer ?? { items: [], nextAt: null };
      },
      settle: async (_id, result) => {
        seen.results.push(result);
      },
    },
    runs: {
      create: (...args) => {
        seen.runs.push(args);
        return create(args[3]);
      },
    },
    logger: Logger.create({
      service: 'gateway',
      level: 'error',
      stream: new Writable({ write: (_c, _e, done) => done() }),
    }),
    now: () => NOW,
    sleep: async (ms) => {
      seen.waits.push(ms);
      // What is to be answered at once has been by then.
      await new Promise((resolve) => setImmediate(resolve));
      if (left.length === 0) end.abort();
    },
  };
  await pollFirings(parts, end.signal);
  return seen;
}

const started = async () => ({ id: RUN }) as RunView;

describe('a firing', () => {
  it('becomes a run under its own name, in the project of its trigger, and the schedule moves on', async () => {
    const { runs, results } = await poll([{ items: [nightly], nextAt: null }], started);
    expect(runs[0]?.slice(0, 3)).toEqual([
      { keyId: `trigger:${nightly.trigger.id}`, projectId: 'alpha', name: 'trigger nightly' },
      { task: 'tidy' },
      `trigger/${nightly.trigger.id}/2026-01-01T03:00:00.000Z`,
    ]);
    expect(results).toEqual([
      { key: nightly.key, runId: RUN, error: null, retryAt: null, nextAt: Date.parse('2026-01-02T03:00:00.000Z') },
    ]);
  });

  it('that may go well later is tried again; one that is refused is put on record', async () => {
    const fail = (code: 'clone_timeout' | 'invalid_workflow') => () => Promise.reject(new DevmeshError(code, 'why'));
    const later = await poll([{ items: [nightly], nextAt: null }], fail('clone_timeout'));
    expect(later.results).toMatchObject([{ runId: null, retryAt: NOW + 30_000, error: 'clone_timeout: why' }]);
    const never = await poll([{ items: [nightly], nextAt: null }], fail('invalid_workflow'));
    expect(never.results).toMatchObject([{ runId: null, retryAt: null, error: 'invalid_workflow: why' }]);
  });

  it('whose handling breaks stays with its lease, and the next ones are handled', async () => {
    const broken = await poll(
      [
        { items: [nightly], nextAt: null },
        { items: [], nextAt: null },
      ],
      () => Promise.reject(new Error('a bug')),
    );
    expect([broken.results, broken.waits.length]).toEqual([[], 2]);
  });
});

describe('a firing that takes long', () => {
  const broken = (signal?: AbortSignal) =>
    new Promise<RunView>((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new DevmeshError('unavailable', 'broken off')));
    });

  it('is held from look to look, and given back at the end', async () => {
    const again = { items: [], nextAt: null };
    const { asked, results } = await poll([{ items: [nightly], nextAt: null }, again, again], broken);
    const held = [{ triggerId: nightly.trigger.id, key: nightly.key }];
    expect(asked.map((request) => request.held)).toEqual([[], held, held]);
    expect(results).toMatchObject([{ key: nightly.key, runId: null, error: null, retryAt: NOW }]);
  });

  it('leaves room for nine others', async () => {
    const { asked } = await poll(
      [
        { items: [nightly], nextAt: null },
        { items: Array.from({ length: 9 }, () => ({ ...nightly })), nextAt: null },
        { items: [], nextAt: NOW },
      ],
      broken,
    );
    expect(asked.map(({ limit }) => limit)).toEqual([10, 9, 0]);
  });
});

describe('between two looks', () => {
  it('waits until the next one is due, a second at most', async () => {
    const { waits } = await poll(
      [
        { items: [], nextAt: NOW + 300 },
        { items: [], nextAt: NOW + 90_000 },
        { items: [], nextAt: NOW - 5 },
        new DevmeshError('unavailable', 'no state'),
      ],
      started,
    );
    expect(waits).toEqual([300, 1000, 0, 1000]);
  });
});
