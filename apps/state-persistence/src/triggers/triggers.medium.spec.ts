import type { StoreTrigger } from '@devmesh/contracts/trigger';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createStateFixture, newRunId, T0, type StateFixture } from '../testing/state.fixture.js';

let fixture: StateFixture;
beforeAll(async () => {
  fixture = await createStateFixture(inject('postgresUrl'));
});
afterAll(() => fixture.close());
beforeEach(async () => {
  fixture.clock.now = T0;
  await fixture.db.write({ name: 'test-no-triggers', text: 'truncate triggers, trigger_firings', values: [] });
});

const HOUR = 3600_000;
const DUE = { limit: 10, leaseMs: 5000, held: [] };
const at = (ms: number) => new Date(ms).toISOString();

function schedule(over: Partial<StoreTrigger> = {}): StoreTrigger {
  return {
    id: randomUUID(),
    projectId: 'default',
    name: 'nightly',
    on: { kind: 'schedule', cron: '0 3 * * *', timezone: 'UTC' },
    run: { task: 'tidy' },
    enabled: true,
    createdBy: 'ci',
    secret: null,
    nextAt: T0 + HOUR,
    ...over,
  };
}
const webhook = (): StoreTrigger =>
  schedule({ name: 'hook', on: { kind: 'webhook', events: [], branches: [] }, secret: 's', nextAt: null });

