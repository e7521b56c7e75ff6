import { redis } from '../cache.js';

export type Job =
  | { kind: 'send-mail'; template: 'reset' | 'order'; to: string; values: Record<string, string> }
  | { kind: 'resize-picture'; file: string; width: number }
  | { kind: 'refresh-prices'; supplier: string };

export async function enqueue(job: Job): Promise<void> {
  await redis.rpush('jobs', JSON.stringify(job));
}
