import { join } from 'node:path';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { MAX_ARTIFACT_BYTES } from '@devmesh/contracts/artifact';
import { HealthRegistry } from '@devmesh/service-kit/health/health.registry';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import { ArtifactStore } from './artifacts/artifact.store.js';
import { ArtifactsController } from './artifacts/artifacts.controller.js';
import { ArtifactsRepository } from './artifacts/artifacts.repository.js';
import { ArtifactsService } from './artifacts/artifacts.service.js';
import { assemble, type State } from './assemble.js';
import type { StateConfig } from './config.js';
import { Database, databaseError } from './database/database.js';
import { migrate } from './database/migrate.js';
import { DueController } from './due/due.controller.js';
import { DueService } from './due/due.service.js';
import { ExecutionsController } from './executions/executions.controller.js';
import { ExecutionsService } from './executions/executions.service.js';
import { InboxController } from './inbox/inbox.controller.js';
import { InboxService } from './inbox/inbox.service.js';
import { StateMetrics } from './metrics/state-metrics.js';
import { ApiKeysController } from './projects/api-keys.controller.js';
import { ApiKeysService } from './projects/api-keys.service.js';
import { BatchController } from './runs/batch.controller.js';
import { BatchService } from './runs/batch.service.js';
import { RunsController } from './runs/runs.controller.js';
import { RunsService } from './runs/runs.service.js';
import { WorkflowsController } from './workflows/workflows.controller.js';
import { WorkflowsService } from './workflows/workflows.service.js';

const STATE = Symbol('the services over the database');

@Module({})
export class AppModule {
  static of(config: StateConfig): DynamicModule {
    return {
      module: AppModule,
      controllers: [
        BatchController,
        // Before the runs, whose `:runId` would take `due` for an id.
        DueController,
        RunsController,
        InboxController,
        ExecutionsController,
        ArtifactsController,
        WorkflowsController,
        ApiKeysController,
      ],
      providers: [
        {
          provide: Database,
          useFactory: (logger: Logger, health: HealthRegistry, shutdown: Shutdown) =>
            openDatabase(config, logger, health, shutdown),
          inject: [Logger, HealthRegistry, Shutdown],
        },
        { provide: ArtifactsService, useFactory: (db: Database) => openArtifacts(config, db), inject: [Database] },
        {
          provide: STATE,
          useFactory: (db: Database, metrics: Metrics, logger: Logger) => openState(db, metrics, logger),
          inject: [Database, Metrics, Logger],
        },
        part(BatchService, (state) => state.batch),
        part(DueService, (state) => state.due),
        part(InboxService, (state) => state.inbox),
        part(ExecutionsService, (state) => state.executions),
        part(RunsService, (state) => state.runs),
        part(WorkflowsService, (state) => state.workflows),
        part(ApiKeysService, (state) => state.apiKeys),
      ],
    };
  }
}

function part<T>(provide: abstract new (...args: never[]) => T, pick: (state: State) => T): Provider {
  return { provide, useFactory: pick, inject: [STATE] };
}

async function openDatabase(
  config: StateConfig,
  logger: Logger,
  health: HealthRegistry,
  shutdown: Shutdown,
): Promise<Database> {
  await migrate(config.databaseUrl);
  const db = new Database({
    url: config.databaseUrl,
    poolSize: config.poolSize,
    lockTimeoutMs: config.lockTimeoutMs,
    onError: (error) => logger.warn('a connection to the database broke', { error }),
  });
  health.addCheck({
    name: 'database',
    critical: true,
    check: async () => {
      await db.read({ name: 'health', text: 'select 1', values: [] }).catch((error: unknown) => {
        throw databaseError(error);
      });
      return { up: true };
    },
  });
  shutdown.add({ name: 'database', phase: 'flush', run: () => db.close() });
  return db;
}

async function openArtifacts(config: StateConfig, db: Database): Promise<ArtifactsService> {
  const store = new ArtifactStore({ folder: join(config.home, 'artifacts'), maxBytes: MAX_ARTIFACT_BYTES });
  await store.prepare(Date.now());
  return new ArtifactsService({ store, repository: new ArtifactsRepository(db), now: Date.now });
}

function openState(db: Database, metrics: Metrics, logger: Logger): State {
  const now = Date.now;
  const state: State = assemble({
    db,
    now,
    onEnded: (verdict, durationMs) => watched.ended(verdict, durationMs),
    onRefused: (op, error) =>
      logger.warn('the database refused an item of a batch', {
        op: op.op,
        run: op.runId,
        code: error.code,
        error: error.cause,
      }),
  });
  const watched = new StateMetrics({ metrics, runs: state.runsRepository, counts: db.counts, now });
  return state;
}
