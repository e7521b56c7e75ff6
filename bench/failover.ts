import { spawnSync } from 'node:child_process';
import { MeshBox } from '@devmesh/testing/mesh-box';
import { startRedis, type RedisServer } from '@devmesh/testing/redis';
import { quantile, table } from './stats.ts';

/*
 * How long runs stand still when one of two orchestrators is killed and stays away: from the kill to the next event of each run that it
 * had, over a queue in PostgreSQL and, where `redis-server` is on the PATH, over one in Redis. `node bench/failover.ts [--kills N]`.
 */

const KILLS = Number(argument('--kills') ?? 10);
const RUNS = 24;
/** A run has a step under way at any time, and some are in a turn. */
const WORKFLOW = `
name: failover
finish: false
steps:
  - { id: first, action: noop/act }
${Array.from({ length: 12 }, (_, at) => `  - { id: step${at}, action: noop/slow, needs: ${at === 0 ? 'first' : `step${at - 1}`}, with: { ms: 200 } }`).join('\n')}
`;

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** ms from each kill to the next event of every run that was under way. */
async function gaps(redis: RedisServer | undefined): Promise<number[]> {
  const box = await MeshBox.start({ orchestrators: 2, turns: 8, ...(redis ? { queueRedisUrl: redis.url } : {}) });
  const all: number[] = [];
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const runs = await Promise.all(Array.from({ length: RUNS }, () => box.submit(WORKFLOW)));
      await Promise.all(runs.map((run) => box.reached(run, (events) => events.length > 6)));
      const victim = `orchestrator-${1 + (kill % 2)}`;
      await box.kill(victim);
      const killed = Date.now();
      await box.ended(runs);
      for (const run of runs) {
        const next = (await box.events(run)).find(({ event }) => 'at' in event && event.at > killed)?.event;
        if (next && 'at' in next) all.push(next.at - killed);
      }
      await box.restore();
    }
  } finally {
    await box.stop();
  }
  return all;
}

const rows: string[][] = [];
const ms = (value: number) => `${(value / 1000).toFixed(2)} s`;
for (const queue of ['PostgreSQL', 'Redis']) {
  if (queue === 'Redis' && spawnSync('redis-server', ['--version']).error) {
    console.log('no redis-server on the PATH: the queue in Redis is left out');
    continue;
  }
  const redis = queue === 'Redis' ? await startRedis() : undefined;
  try {
    const each = await gaps(redis);
    rows.push([queue, String(each.length), ms(quantile(each, 0.5)), ms(quantile(each, 0.95)), ms(Math.max(...each))]);
  } finally {
    await redis?.stop();
  }
}
console.log(`${KILLS} kills of one of two orchestrators, ${RUNS} runs under way at each`);
console.log(table(['queue in', 'runs', 'p50', 'p95', 'longest'], rows));
