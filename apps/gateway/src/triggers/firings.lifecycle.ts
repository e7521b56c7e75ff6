import type { StateTriggers } from '@devmesh/service-client/state-triggers';
import { sleep } from '@devmesh/service-client/http/http-client';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import type { OnApplicationBootstrap } from '@nestjs/common';
import type { RunsService } from '../runs/runs.service.js';
import { pollFirings } from './firing-poller.js';

/** Looks for due firings in the background from the start of the gateway to its end. */
export class FiringsLifecycle implements OnApplicationBootstrap {
  constructor(
    private readonly enabled: boolean,
    private readonly triggers: StateTriggers,
    private readonly runs: RunsService,
    private readonly logger: Logger,
    private readonly shutdown: Shutdown,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.enabled) return;
    const { triggers, runs, logger, shutdown } = this;
    const polling = pollFirings({ triggers, runs, logger, now: Date.now, sleep }, shutdown.signal);
    shutdown.add({ name: 'triggers', phase: 'drain', run: () => polling });
  }
}
