import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createOp, createStateFixture, newRunId, T0, type StateFixture } from '../testing/state.fixture.js';

let fixture: StateFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());

test('the load counts runs by what they are at, and how long those that are due have waited', async () => {
  const { batch, runs } = fixture.state;
  expect(await runs.load()).toEqual({
    activeRuns: 0,
    queuedRuns: 0,
    pausedRuns: 0,
    meanWaitMs: 0,
    oldestWaitMs: 0,
  });
  const wakes = { running: T0 - 1_000, stuck: T0 - 5_000, later: T0 + 1_000, paused: null, queued: null };
  for (const [name, wakeAt] of Object.entries(wakes)) {
    const runId = newRunId();
    await batch.run([createOp({ runId, wakeAt: wakeAt ?? T0 })]);
    await fixture.db.write({
      name: 'test-set-status',
      text: 'update run_heads set status = $2::text, wake_at = $3::timestamptz where run_id = $1::uuid',
      values: [runId, name === 'later' ? 'running' : name, wakeAt === null ? null : new Date(wakeAt).toISOString()],
    });
  }
  fixture.clock.now = T0;
  expect(await runs.load()).toEqual({
    activeRuns: 3,
    queuedRuns: 1,
    pausedRuns: 1,
    meanWaitMs: 3_000,
    oldestWaitMs: 5_000,
  });
});
