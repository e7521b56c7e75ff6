import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RunQueue, type QueuePlace } from '../turns/run-queue.js';

export const A = '019a0000-0000-7000-8000-00000000000a';
const B = '019a0000-0000-7000-8000-00000000000b';
const C = '019a0000-0000-7000-8000-00000000000c';
const D = '019a0000-0000-7000-8000-00000000000d';
const E = '019a0000-0000-7000-8000-00000000000e';

/** A place of the queue, made anew for each test. */
export interface QueueFixture {
  readonly place: QueuePlace;
  /** Takes all that the queue holds from under it. */
  empty(): Promise<void>;
  /** How many jobs are kept, in whatever state. */
  kept(): Promise<number>;
  remove(): Promise<void>;
}

export const turn = (runId: string, lease: number, priority = 0) => ({ runId, lease, priority });

/** What a queue does wherever it is kept. `test` gets the fixture of the test under way, and opens queues that are closed after it. */
export function describeQueue(
  name: string,
  make: () => Promise<QueueFixture>,
  more: (open: (process: (runId: string) => Promise<void>) => Promise<RunQueue>, fixture: () => QueueFixture) => void,
): void {
  let fixture: QueueFixture;
  let queues: RunQueue[] = [];

  async function open(process: (runId: string) => Promise<void>, concurrency = 4): Promise<RunQueue> {
    const queue = await RunQueue.open({ place: fixture.place, concurrency, onError: () => undefined }, process);
    queues.push(queue);
    return queue;
  }

  /** A worker that is at one job until it is let go, and what it has taken. */
  async function busy() {
    const taken: string[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const queue = await open(async (runId) => {
      taken.push(runId);
      await gate;
    }, 1);
    await queue.add([turn(B, 1)]);
    await vi.waitFor(() => expect(taken).toEqual([B]));
    return { queue, taken, release };
  }

  describe(`the queue of runs on ${name}`, () => {
    afterEach(async () => {
      await Promise.all(queues.map((queue) => queue.close()));
      queues = [];
      await fixture.remove();
    });
    beforeEach(async () => {
      fixture = await make();
    });

    it('gives a job to a worker', async () => {
      const taken: string[] = [];
      const queue = await open(async (runId) => void taken.push(runId));
      await queue.add([turn(A, 1)]);
      await vi.waitFor(() => expect(taken).toEqual([A]));
    });

    it('holds one job for one lease of a run, however often it is added', async () => {
      const { queue, taken, release } = await busy();
      await queue.add([turn(A, 7)]);
      await queue.add([turn(A, 7), turn(A, 7)]);
      expect(await queue.depth()).toBe(1);
      release();
      await vi.waitFor(() => expect(taken).toEqual([B, A]));
      await vi.waitFor(async () => expect(await fixture.kept()).toBe(0));
    });

    it('gives higher priorities first, and those of the same in their order', async () => {
      const { queue, taken, release } = await busy();
      await queue.add([turn(A, 1), turn(B, 2), turn(C, 1, 5), turn(D, 1, -100), turn(E, 1, 100)]);
      release();
      await vi.waitFor(() => expect(taken).toEqual([B, E, C, A, B, D]));
    });

    it('leaves nothing of a job that is done, so the same lease may come again', async () => {
      const taken: string[] = [];
      const queue = await open(async (runId) => void taken.push(runId));
      await queue.add([turn(A, 1)]);
      await vi.waitFor(() => expect(taken).toEqual([A]));
      await vi.waitFor(async () => expect(await fixture.kept()).toBe(0));
      await queue.add([turn(A, 1)]);
      await vi.waitFor(() => expect(taken).toEqual([A, A]));
    });

    it('goes on when all that it holds is taken from under it', async () => {
      const { queue, taken, release } = await busy();
      await queue.add([turn(A, 1)]);
      await fixture.empty();
      release();
      // What was lost comes again with its next lease, as the wake time has it.
      await queue.add([turn(A, 2)]);
      await vi.waitFor(() => expect(taken).toEqual([B, A]), { timeout: 15_000 });
    });

    it('shares jobs among workers', async () => {
      const taken = [new Set<string>(), new Set<string>()];
      const both = new Promise<void>((resolve) => {
        const look = () => (taken.every(({ size }) => size > 0) ? resolve() : undefined);
        for (const own of taken)
          void open(async (runId) => {
            own.add(runId);
            look();
            await both;
          }, 1);
      });
      const queue = await open(() => both, 1);
      await queue.add([turn(A, 1), turn(B, 1), turn(C, 1)]);
      await both;
      await vi.waitFor(async () => expect(await fixture.kept()).toBe(0));
    });

    it('waits for turns under way when it drains', async () => {
      const { queue, release } = await busy();
      let drained = false;
      const draining = queue.drain().then(() => (drained = true));
      await queue.depth();
      expect(drained).toBe(false);
      release();
      await draining;
      expect(drained).toBe(true);
    });

    more(open, () => fixture);
  });
}
