import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import type { OnApplicationBootstrap } from '@nestjs/common';
import type { RetentionService } from './retention.service.js';

export interface SweepSettings {
  readonly enabled: boolean;
  readonly sweepMinutes: number;
}

/** The longest wait after a start before the first sweep, ms. */
const FIRST_MS = 60_000;

/** Sweeps in the background, from the start of the service to its end. Several instances may: each takes what no other has locked. */
export class RetentionLifecycle implements OnApplicationBootstrap {
  constructor(
    private readonly settings: SweepSettings,
    private readonly retention: Pick<RetentionService, 'sweep'>,
    private readonly logger: Pick<Logger, 'warn'>,
    private readonly shutdown: Pick<Shutdown, 'signal' | 'add'>,
    /** Waits; false when the signal fired first. */
    private readonly rest = rested,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.settings.enabled) return;
    const sweeping = this.run(this.shutdown.signal);
    this.shutdown.add({ name: 'retention', phase: 'drain', run: () => sweeping });
  }

  private async run(signal: AbortSignal): Promise<void> {
    const periodMs = this.settings.sweepMinutes * 60_000;
    // A start has better things to do at first. Spread out, so that instances that start together don't sweep together.
    let waitMs = FIRST_MS * (0.5 + Math.random() / 2);
    while (await this.rest(waitMs, signal)) {
      await this.retention.sweep(signal).catch((error: unknown) => {
        this.logger.warn('a sweep of old runs failed and is tried again later', { error });
      });
      waitMs = periodMs * (0.9 + Math.random() / 5);
    }
  }
}

function rested(ms: number, signal: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal, ref: false }).catch(() => false);
}
