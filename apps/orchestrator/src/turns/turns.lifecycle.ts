import { setTimeout as delay } from 'node:timers/promises';
import { DUE_LEASE_MS } from '@devmesh/contracts/state-api';
import type { RunId } from '@devmesh/contracts/ids';
import type { MeshClients } from '@devmesh/service-client/mesh-clients';
import type { HealthRegistry } from '@devmesh/service-kit/health/health.registry';
import type { Logger } from '@devmesh/service-kit/logging/logger';
import type { Metrics } from '@devmesh/service-kit/metrics/metrics';
import type { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import type { OnApplicationBootstrap } from '@nestjs/common';
import type { AgentRegistry } from '../agents/agent-registry.js';
import { OrphanReports } from '../agents/orphan-reports.js';
import type { OrchestratorConfig } from '../config.js';
import { pollDue } from './due-poller.js';
import { RunQueue, type QueuedTurn, type QueuePlace } from './run-queue.js';
import type { TurnPlace, TurnRunner } from './turn-runner.js';

export interface TurnsParts {
  readonly config: OrchestratorConfig;
  readonly place: QueuePlace;
  readonly clients: MeshClients;
  readonly registry: AgentRegistry;
  readonly runner: TurnRunner;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: HealthRegistry;
  readonly shutdown: Shutdown;
}

/** How often agents are asked who they are, ms; sooner while one is missing. */
const REFRESH_MS = 2_000;
const REFRESH_MISSING_MS = 500;
const QUEUE_RETRY_MS = 500;

/** Starts what drives runs, in the background, and ends it in order: no more jobs, turns under way park, the queue closes. */
export class TurnsLifecycle implements OnApplicationBootstrap {
  private queue: RunQueue | undefined;
  private lastQueueError: string | undefined;

  constructor(private readonly parts: TurnsParts) {}

  onApplicationBootstrap(): void {
    const { metrics, health, shutdown } = this.parts;
    const { signal } = shutdown;
    metrics.gauge('queue_depth', async (gauge) => {
      const depth = await this.queue?.depth().catch(() => undefined);
      if (depth !== undefined) gauge.set(depth);
    });
    health.addCheck({
      name: 'queue',
      critical: true,
      check: () => ({
        up: this.queue !== undefined,
        details: {
          turns: this.parts.runner.count,
          ...(this.lastQueueError === undefined ? {} : { lastError: this.lastQueueError }),
        },
      }),
    });
    shutdown.add({ name: 'jobs', phase: 'drain', run: async () => this.queue?.drain() });
    shutdown.add({ name: 'turns', phase: 'drain', run: () => this.parts.runner.settled() });
    shutdown.add({ name: 'queue', phase: 'close', run: async () => this.queue?.close() });
    void this.refreshAgents(signal);
    void this.drive(signal);
  }

  /**
   * Runs that are due are fetched only when there is a queue to put them on, and after the agents were asked who they are: what is
   * handed out is leased, and a run that nobody can take, or whose agent nobody knows, would wait for no reason.
   */
  private async drive(signal: AbortSignal): Promise<void> {
    const { config, clients, logger, registry } = this.parts;
    await Promise.all([this.openQueue(signal), registry.refresh()]);
    const ports = {
      due: async (request: { limit: number; leaseMs: number; waitMs: number }, stop: AbortSignal) => ({
        runs: await clients.state.due(request, { signal: stop }),
      }),
      recover: async (owner: string) => ({ runs: await clients.state.recover(owner, { signal }) }),
      add: (runs: readonly QueuedTurn[]) => this.add(runs),
      sleep: pause,
    };
    await pollDue(ports, config.name, logger, signal);
  }

  /** Keeps room here for the first turn of a run that is about to be stored. */
  reserve(): TurnPlace | undefined {
    const { config, runner, shutdown } = this.parts;
    const place = shutdown.started ? undefined : runner.reserve(config.turns);
    // Once the turns have been waited for none is begun any more; the run comes round by its wake time.
    return place && { ...place, take: (...run) => (shutdown.started ? place.release() : place.take(...run)) };
  }

  /**
   * Lets a run that was just stored go: here, without a job, while there is room; else by a job that any orchestrator may take.
   */
  async hint(runId: RunId, priority: number): Promise<void> {
    const { config, runner, shutdown } = this.parts;
    if (!shutdown.started && runner.takeNow(runId, config.turns)) return;
    await this.add([{ runId, lease: 0, priority }]);
  }

  private async add(runs: readonly QueuedTurn[]): Promise<void> {
    if (runs.length === 0) return;
    if (!this.queue) throw new Error(`the queue is not open yet; runs come round again after ${DUE_LEASE_MS} ms`);
    await this.queue.add(runs);
  }

  private async openQueue(signal: AbortSignal): Promise<void> {
    const { config, place, logger, runner } = this.parts;
    const onError = (error: Error) => {
      this.lastQueueError = error.message;
      if (!signal.aborted) logger.warn('the queue complains', { error });
    };
    while (!signal.aborted && !this.queue) {
      try {
        this.queue = await RunQueue.open({ place, concurrency: config.turns, onError }, (runId, addedAt) =>
          runner.takeQueued(runId, addedAt),
        );
      } catch (error) {
        logger.warn('the queue can not be opened yet; trying again', { error });
        await pause(QUEUE_RETRY_MS, signal);
      }
    }
  }

  private async refreshAgents(signal: AbortSignal): Promise<void> {
    const { registry, clients, logger } = this.parts;
    const orphans = new OrphanReports(registry, (present) => clients.state.orphans(present, { signal }), logger);
    while (!signal.aborted) {
      await registry.refresh();
      await orphans.report();
      const complete = registry
        .list()
        .every(({ instances }) => instances.length > 0 && instances.every(({ healthy }) => healthy));
      await pause(complete ? REFRESH_MS : REFRESH_MISSING_MS, signal);
    }
  }
}

/** Ends early, and without an error, when the signal fires. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
