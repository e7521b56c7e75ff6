import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { trace } from '@opentelemetry/api';
import type { AgentName } from '@devmesh/contracts/ids';
import { SERVICE_NAMES, SERVICES, type ServiceName } from '@devmesh/contracts/services';
import { TURN_TIMES } from '@devmesh/engine/turn-times';
import { MeshClientModule } from '@devmesh/service-client/mesh-client.module';
import { MeshClients } from '@devmesh/service-client/mesh-clients';
import { HealthRegistry } from '@devmesh/service-kit/health/health.registry';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import { formatTraceparent } from '@devmesh/service-kit/tracing/trace-header';
import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { AgentDispatcher } from './agents/agent-dispatcher.js';
import { AgentRegistry } from './agents/agent-registry.js';
import { AgentsController } from './agents/agents.controller.js';
import type { OrchestratorConfig } from './config.js';
import { readPlacement } from './agents/placement.js';
import { CATALOGUE, PlanningController } from './planning/planning.controller.js';
import { WorkflowLibrary } from './planning/workflow-library.js';
import { RunsController } from './runs/runs.controller.js';
import { RunsService } from './runs/runs.service.js';
import { TasksController } from './runs/tasks.controller.js';
import { StateStoreAdapter } from './state/state-store.adapter.js';
import { WorkflowStore } from './state/workflow-store.js';
import { TurnObserver } from './turns/turn-observer.js';
import { TurnRunner } from './turns/turn-runner.js';
import { queuePlace } from './turns/run-queue.js';
import { TurnsLifecycle } from './turns/turns.lifecycle.js';

const AGENTS = SERVICE_NAMES.filter((name) => SERVICES[name].agent);

function currentTraceparent(): string | null {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? null : formatTraceparent(span);
}

function providers(config: OrchestratorConfig): Provider[] {
  const { catalogue, addresses: placed } = readPlacement(config.placementFile);
  const place = queuePlace(config);
  return [
    { provide: CATALOGUE, useValue: catalogue },
    { provide: WorkflowLibrary, useFactory: () => new WorkflowLibrary(config.workflowsFolder, catalogue) },
    {
      provide: WorkflowStore,
      inject: [MeshClients],
      useFactory: (clients: MeshClients) => new WorkflowStore(clients.state),
    },
    {
      provide: AgentRegistry,
      inject: [MeshClients],
      useFactory: (clients: MeshClients) =>
        new AgentRegistry([...AGENTS, ...placed.keys()], {
          addresses: (agent: AgentName) =>
            placed.get(agent) ?? clients.instances(agent as ServiceName).map(({ address }) => address),
          info: (agent: AgentName, address: string) => clients.agent(agent as ServiceName).info(address),
          now: Date.now,
        }),
    },
    {
      provide: TurnRunner,
      inject: [MeshClients, AgentRegistry, WorkflowStore, Logger, Metrics],
      useFactory: (
        clients: MeshClients,
        registry: AgentRegistry,
        graphs: WorkflowStore,
        logger: Logger,
        metrics: Metrics,
      ) => {
        const agents = new AgentDispatcher(registry, (service) => clients.agent(service), Date.now);
        const ports = {
          state: new StateStoreAdapter(clients.state),
          agents,
          graphs,
          clock: { now: Date.now },
          ids: { uuid: randomUUID },
        };
        const { onCommitted } = new TurnObserver(logger, metrics);
        return new TurnRunner(ports, { owner: config.name, times: TURN_TIMES, onCommitted }, logger);
      },
    },
    {
      provide: TurnsLifecycle,
      inject: [MeshClients, AgentRegistry, TurnRunner, Logger, Metrics, HealthRegistry, Shutdown],
      useFactory: (
        clients: MeshClients,
        registry: AgentRegistry,
        runner: TurnRunner,
        logger: Logger,
        metrics: Metrics,
        health: HealthRegistry,
        shutdown: Shutdown,
      ) => new TurnsLifecycle({ config, place, clients, registry, runner, logger, metrics, health, shutdown }),
    },
    {
      provide: RunsService,
      inject: [WorkflowLibrary, AgentRegistry, MeshClients, WorkflowStore, TurnsLifecycle, Logger],
      useFactory: (
        library: WorkflowLibrary,
        registry: AgentRegistry,
        clients: MeshClients,
        workflows: WorkflowStore,
        turns: TurnsLifecycle,
        logger: Logger,
      ) =>
        new RunsService({
          library,
          catalogue,
          instances: (agent) => registry.instances(agent),
          now: Date.now,
          traceparent: currentTraceparent,
          state: clients.state,
          workflows,
          owner: config.name,
          reserve: () => turns.reserve(),
          hint: (runId, priority) => turns.hint(runId, priority),
          newRunId: randomUUIDv7,
          logger,
        }),
    },
  ];
}

@Module({})
export class AppModule {
  static of(config: OrchestratorConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [MeshClientModule],
      controllers: [RunsController, TasksController, PlanningController, AgentsController],
      providers: providers(config),
    };
  }
}
