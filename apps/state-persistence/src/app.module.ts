import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { MAX_ARTIFACT_BYTES } from '@devmesh/contracts/artifact';
import { DiscoveryModule } from '@devmesh/service-client/discovery/discovery.module';
import { HealthRegistry } from '@devmesh/service-kit/health/health.registry';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import { ApprovalsController } from './approvals/approvals.controller.js';
import { ApprovalsService } from './approvals/approvals.service.js';
import { ArtifactStore } from './artifacts/artifact.store.js';
import { ArtifactsController } from './artifacts/artifacts.controller.js';
import { ArtifactsRepository } from './artifacts/artifacts.repository.js';
import { ArtifactsService } from './artifacts/artifacts.service.js';
import { assemble, type State } from './assemble.js';
import { policyOf, type StateConfig } from './config.js';
import { Database, databaseError } from './database/database.js';
import { BackupLifecycle } from './backup/backup.lifecycle.js';
import { readLastBackup } from './backup/last-backup.js';
import { migrate } from './database/migrate.js';
import { DueController } from './due/due.controller.js';
import { DueService } from './due/due.service.js';
import { EffectsController } from './effects/effects.controller.js';
import { EffectsService } from './effects/effects.service.js';
import { ExecutionsController } from './executions/executions.controller.js';
import { ExecutionsService } from './executions/executions.service.js';
import { FindingsController } from './findings/findings.controller.js';
import { FindingsService } from './findings/findings.service.js';
import { ImportsController } from './imports/imports.controller.js';
import { ImportsService } from './imports/imports.service.js';
import { InboxController } from './inbox/inbox.controller.js';
import { InboxService } from './inbox/inbox.service.js';
import { StateMetrics } from './metrics/state-metrics.js';
import { ApiKeysController } from './projects/api-keys.controller.js';
import { ApiKeysService } from './projects/api-keys.service.js';
import { ArtifactCollectorRepository } from './retention/artifact-collector.repository.js';
import { RetentionController } from './retention/retention.controller.js';
import { RetentionLifecycle } from './retention/retention.lifecycle.js';
import { RetentionRepository } from './retention/retention.repository.js';
import { RetentionService, uploadGraceMs } from './retention/retention.service.js';
import { BatchController } from './runs/batch.controller.js';
import { BatchService } from './runs/batch.service.js';
import { LoadController } from './runs/load.controller.js';
import { RunsController } from './runs/runs.controller.js';
import { RunsService } from './runs/runs.service.js';
import { TriggersController } from './triggers/triggers.controller.js';
import { TriggersService } from './triggers/triggers.service.js';
import { WorkflowsController } from './workflows/workflows.controller.js';
import { WorkflowsService } from './workflows/workflows.service.js';

const STATE = Symbol('the services over the database');

