import type { CreateOp } from '@devmesh/contracts/state-api';
import { describe, expect, test } from 'vitest';
import { conformance, KINDS } from './testing/conformance.fixture.js';
import { appendOp, createOp, newRunId, note, T0 } from './testing/state.fixture.js';

// Places that runs of a workflow share, and which run goes first: the same suite for the model and for the service.
describe.each(KINDS)('the %s', (kind) => {
  const suite = conformance(kind);
  const { one, owned } = suite;
  const cancel = { kind: 'cancel', by: 'bob', reason: '' } as const;
  const ended = { ended: { verdict: 'passed', reason: '' }, wakeAt: null, park: true } as const;

  describe('the places of a workflow', () => {
    const bounded = (over: Partial<CreateOp> = {}) =>
      createOp({ maxConcurrent: 2, wakeAt: T0, events: [...createOp().events, note('decided')], ...over });

    test('are taken by so many runs; the others wait with what is no decision, and are not due', async () => {
      const results = await suite.port.batch([bounded(), bounded(), bounded()]);
      expect(results).toMatchObject([{ fresh: true }, { fresh: true }, { fresh: true, queued: true }]);
      const third = results[2]?.result === 'created' ? results[2].runId : '';
      expect(await suite.port.look(third)).toMatchObject({ status: 'queued', wakeAt: null, events: 1 });
      expect(await suite.port.due(10, 5000)).toHaveLength(2);
      await suite.port.post(third, { dedupeKey: 'x', message: { kind: 'wake' } });
      expect(await suite.port.look(third)).toMatchObject({ wakeAt: null, unread: 1 });
      expect(await suite.port.batch([bounded({ workflow: { ...createOp().workflow, name: 'other' } })])).toMatchObject([
        { fresh: true },
      ]);
    });

    test('are handed on by the append that ends a run: by priority, then by age', async () => {
      const first = await owned({ ...bounded({ maxConcurrent: 1 }), runId: newRunId() });
      const waiting = [
        bounded({ maxConcurrent: 1 }),
        bounded({ maxConcurrent: 1, priority: 5 }),
        bounded({ maxConcurrent: 1 }),
      ];
      for (const op of waiting) await one(op, 'created');
      const order: string[] = [];
      let { runId, epoch } = first;
      for (let i = 0; i < 3; i++) {
        suite.clock.now += 10;
        await one(appendOp(runId, epoch, ended), 'appended');
        const due = (await suite.port.due(10, 5000)).map((run) => run.runId).filter((id) => id !== first.runId);
        expect(due).toHaveLength(1);
        runId = due[0] ?? '';
        order.push(runId);
        expect(await suite.port.look(runId)).toMatchObject({ status: 'running' });
        ({ epoch } = await one({ op: 'acquire', runId, owner: 'a' }, 'acquired'));
      }
      expect(order).toEqual([waiting[1]?.runId, waiting[0]?.runId, waiting[2]?.runId]);
      await one(appendOp(runId, epoch, ended), 'appended');
      expect(await suite.port.batch([bounded({ maxConcurrent: 1 })])).toMatchObject([{ fresh: true }]);
    });

    test.each(['the create', 'the end'])(
      'are handed on when a create and an end come together, %s first',
      async (first) => {
        const running = await owned(bounded({ maxConcurrent: 1 }));
        const waiting = bounded({ maxConcurrent: 1, wakeAt: T0 + 5 });
        const end = appendOp(running.runId, running.epoch, ended);
        const results = await suite.port.batch(first === 'the create' ? [waiting, end] : [end, waiting]);
        expect(results.find(({ result }) => result === 'created')).toEqual({
          result: 'created',
          runId: waiting.runId,
          fresh: true,
          ...(first === 'the create' ? { queued: true } : {}),
        });
        // Whichever was first: it has the place now, and is due.
        const wakeAt = first === 'the create' ? T0 : T0 + 5;
        expect(await suite.port.look(waiting.runId)).toMatchObject({ status: 'running', wakeAt });
        expect(await suite.port.batch([bounded({ maxConcurrent: 1 })])).toMatchObject([{ queued: true }]);
      },
    );

    test('are handed on by ends that come together, one each', async () => {
      const running = [await owned(bounded()), await owned(bounded())];
      const waiting = [bounded(), bounded(), bounded()];
      for (const op of waiting) await one(op, 'created');
      await suite.port.batch(running.map(({ runId, epoch }) => appendOp(runId, epoch, ended)));
      const looks = await Promise.all(waiting.map(({ runId }) => suite.port.look(runId)));
      expect(looks.map((look) => look?.status)).toEqual(['running', 'running', 'queued']);
    });

    test('are counted of runs that set a bound; the last one says how many there are', async () => {
      const free = await owned(bounded({ maxConcurrent: undefined }));
      const first = await owned(bounded({ maxConcurrent: 1 }));
      const [second, third] = [bounded({ maxConcurrent: 1 }), bounded({ maxConcurrent: 3 })];
      expect(await suite.port.batch([second, third])).toMatchObject([{ queued: true }, { fresh: true }]);
      const status = async ({ runId }: { runId: string }) => (await suite.port.look(runId))?.status;
      expect([await status(first), await status(third)]).toEqual(['running', 'running']);
      // It held no place, so there is none to hand on.
      await one(appendOp(free.runId, free.epoch, ended), 'appended');
      expect(await status(second)).toBe('queued');
      await suite.port.batch([bounded({ maxConcurrent: 1 })]);
      // Two are under way, and one may be: nobody gets this place.
      await one(appendOp(first.runId, first.epoch, ended), 'appended');
      expect(await status(second)).toBe('queued');
    });

    test('go past one that was told to cancel and has not ended yet', async () => {
      const running = await owned(bounded({ maxConcurrent: 1 }));
      const [cancelled, next] = [bounded({ maxConcurrent: 1 }), bounded({ maxConcurrent: 1 })];
      for (const op of [cancelled, next]) await one(op, 'created');
      await suite.port.post(cancelled.runId, { dedupeKey: 'cancel', message: cancel });
      await one(appendOp(running.runId, running.epoch, ended), 'appended');
      const looks = await Promise.all([cancelled, next].map(({ runId }) => suite.port.look(runId)));
      expect(looks.map((look) => look?.status)).toEqual(['queued', 'running']);
    });

    test('are not taken by one that was cancelled while it waited, and it ends', async () => {
      const first = await owned({ ...bounded({ maxConcurrent: 1 }), runId: newRunId() });
      const waiting = bounded({ maxConcurrent: 1 });
      await one(waiting, 'created');
      await suite.port.post(waiting.runId, { dedupeKey: 'cancel', message: cancel });
      expect(await suite.port.look(waiting.runId)).toMatchObject({ status: 'queued', wakeAt: T0 });
      const { epoch } = await one({ op: 'acquire', runId: waiting.runId, owner: 'a' }, 'acquired');
      await one(appendOp(waiting.runId, epoch, { ...ended, ended: { verdict: 'cancelled', reason: '' } }), 'appended');
      await one(appendOp(first.runId, first.epoch, ended), 'appended');
      expect(await suite.port.batch([bounded({ maxConcurrent: 1 }), bounded({ maxConcurrent: 1 })])).toMatchObject([
        { fresh: true },
        { queued: true },
      ]);
    });
  });

  test('due runs with a higher priority are handed out first', async () => {
    const low = createOp({ wakeAt: T0 - 10 });
    const high = createOp({ wakeAt: T0, priority: 3 });
    await one(low, 'created');
    await one(high, 'created');
    expect((await suite.port.due(10, 5000)).map((run) => run.runId)).toEqual([high.runId, low.runId]);
  });
});