describe('triggers', () => {
  test('are stored, listed by name, found and removed with their deliveries', async () => {
    const { triggers } = fixture.state;
    const stored = await triggers.create(schedule());
    expect(stored).toMatchObject({ name: 'nightly', nextAt: at(T0 + HOUR), lastRunId: null });
    const hook = await triggers.create(webhook());
    expect((await triggers.list('default')).map(({ name }) => name)).toEqual(['hook', 'nightly']);
    expect(await triggers.list('other')).toEqual([]);
    expect(await triggers.get(hook.id)).toEqual(hook);
    await triggers.addFiring(hook.id, { key: 'd', run: { task: 'x' } });
    await triggers.remove(hook.id);
    await expect(triggers.get(hook.id)).rejects.toMatchObject({ code: 'not_found' });
    expect((await triggers.due({ ...DUE, leaseMs: 1000 })).items).toEqual([]);
  });

  test('of the same name, or of no project, are refused', async () => {
    const { triggers } = fixture.state;
    await triggers.create(schedule());
    await expect(triggers.create(schedule())).rejects.toMatchObject({ code: 'conflict' });
    await expect(triggers.create(schedule({ projectId: 'nobody' }))).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('an occurrence', () => {
  test('is handed out when its time has come, to one, and again when its lease has ended', async () => {
    const { triggers } = fixture.state;
    const { id } = await triggers.create(schedule());
    expect(await triggers.due(DUE)).toEqual({ items: [], nextAt: T0 + HOUR });
    fixture.clock.now = T0 + HOUR;
    const handed = await Promise.all([triggers.due(DUE), fixture.another().triggers.due(DUE)]);
    const items = handed.flatMap((due) => due.items);
    expect(items).toMatchObject([{ key: at(T0 + HOUR), trigger: { id }, run: { task: 'tidy' } }]);
    expect((await triggers.due(DUE)).nextAt).toBe(T0 + HOUR + 5000);
    fixture.clock.now += 5000;
    expect((await triggers.due(DUE)).items).toHaveLength(1);
  });

  test('that was settled moves on to the next one, once', async () => {
    const { triggers } = fixture.state;
    const { id } = await triggers.create(schedule());
    fixture.clock.now = T0 + HOUR;
    const runId = newRunId();
    const settled = { key: at(T0 + HOUR), runId, error: null, retryAt: null, nextAt: T0 + 2 * HOUR };
    await triggers.due(DUE);
    await triggers.settle(id, settled);
    expect(await triggers.get(id)).toMatchObject({
      nextAt: at(T0 + 2 * HOUR),
      lastRunId: runId,
      lastFiredAt: at(T0 + HOUR),
    });
    // A gateway that was away so long that another one did its work.
    await triggers.settle(id, { ...settled, nextAt: T0 + 9 * HOUR });
    expect((await triggers.get(id)).nextAt).toBe(at(T0 + 2 * HOUR));
  });

  test('that failed for now is put off; for good, it is told, and the next one comes', async () => {
    const { triggers } = fixture.state;
    const { id } = await triggers.create(schedule());
    fixture.clock.now = T0 + HOUR;
    await triggers.due(DUE);
    const failed = {
      key: at(T0 + HOUR),
      runId: null,
      error: 'no\0 clone',
      retryAt: T0 + HOUR + 5000,
      nextAt: T0 + 2 * HOUR,
    };
    await triggers.settle(id, failed);
    expect(await triggers.get(id)).toMatchObject({ nextAt: at(T0 + HOUR), lastError: 'no\uFFFD clone' });
    expect((await triggers.due(DUE)).items).toEqual([]);
    await triggers.settle(id, { ...failed, retryAt: null });
    expect(await triggers.get(id)).toMatchObject({ nextAt: at(T0 + 2 * HOUR), lastFiredAt: null });
  });

  test('of a trigger that is switched off is none', async () => {
    await fixture.state.triggers.create(schedule({ enabled: false }));
    fixture.clock.now = T0 + 2 * HOUR;
    expect(await fixture.state.triggers.due(DUE)).toEqual({ items: [], nextAt: null });
  });
});

describe('a delivery', () => {
  test('is on record once, due at once, and known for a month', async () => {
    const { triggers } = fixture.state;
    const { id } = await triggers.create(webhook());
    expect(await triggers.addFiring(id, { key: 'd-1', run: { task: 'a' } })).toBe(true);
    expect(await triggers.addFiring(id, { key: 'd-1', run: { task: 'b' } })).toBe(false);
    expect((await triggers.due(DUE)).items).toMatchObject([{ key: 'd-1', run: { task: 'a' } }]);
    await triggers.settle(id, { key: 'd-1', runId: newRunId(), error: null, retryAt: null, nextAt: null });
    fixture.clock.now += 29 * 24 * HOUR;
    expect(await triggers.addFiring(id, { key: 'd-1', run: { task: 'c' } })).toBe(false);
    fixture.clock.now += 2 * 24 * HOUR;
    await triggers.addFiring(id, { key: 'd-2', run: { task: 'd' } });
    expect(await triggers.addFiring(id, { key: 'd-1', run: { task: 'e' } })).toBe(true);
  });

  test('that is held stays with its holder, who gives it back', async () => {
    const { triggers } = fixture.state;
    const [nightly, hook] = [await triggers.create(schedule({ nextAt: T0 })), await triggers.create(webhook())];
    await triggers.addFiring(hook.id, { key: 'd-1', run: { task: '' } });
    const { items } = await triggers.due(DUE);
    const held = items.map(({ trigger, key }) => ({ triggerId: trigger.id, key }));
    expect(held.map(({ triggerId }) => triggerId)).toEqual([nightly.id, hook.id]);
    fixture.clock.now = T0 + 4000;
    expect(await triggers.due({ ...DUE, held })).toEqual({ items: [], nextAt: T0 + 9000 });
    fixture.clock.now = T0 + 8999;
    expect((await triggers.due(DUE)).items).toEqual([]);
    for (const { triggerId, key } of held)
      await triggers.settle(triggerId, { key, runId: null, error: null, retryAt: T0 + 8999, nextAt: T0 + HOUR });
    expect((await triggers.due(DUE)).items).toHaveLength(2);
    // What was settled has no lease to renew.
    await triggers.settle(nightly.id, {
      key: at(T0),
      runId: newRunId(),
      error: null,
      retryAt: null,
      nextAt: T0 + HOUR,
    });
    await triggers.settle(hook.id, { key: 'd-1', runId: newRunId(), error: null, retryAt: null, nextAt: null });
    fixture.clock.now = T0 + HOUR;
    expect((await triggers.due({ ...DUE, held })).items).toMatchObject([{ key: at(T0 + HOUR) }]);
  });

  test('that is put off comes at its time', async () => {
    const { triggers } = fixture.state;
    const { id } = await triggers.create(webhook());
    await triggers.addFiring(id, { key: 'd-1', run: { task: '' } });
    await triggers.due(DUE);
    await triggers.settle(id, { key: 'd-1', runId: null, error: 'later', retryAt: T0 + 5000, nextAt: null });
    expect(await triggers.due(DUE)).toEqual({ items: [], nextAt: T0 + 5000 });
    fixture.clock.now = T0 + 5000;
    expect((await triggers.due(DUE)).items).toHaveLength(1);
  });
});
