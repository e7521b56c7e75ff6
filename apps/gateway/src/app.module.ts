import {
  Inject,
  Module,
  type DynamicModule,
  type MiddlewareConsumer,
  type NestModule,
  type Provider,
} from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import { cloneRepository } from '@devmesh/repository/clone';
import { MeshClientModule } from '@devmesh/service-client/mesh-client.module';
import { StateFindings } from '@devmesh/service-client/state-findings';
import { StateLedger } from '@devmesh/service-client/state-ledger';
import { StateTriggers } from '@devmesh/service-client/state-triggers';
import { ServiceIdentity } from '@devmesh/service-kit/identity';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import { AgentsController } from './agents/agents.controller.js';
import { ApiKeyGuard } from './api-keys/api-key.guard.js';
import { ApiKeyService } from './api-keys/api-key.service.js';
import { WhoAmIController } from './api-keys/who-am-i.controller.js';
import { ApprovalsController } from './approvals/approvals.controller.js';
import { ApprovalsService } from './approvals/approvals.service.js';
import { FindingsController } from './findings/findings.controller.js';
import { FindingsService } from './findings/findings.service.js';
import { ArtifactAccessService } from './artifacts/artifact-access.service.js';
import { ArtifactsController } from './artifacts/artifacts.controller.js';
import { ArtifactsService } from './artifacts/artifacts.service.js';
import { watchCertificate } from './certificate/certificate-watch.js';
import { importSettings, JSON_BODY_BYTES, type GatewayConfig } from './config.js';
import { EventStreamService } from './events/event-stream.service.js';
import { EventsController } from './events/events.controller.js';
import { EventsService } from './events/events.service.js';
import { ExportsController } from './exports/exports.controller.js';
import { ExportsService } from './exports/exports.service.js';
import { ForksController } from './forks/forks.controller.js';
import { ForksService } from './forks/forks.service.js';
import { GraphsController } from './graphs/graphs.controller.js';
import { GraphsService } from './graphs/graphs.service.js';
import { IdleRequests } from './http/idle-requests.js';
import { responseHeaders } from './http/response-headers.js';
import { decisionTools } from './mcp/decision-tools.js';
import { mcpDoor, ownNames } from './mcp/mcp-door.js';
import { McpController } from './mcp/mcp.controller.js';
import { McpService } from './mcp/mcp.service.js';
import { RunReports } from './mcp/run-reports.js';
import { runTools } from './mcp/run-tools.js';
import { RunWait } from './mcp/run-wait.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { RepositoriesController } from './repositories/repositories.controller.js';
import { RepositoryImportService } from './repositories/repository-import.service.js';
import { RetentionController } from './retention/retention.controller.js';
import { RetentionService } from './retention/retention.service.js';
import { RunAccessService } from './runs/run-access.service.js';
import { RunReaderService } from './runs/run-reader.service.js';
import { RunsController } from './runs/runs.controller.js';
import { RunsService } from './runs/runs.service.js';
import { OrchestratorPort } from './upstream/orchestrator.port.js';
import { StatePort } from './upstream/state.port.js';
import { UPSTREAMS } from './upstream/upstreams.js';
import { FiringsLifecycle } from './triggers/firings.lifecycle.js';
import { HooksController } from './triggers/hooks.controller.js';
import { TriggersController } from './triggers/triggers.controller.js';
import { TriggersService } from './triggers/triggers.service.js';
import { StatusController } from './status/status.controller.js';
import { statusProvider } from './status/status.providers.js';
import { WorkflowsController } from './workflows/workflows.controller.js';

@Module({})
export class AppModule implements NestModule {
  constructor(@Inject('mcp-names') private readonly mcpNames: string[]) {}

  static of(config: GatewayConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [MeshClientModule],
      controllers: [
        ExportsController,
        RetentionController,
        RunsController,
        ForksController,
        GraphsController,
        EventsController,
        ArtifactsController,
        RepositoriesController,
        WorkflowsController,
        AgentsController,
        WhoAmIController,
        ApprovalsController,
        FindingsController,
        TriggersController,
        HooksController,
        StatusController,
        McpController,
        OpenApiController,
      ],
      providers: [...UPSTREAMS, ...services(config)],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(responseHeaders).forRoutes('{*path}');
    consumer.apply(mcpDoor(this.mcpNames)).forRoutes('mcp');
  }
}

