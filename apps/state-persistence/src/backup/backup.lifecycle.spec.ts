import type { LastBackup } from '@devmesh/contracts/backup';
import { expect, test } from 'vitest';
import { BackupLifecycle, type BackupLifecycleOptions } from './backup.lifecycle.js';

const record = (at: number): LastBackup => ({ name: 'devmesh', at: new Date(at).toISOString(), targets: ['a'] });

/** Runs it on a clock that jumps over each rest, until `until`; what happened, by hour. */
async function night(
  start: string,
  until: string,
  over: { last?: LastBackup; fails?: number; nightly?: boolean } = {},
) {
  let now = Date.parse(start);
  let last = over.last ?? null;
  let fails = over.fails ?? 0;
  const happened: string[] = [];
  const ends: (() => Promise<void> | void)[] = [];
  const at = (): string => new Date(now).toISOString().slice(5, 16);
  const options: BackupLifecycleOptions = {
    nightly: over.nightly ?? true,
    readLast: async () => last,
    logger: { info: () => happened.push(`${at()} made`), warn: () => happened.push(`${at()} failed`) },
    shutdown: { signal: new AbortController().signal, add: (step) => ends.push(() => step.run()) },
    now: () => new Date(now),
    make: async () => {
      if (fails-- > 0) throw new Error('no space');
      last = record(now);
      return '{}';
    },
    rest: async (ms) => {
      now += ms;
      return now < Date.parse(until);
    },
  };
  new BackupLifecycle(options).onApplicationBootstrap();
  for (const end of ends) await end();
  return happened;
}

test('backs up at two each night, and at once when last night is missing', async () => {
  expect(await night('2026-01-05T12:00:00Z', '2026-01-07T12:00:00Z')).toEqual([
    '01-05T12:01 made',
    '01-06T02:00 made',
    '01-07T02:00 made',
  ]);
  const last = record(Date.parse('2026-01-05T02:00:00Z'));
  expect(await night('2026-01-05T12:00:00Z', '2026-01-06T12:00:00Z', { last })).toEqual(['01-06T02:00 made']);
});

test('tries again when one failed, and does nothing where it is not asked to', async () => {
  const last = record(Date.parse('2026-01-05T02:00:00Z'));
  expect(await night('2026-01-05T12:00:00Z', '2026-01-06T12:00:00Z', { last, fails: 2 })).toEqual([
    '01-06T02:00 failed',
    '01-06T02:30 failed',
    '01-06T03:00 made',
  ]);
  expect(await night('2026-01-05T12:00:00Z', '2026-01-06T12:00:00Z', { nightly: false })).toEqual([]);
});
