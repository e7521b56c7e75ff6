import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import type { ServiceName } from '@devmesh/contracts/services';
import { RepositoryCache } from '@devmesh/repository/store';
import { MeshClientModule } from '@devmesh/service-client/mesh-client.module';
import { MeshClients } from '@devmesh/service-client/mesh-clients';
import { ServiceIdentity } from '@devmesh/service-kit/identity';
import { Logger } from '@devmesh/service-kit/logging/logger';
import { Metrics } from '@devmesh/service-kit/metrics/metrics';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import type { Action } from '../action-context.js';
import { ExecutionRegistry, JoiningRegistry } from '../executions/execution.registry.js';
import { ExecutionRunner } from '../executions/execution.runner.js';
import { ExecutionsController } from '../executions/executions.controller.js';
import { Executions } from '../executions/executions.service.js';
import { ArtifactCache } from '../workspace/artifact-cache.js';
import { ContextFactory } from '../workspace/context-factory.js';
import type { AgentConfig } from './agent.config.js';
import { ActionSet, AgentController } from './agent.controller.js';

/** What actions may need of their process when they are made. */
export interface ActionTools {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clients: MeshClients;
  readonly config: AgentConfig;
  /** A folder of this agent alone, which is there as long as the data folder is. */
  readonly folder: string;
}

export interface AgentModuleOptions {
  readonly agent: ServiceName;
  readonly config: AgentConfig;
  /** Each id must begin with the agent's name. */
  readonly actions: readonly Action[] | ((tools: ActionTools) => readonly Action[]);
  /** For tests that must see what becomes of runs when agents forget keys; every agent joins by key. */
  readonly registry?: ExecutionRegistry;
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/** An agent's module: its actions behind the agent contract (README.md). */
export function createAgentModule(options: AgentModuleOptions): DynamicModule {
  const { agent, config } = options;
  const now = options.now ?? Date.now;
  const sleep = options.sleep ?? ((ms: number) => delay(ms));
  const folder = join(config.home, 'agents', agent);
  return {
    module: AgentModule,
    imports: [MeshClientModule],
    controllers: [ExecutionsController, AgentController],
    providers: [
      { provide: ExecutionRegistry, useValue: options.registry ?? new JoiningRegistry() },
      {
        provide: ActionSet,
        inject: [Metrics, Logger, MeshClients],
        useFactory: (metrics: Metrics, logger: Logger, clients: MeshClients) => {
          const tools = { metrics, logger, clients, config, folder };
          const set = actionSet(
            agent,
            typeof options.actions === 'function' ? options.actions(tools) : options.actions,
          );
          // A series that begins with its first execution has no increase then.
          for (const action of set.keys()) metrics.histogram('agent_execution_seconds').zero({ agent, action });
          return set;
        },
      },
      {
        provide: ExecutionRunner,
        inject: [Metrics, Logger, MeshClients, ServiceIdentity],
        useFactory: (metrics: Metrics, logger: Logger, clients: MeshClients, { instance }: ServiceIdentity) => {
          const seconds = metrics.histogram('agent_execution_seconds');
          const { artifacts, ledger } = clients.state;
          const files = new ArtifactCache({ root: join(folder, 'artifacts'), artifacts });
          const repositories = new RepositoryCache({
            root: join(folder, 'repositories'),
            fetchBundle: (digest) => files.file(digest),
          });
          return new ExecutionRunner({
            contexts: new ContextFactory({
              repositories,
              files,
              artifacts,
              ledger,
              instance,
              sleep: (ms, signal) => delay(ms, undefined, { signal }),
              logger,
              now,
            }),
            logger,
            observe: (action, time) => seconds.observe({ agent, action }, time),
            now,
          });
        },
      },
      {
        provide: Executions,
        inject: [ActionSet, ExecutionRegistry, ExecutionRunner, MeshClients, ServiceIdentity, Logger],
        useFactory: (
          actions: ActionSet,
          registry: ExecutionRegistry,
          runner: ExecutionRunner,
          clients: MeshClients,
          { instance }: ServiceIdentity,
          logger: Logger,
        ) =>
          new Executions({
            agent,
            instance,
            actions,
            registry,
            runner,
            state: clients.state,
            limits: config.executions,
            logger,
            now,
            sleep,
          }),
      },
    ],
  };
}

@Module({})
class AgentModule implements OnModuleInit {
  constructor(
    private readonly executions: Executions,
    private readonly shutdown: Shutdown,
  ) {}

  onModuleInit(): void {
    const { executions } = this;
    this.shutdown.add({ name: 'no new executions', phase: 'leave', run: () => executions.leave() });
    this.shutdown.add({ name: 'executions', phase: 'drain', run: () => executions.drained() });
    this.shutdown.add({ name: 'heartbeats', phase: 'close', run: () => executions.close() });
  }
}

/** Throws for an action that isn't this agent's, or that is there twice. */
function actionSet(agent: ServiceName, actions: readonly Action[]): ActionSet {
  const set = new ActionSet();
  for (const action of actions) {
    const { id } = action.contract;
    if (!id.startsWith(`${agent}/`))
      throw new Error(`action ${id} is not one of ${agent}: its id must begin with "${agent}/"`);
    if (set.has(id)) throw new Error(`action ${id} is given twice`);
    set.set(id, action);
  }
  return set;
}