function services(config: GatewayConfig): Provider[] {
  return [
    statusProvider(config),
    {
      provide: 'certificate',
      useFactory: (metrics: Metrics) => {
        if (config.publicUrl !== undefined) watchCertificate({ metrics, url: config.publicUrl, now: Date.now });
        return config.publicUrl ?? null;
      },
      inject: [Metrics],
    },
    { provide: ApiKeyService, useFactory: (state: StatePort) => new ApiKeyService(state), inject: [StatePort] },
    {
      provide: APP_GUARD,
      useFactory: (keys: ApiKeyService) => new ApiKeyGuard(keys, JSON_BODY_BYTES),
      inject: [ApiKeyService],
    },
    { provide: RunAccessService, useFactory: (state: StatePort) => new RunAccessService(state), inject: [StatePort] },
    { provide: RunReaderService, useFactory: (state: StatePort) => new RunReaderService(state), inject: [StatePort] },
    {
      provide: ArtifactAccessService,
      useFactory: (state: StatePort, runs: RunAccessService) => new ArtifactAccessService(state, runs),
      inject: [StatePort, RunAccessService],
    },
    {
      provide: ArtifactsService,
      useFactory: (state: StatePort, access: ArtifactAccessService) => new ArtifactsService(state, access),
      inject: [StatePort, ArtifactAccessService],
    },
    {
      provide: RepositoryImportService,
      useFactory: (state: StatePort, access: ArtifactAccessService) =>
        new RepositoryImportService(importSettings(config), cloneRepository, state, access),
      inject: [StatePort, ArtifactAccessService],
    },
    {
      provide: RunsService,
      useFactory: (
        state: StatePort,
        orchestrator: OrchestratorPort,
        access: RunAccessService,
        reader: RunReaderService,
        artifacts: ArtifactAccessService,
        imports: RepositoryImportService,
      ) => new RunsService(state, orchestrator, access, reader, artifacts, imports),
      inject: [
        StatePort,
        OrchestratorPort,
        RunAccessService,
        RunReaderService,
        ArtifactAccessService,
        RepositoryImportService,
      ],
    },
    {
      provide: ForksService,
      useFactory: (
        orchestrator: OrchestratorPort,
        access: RunAccessService,
        runs: RunsService,
        artifacts: ArtifactAccessService,
      ) => new ForksService(orchestrator, access, runs, artifacts),
      inject: [OrchestratorPort, RunAccessService, RunsService, ArtifactAccessService],
    },
    {
      provide: ExportsService,
      useFactory: (
        state: StatePort,
        access: RunAccessService,
        reader: RunReaderService,
        artifacts: ArtifactAccessService,
        runs: RunsService,
      ) => new ExportsService(state, access, reader, artifacts, runs),
      inject: [StatePort, RunAccessService, RunReaderService, ArtifactAccessService, RunsService],
    },
    { provide: RetentionService, useFactory: (state: StatePort) => new RetentionService(state), inject: [StatePort] },
    {
      provide: GraphsService,
      useFactory: (orchestrator: OrchestratorPort, access: RunAccessService, reader: RunReaderService) =>
        new GraphsService(orchestrator, access, reader),
      inject: [OrchestratorPort, RunAccessService, RunReaderService],
    },
    {
      provide: EventStreamService,
      useFactory: (state: StatePort, shutdown: Shutdown) => new EventStreamService(state, shutdown.signal),
      inject: [StatePort, Shutdown],
    },
    {
      provide: EventsService,
      useFactory: (state: StatePort, access: RunAccessService, streams: EventStreamService) =>
        new EventsService(state, access, streams),
      inject: [StatePort, RunAccessService, EventStreamService],
    },
    {
      provide: ApprovalsService,
      useFactory: (ledger: StateLedger, access: RunAccessService) => new ApprovalsService(ledger, access),
      inject: [StateLedger, RunAccessService],
    },
    {
      provide: FindingsService,
      useFactory: (findings: StateFindings, access: RunAccessService) => new FindingsService(findings, access),
      inject: [StateFindings, RunAccessService],
    },
    { provide: 'mcp-names', useValue: ownNames(config) },
    {
      provide: McpService,
      useFactory: (
        identity: ServiceIdentity,
        runs: RunsService,
        streams: EventStreamService,
        approvals: ApprovalsService,
        findings: FindingsService,
        artifacts: ArtifactsService,
        logger: Logger,
      ) => {
        const tools = [...runTools(runs, new RunWait(runs, streams)), ...decisionTools(approvals, findings)];
        return new McpService(identity.version, tools, new RunReports(runs, artifacts), logger);
      },
      inject: [
        ServiceIdentity,
        RunsService,
        EventStreamService,
        ApprovalsService,
        FindingsService,
        ArtifactsService,
        Logger,
      ],
    },
    {
      provide: TriggersService,
      useFactory: (triggers: StateTriggers) => new TriggersService(triggers),
      inject: [StateTriggers],
    },
    {
      provide: FiringsLifecycle,
      useFactory: (triggers: StateTriggers, runs: RunsService, logger: Logger, shutdown: Shutdown) =>
        new FiringsLifecycle(config.triggers.enabled, triggers, runs, logger, shutdown),
      inject: [StateTriggers, RunsService, Logger, Shutdown],
    },
    { provide: IdleRequests, useFactory: (host: HttpAdapterHost) => new IdleRequests(host), inject: [HttpAdapterHost] },
  ];
}
