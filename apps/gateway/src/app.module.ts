import { Module, type DynamicModule, type MiddlewareConsumer, type NestModule, type Provider } from '@nestjs/common';
import { APP_GUARD, HttpAdapterHost } from '@nestjs/core';
import { cloneRepository } from '@devmesh/repository/clone';
import { MeshClientModule } from '@devmesh/service-client/mesh-client.module';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import { AgentsController } from './agents/agents.controller.js';
import { ApiKeyGuard } from './api-keys/api-key.guard.js';
import { ApiKeyService } from './api-keys/api-key.service.js';
import { WhoAmIController } from './api-keys/who-am-i.controller.js';
import { ArtifactAccessService } from './artifacts/artifact-access.service.js';
import { ArtifactsController } from './artifacts/artifacts.controller.js';
import { ArtifactsService } from './artifacts/artifacts.service.js';
import { importSettings, JSON_BODY_BYTES, type GatewayConfig } from './config.js';
import { EventStreamService } from './events/event-stream.service.js';
import { EventsController } from './events/events.controller.js';
import { EventsService } from './events/events.service.js';
import { IdleRequests } from './http/idle-requests.js';
import { responseHeaders } from './http/response-headers.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { RepositoriesController } from './repositories/repositories.controller.js';
import { RepositoryImportService } from './repositories/repository-import.service.js';
import { RunAccessService } from './runs/run-access.service.js';
import { RunReaderService } from './runs/run-reader.service.js';
import { RunsController } from './runs/runs.controller.js';
import { RunsService } from './runs/runs.service.js';
import { OrchestratorPort } from './upstream/orchestrator.port.js';
import { StatePort } from './upstream/state.port.js';
import { UPSTREAMS } from './upstream/upstreams.js';
import { WorkflowsController } from './workflows/workflows.controller.js';

@Module({})
export class AppModule implements NestModule {
  static of(config: GatewayConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [MeshClientModule],
      controllers: [
        RunsController,
        EventsController,
        ArtifactsController,
        RepositoriesController,
        WorkflowsController,
        AgentsController,
        WhoAmIController,
        OpenApiController,
      ],
      providers: [...UPSTREAMS, ...services(config)],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(responseHeaders).forRoutes('{*path}');
  }
}

function services(config: GatewayConfig): Provider[] {
  return [
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
    { provide: IdleRequests, useFactory: (host: HttpAdapterHost) => new IdleRequests(host), inject: [HttpAdapterHost] },
  ];
}