@Module({})
export class AppModule {
  static of(config: StateConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [DiscoveryModule],
      controllers: [
        BatchController,
        // Before the runs, whose `:runId` would take `due` for an id.
        DueController,
        RetentionController,
        ImportsController,
        LoadController,
        RunsController,
        InboxController,
        ExecutionsController,
        ArtifactsController,
        WorkflowsController,
        ApiKeysController,
        TriggersController,
        ApprovalsController,
        EffectsController,
        FindingsController,
      ],
      providers: [
        {
          provide: Database,
          useFactory: (logger: Logger, health: HealthRegistry, shutdown: Shutdown) =>
            openDatabase(config, logger, health, shutdown),
          inject: [Logger, HealthRegistry, Shutdown],
        },
        { provide: ArtifactStore, useFactory: () => openStore(config) },
        {
          provide: ArtifactsService,
          useFactory: (store: ArtifactStore, db: Database) =>
            new ArtifactsService({
              store,
              repository: new ArtifactsRepository(db),
              uploadGraceMs: uploadGraceMs(policyOf(config).artifactGraceMs),
              now: Date.now,
            }),
          inject: [ArtifactStore, Database],
        },
        {
          provide: RetentionService,
          useFactory: (store: ArtifactStore, db: Database, metrics: Metrics, logger: Logger) =>
            openRetention(config, store, db, metrics, logger),
          inject: [ArtifactStore, Database, Metrics, Logger],
        },
        {
          provide: RetentionLifecycle,
          useFactory: (retention: RetentionService, logger: Logger, shutdown: Shutdown) =>
            new RetentionLifecycle(config.retention, retention, logger, shutdown),
          inject: [RetentionService, Logger, Shutdown],
        },
        {
          provide: BackupLifecycle,
          useFactory: (logger: Logger, shutdown: Shutdown) => openBackup(config, logger, shutdown),
          inject: [Logger, Shutdown],
        },
        {
          provide: STATE,
          useFactory: async (db: Database, metrics: Metrics, logger: Logger) => {
            const state = openState(db, config.home, metrics, logger);
            await knowFirstKey(config, state.apiKeys);
            return state;
          },
          inject: [Database, Metrics, Logger],
        },
        part(BatchService, (state) => state.batch),
        part(DueService, (state) => state.due),
        part(InboxService, (state) => state.inbox),
        part(ExecutionsService, (state) => state.executions),
        part(RunsService, (state) => state.runs),
        part(WorkflowsService, (state) => state.workflows),
        part(ApiKeysService, (state) => state.apiKeys),
        part(ApprovalsService, (state) => state.approvals),
        part(EffectsService, (state) => state.effects),
        part(FindingsService, (state) => state.findings),
        part(ImportsService, (state) => state.imports),
        part(TriggersService, (state) => state.triggers),
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

async function openStore(config: StateConfig): Promise<ArtifactStore> {
  const store = new ArtifactStore({ folder: join(config.home, 'artifacts'), maxBytes: MAX_ARTIFACT_BYTES });
  await store.prepare(Date.now());
  return store;
}

function openRetention(
  config: StateConfig,
  store: ArtifactStore,
  db: Database,
  metrics: Metrics,
  logger: Logger,
): RetentionService {
  return new RetentionService({
    repository: new RetentionRepository(db),
    collector: new ArtifactCollectorRepository(db),
    removeFile: (digest) => store.remove(digest),
    policy: policyOf(config),
    now: Date.now,
    onPruned: ({ runs, events }) => {
      metrics.counter('runs_pruned_total').inc(runs);
      logger.info('removed the detail of old runs', { runs, events });
    },
    onCollected: ({ artifacts, bytes }) => {
      metrics.counter('artifacts_collected_total').inc(artifacts);
      metrics.counter('artifacts_collected_bytes_total').inc(bytes);
      logger.info('removed artifacts that nothing refers to', { artifacts, bytes });
    },
    onFileLeft: (digest, error) =>
      logger.warn('an artifact could not be removed; tried again later', { digest, error }),
  });
}

function openBackup(config: StateConfig, logger: Logger, shutdown: Shutdown): BackupLifecycle {
  const { target, nightly } = config.backup;
  return new BackupLifecycle({
    nightly: nightly && target !== undefined,
    readLast: () => readLastBackup(config.home),
    logger,
    shutdown,
    now: () => new Date(),
  });
}

/** Known by its hash alone, as every key. */
async function knowFirstKey({ firstApiKey }: StateConfig, apiKeys: ApiKeysService): Promise<void> {
  if (firstApiKey === undefined) return;
  const hash = createHash('sha256').update(firstApiKey).digest('hex');
  await apiKeys.create({ projectId: 'default', name: 'first', hash });
}

function openState(db: Database, home: string, metrics: Metrics, logger: Logger): State {
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
  const watched = new StateMetrics({
    metrics,
    runs: state.runsRepository,
    approvals: state.approvalsRepository,
    counts: db.counts,
    home,
    now,
  });
  return state;
}
