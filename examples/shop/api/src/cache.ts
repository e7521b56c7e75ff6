import { Redis } from 'ioredis';
import { config } from './config.js';

export const redis = new Redis(config.redisUrl, { maxRetriesPerRequest: 3 });

export async function cached<T>(key: string, seconds: number, make: () => Promise<T>): Promise<T> {
  const hit = await redis.get(key);
  if (hit !== null) return JSON.parse(hit) as T;
  const value = await make();
  await redis.set(key, JSON.stringify(value), 'EX', seconds);
  return value;
}
