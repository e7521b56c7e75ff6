import { CreateRun } from '@devmesh/contracts/gateway-api';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Firing, FiringResult } from '@devmesh/contracts/trigger';
import type { StateTriggers } from '@devmesh/service-client/state-triggers';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { RunsService } from '../runs/runs.service.js';
import { nextOccurrence } from './occurrences.js';

/** A firing whose gateway died is taken up by another one, or by its successor, after this, ms. Each look renews it. */
const LEASE_MS = 15_000;
/** Firings that one gateway is at, at once. */
const LIMIT = 10;
/** Until the next try of a firing that may go well later, ms. */
const RETRY_MS = 30_000;
/** The longest wait between two looks, ms: a delivery waits so long at most. */
const LOOK_MS = 1_000;

export interface FiringPollerParts {
  readonly triggers: Pick<StateTriggers, 'due' | 'settle'>;
  readonly runs: Pick<RunsService, 'create'>;
  readonly logger: Logger;
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Turns due firings into runs. The run's idempotency key is the firing's name, so a firing that is taken up again, by whichever
 * gateway, finds the run that it started. Goes on until the signal fires, whatever fails; then it breaks off what it is at and
 * gives it back.
 */
export async function pollFirings(parts: FiringPollerParts, signal: AbortSignal): Promise<void> {
  const held = new Map<Firing, Promise<void>>();
  while (!signal.aborted) {
    let wait = LOOK_MS;
    try {
      const { items, nextAt } = await parts.triggers.due(
        {
          limit: LIMIT - held.size,
          leaseMs: LEASE_MS,
          held: [...held.keys()].map(({ trigger, key }) => ({ triggerId: trigger.id, key })),
        },
        { signal },
      );
      for (const firing of items) {
        held.set(
          firing,
          handle(parts, firing, signal).finally(() => held.delete(firing)),
        );
      }
      if (nextAt !== null) wait = Math.max(0, Math.min(LOOK_MS, nextAt - parts.now()));
    } catch (error) {
      if (signal.aborted) break;
      parts.logger.warn('due triggers could not be fetched; trying again', { error });
    }
    // With no room for more, the next look is for when one of these has ended.
    if (held.size < LIMIT) await parts.sleep(wait, signal);
    else await Promise.race([parts.sleep(LOOK_MS, signal), ...held.values()]);
  }
  await Promise.all(held.values());
}

async function handle(parts: FiringPollerParts, firing: Firing, signal: AbortSignal): Promise<void> {
  const { trigger, key } = firing;
  const { logger, triggers } = parts;
  try {
    const result = await fire(parts, firing, signal);
    await triggers.settle(trigger.id, result);
    const { runId, error } = result;
    const started = runId === null ? 'a trigger started nothing' : 'a trigger started a run';
    logger.info(started, { trigger: trigger.name, firing: key, runId, error });
  } catch (error) {
    // Its lease ends by itself, and then it is taken up again.
    logger.warn('a firing could not be settled', { trigger: trigger.name, firing: key, error });
  }
}

async function fire(parts: FiringPollerParts, firing: Firing, signal: AbortSignal): Promise<FiringResult> {
  const { trigger, key, run } = firing;
  const caller = { keyId: `trigger:${trigger.id}`, projectId: trigger.projectId, name: `trigger ${trigger.name}` };
  const nextAt = trigger.on.kind === 'schedule' ? nextOccurrence(trigger.on, parts.now()) : null;
  try {
    const view = await parts.runs.create(caller, CreateRun.parse(run), `trigger/${trigger.id}/${key}`, signal);
    return { key, runId: view.id, error: null, retryAt: null, nextAt };
  } catch (error) {
    if (signal.aborted) return { key, runId: null, error: trigger.lastError, retryAt: parts.now(), nextAt };
    if (!(error instanceof DevmeshError)) throw error;
    return {
      key,
      runId: null,
      error: `${error.code}: ${error.message}`.slice(0, 2000),
      retryAt: error.retryable ? parts.now() + RETRY_MS : null,
      nextAt,
    };
  }
}
