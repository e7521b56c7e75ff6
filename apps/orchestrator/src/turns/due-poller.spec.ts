import { Writable } from 'node:stream';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { describe, expect, it } from 'vitest';
import { pollDue } from './due-poller.js';

const QUIET = Logger.create({
  service: 'test',
  level: 'error',
  stream: new Writable({ write: (_c, _e, done) => done() }),
});

/** Plays a script: each entry answers one call; the poll ends with the script. */
async function play(script: { recover?: number | Error; due?: string[] | Error }[]) {
  const stop = new AbortController();
  const log: string[] = [];
  const next = () => {
    const entry = script.shift();
    if (script.length === 0) stop.abort();
    return entry ?? {};
  };
  const answer = <T>(value: T | Error | undefined, fallback: T): Promise<T> =>
    value instanceof Error ? Promise.reject(value) : Promise.resolve(value ?? fallback);
  await pollDue(
    {
      recover: async (owner) => {
        log.push(`recover ${owner}`);
        return { runs: await answer(next().recover, 0) };
      },
      due: async () => {
        log.push('due');
        return { runs: (await answer(next().due, [])).map((runId) => ({ runId, lease: 1, priority: 0 })) };
      },
      add: (runs) => {
        if (runs.length > 0) log.push(`add ${runs.map(({ runId }) => runId).join(' ')}`);
        return Promise.resolve();
      },
      sleep: (ms) => {
        log.push(`sleep ${ms}`);
        return Promise.resolve();
      },
    },
    'me',
    QUIET,
    stop.signal,
  );
  return log;
}

describe('the due poll', () => {
  it('resumes the runs of this orchestrator before anything else, once', async () => {
    expect(await play([{ recover: 2 }, { due: ['a', 'b'] }, { due: [] }])).toEqual([
      'recover me',
      'due',
      'add a b',
      'due',
    ]);
  });

  it('goes on after failures, waiting longer each time, and starts over after a success', async () => {
    const down = new Error('down');
    const log = await play([
      { recover: down },
      { recover: 0 },
      { due: down },
      { due: down },
      { due: ['a'] },
      { due: down },
      {},
    ]);
    expect(log).toEqual([
      'recover me',
      'sleep 100',
      'recover me',
      'due',
      'sleep 200',
      'due',
      'sleep 400',
      'due',
      'add a',
      'due',
      'sleep 100',
      'due',
    ]);
  });
});
