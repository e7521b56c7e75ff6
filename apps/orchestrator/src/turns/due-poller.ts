import { DUE_LEASE_MS, type DueRun } from '@devmesh/contracts/state-api';
import type { Logger } from '@devmesh/service-kit/logging/logger';

export interface DuePollerPorts {
  /** Long poll for runs whose wake time has come. */
  due(request: { limit: number; leaseMs: number; waitMs: number }, signal: AbortSignal): Promise<{ runs: DueRun[] }>;
  recover(owner: string): Promise<{ runs: number }>;
  add(runs: readonly DueRun[]): Promise<void>;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const WAIT_MS = 20_000;
const LIMIT = 200;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2_000;

/**
 * Asks state-persistence for runs whose wake time has come and puts them on the queue. The first thing that it does is to make the
 * unfinished runs of this orchestrator due, so that a restart resumes them at once. Goes on until the signal fires, whatever fails.
 */
export async function pollDue(
  ports: DuePollerPorts,
  owner: string,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  let recovered = false;
  let wait = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      if (!recovered) {
        const { runs } = await ports.recover(owner);
        recovered = true;
        if (runs > 0) logger.info('unfinished runs are resumed', { runs });
      }
      const { runs } = await ports.due({ limit: LIMIT, leaseMs: DUE_LEASE_MS, waitMs: WAIT_MS }, signal);
      await ports.add(runs);
      wait = FIRST_RETRY_MS;
    } catch (error) {
      if (signal.aborted) return;
      logger.warn('due runs could not be fetched; trying again', { error, waitMs: wait });
      await ports.sleep(wait, signal);
      wait = Math.min(LAST_RETRY_MS, wait * 2);
    }
  }
}
