import { describeWith } from '@devmesh/testing/peers';
import { startRedis, type RedisServer } from '@devmesh/testing/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { A, describeQueue, turn, type QueueFixture } from '../testing/queue.suite.js';

let redis: RedisServer;

async function onRedis(): Promise<QueueFixture> {
  const client = new Redis(redis.url);
  await client.flushall();
  return {
    place: { kind: 'redis', url: redis.url },
    empty: async () => void (await client.flushall()),
    kept: async () => (await client.keys('devmesh:runs:019a*')).length,
    remove: async () => client.disconnect(),
  };
}

describeWith(['redis-server'], 'a real Redis', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());

  describeQueue('Redis', onRedis, (open) => {
    it('is open again when Redis is, with nothing in it', async () => {
      const taken: string[] = [];
      const queue = await open(async (runId) => void taken.push(runId));
      await redis.kill();
      await expect(queue.add([turn(A, 1)])).rejects.toThrow();
      await redis.start();
      await vi.waitFor(() => queue.add([turn(A, 2)]), { timeout: 15_000 });
      await vi.waitFor(() => expect(taken).toEqual([A]), { timeout: 15_000 });
    });
  });
});
