import type { ImportRun } from '@devmesh/contracts/run-export';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createOp, createStateFixture, newRunId, T0, type StateFixture } from '../testing/state.fixture.js';

let fixture: StateFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());

function importRun(change: Partial<ImportRun> = {}): ImportRun {
  const { projectId, workflow, task, repository, events } = createOp();
  const at = new Date(T0).toISOString();
  const artifact = { digest: 'd'.repeat(64), name: 'a', mediaType: 'text/plain', size: 1, step: 'only', iteration: 1 };
  return {
    runId: newRunId(),
    projectId,
    workflow,
    task,
    repository,
    events: [...events, { type: 'RunEnded', at: T0, verdict: 'cancelled', reason: 'over' }],
    artifacts: [artifact, artifact],
    createdAt: at,
    ended: { verdict: 'cancelled', reason: 'over', at },
    ...change,
  };
}

describe('an imported run', () => {
  it('is there as a whole, is over, and is never due', async () => {
    const run = importRun();
    await fixture.state.imports.import(run);
    expect(await fixture.state.runs.get(run.runId)).toMatchObject({
      status: 'ended',
      verdict: 'cancelled',
      lastSeq: 2,
    });
    const { events, ended } = await fixture.state.runs.events(run.runId, { after: 0, limit: 10, waitMs: 0 });
    expect([events.map(({ seq, event }) => [seq, event.type]), ended]).toEqual([
      [
        [1, 'RunCreated'],
        [2, 'RunEnded'],
      ],
      true,
    ]);
    const client = await fixture.connect();
    const { rows } = await client.query('select wake_at from run_heads where run_id = $1', [run.runId]);
    expect(rows).toEqual([{ wake_at: null }]);
    const named = await client.query('select name from run_artifacts where run_id = $1', [run.runId]);
    expect(named.rows).toEqual([{ name: 'a' }]);
  });

  it('leaves nothing behind when its project is not there, or its id is taken', async () => {
    const run = importRun({ projectId: 'nobody' });
    await expect(fixture.state.imports.import(run)).rejects.toMatchObject({ code: 'not_found' });
    await expect(fixture.state.runs.get(run.runId)).rejects.toMatchObject({ code: 'not_found' });
    const taken = importRun();
    await fixture.state.imports.import(taken);
    await expect(fixture.state.imports.import(taken)).rejects.toThrow();
  });
});
