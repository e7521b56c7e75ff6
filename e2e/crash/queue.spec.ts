import { broken } from '@devmesh/testing/mesh-box-evidence';
import { opsOf } from '@devmesh/testing/mesh-box-wire';
import { BOX_WORKFLOWS } from '@devmesh/testing/mesh-box-workflows';
import { describe, expect, test } from 'vitest';
import { useMeshBox } from './use-mesh-box.js';

describe('C6: a queue that loses jobs', () => {
  const box = useMeshBox({ orchestrators: 2 });
  const sources = [BOX_WORKFLOWS.slow, BOX_WORKFLOWS.loop, BOX_WORKFLOWS.retry, BOX_WORKFLOWS.six];
  const submit = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, at) => box().submit(sources[at % sources.length] ?? '')));

  test('all its tables emptied in mid-run, time and again', async () => {
    const emptied: Promise<number>[] = [];
    box().wire.watch(({ calls, phase }) => {
      // The jobs are in their table, and whoever added them does not know yet.
      if (calls.has('queue-add') && phase === 'answer' && emptied.length < 12) {
        const done = box().emptyQueue();
        emptied.push(done);
        return done.then(() => undefined);
      }
      return undefined;
    });
    const ids = await submit(40);
    await box().ended(ids);
    const jobs = (await Promise.all(emptied)).reduce((sum, count) => sum + count, 0);
    expect(jobs).toBeGreaterThanOrEqual(3);
    expect(broken(await box().evidence(ids))).toEqual([]);
  });

  test('its connection cut whenever a job is added', async () => {
    let cut = 0;
    box().wire.watch(({ calls, phase }) => {
      if (!calls.has('queue-add') || phase !== 'request' || cut >= 6) return undefined;
      cut++;
      return 'break';
    });
    const ids = await submit(12);
    await box().ended(ids);
    expect(cut).toBeGreaterThan(0);
    expect(broken(await box().evidence(ids))).toEqual([]);
  });

  test('C2: the owner dead after an append and before its dispatch, and the queue emptied', async () => {
    const killed = box().wire.next(
      (passage) =>
        passage.phase === 'answer' &&
        opsOf(passage).some((op) => op.op === 'append' && op.events.some((event) => event.type === 'StepScheduled')),
      async ({ caller }) => {
        await box().kill(caller);
        return 'break';
      },
    );
    const [run = ''] = await submit(1);
    const { caller } = await killed;
    await box().emptyQueue();
    await box().ended([run]);
    expect(broken(await box().evidence([run]))).toEqual([]);
    expect(box().isUp(caller)).toBe(false);
  });
});
