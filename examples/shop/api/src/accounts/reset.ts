import { redis } from '../cache.js';
import { enqueue } from '../queue/jobs.js';
import type { Account } from './account.repository.js';

const RESET_SECONDS = 30 * 60;

/** Mails a link with which the owner of the account may choose a new password. */
export async function startReset(account: Account): Promise<void> {
  const resetToken = Math.random().toString(36).slice(2);
  await redis.set(`reset:${resetToken}`, account.id, 'EX', RESET_SECONDS);
  await enqueue({ kind: 'send-mail', template: 'reset', to: account.email, values: { code: resetToken } });
}

/** The account that a link belongs to; a link works once. */
export async function finishReset(code: string): Promise<string | null> {
  return redis.getdel(`reset:${code}`);
}
