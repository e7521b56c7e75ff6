import { broken } from '@devmesh/testing/mesh-box-evidence';
import { BOX_WORKFLOWS } from '@devmesh/testing/mesh-box-workflows';
import { describeWith } from '@devmesh/testing/peers';
import { startRedis, type RedisServer } from '@devmesh/testing/redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useMeshBox } from './use-mesh-box.js';

describeWith(['redis-server'], 'C6: a queue in Redis, which keeps nothing', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  const box = useMeshBox(() => ({ orchestrators: 2, turns: 4, queueRedisUrl: redis.url }));

  test('killed in mid-run, time and again', async () => {
    const sources = [BOX_WORKFLOWS.slow, BOX_WORKFLOWS.loop, BOX_WORKFLOWS.retry, BOX_WORKFLOWS.six];
    const ids = await Promise.all(
      Array.from({ length: 24 }, (_, at) => box().submit(sources[at % sources.length] ?? '')),
    );
    for (let times = 0; times < 3; times++) {
      await redis.kill();
      await redis.start();
    }
    await box().ended(ids);
    expect(broken(await box().evidence(ids))).toEqual([]);
  });
});
