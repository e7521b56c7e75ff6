import { Module, type DynamicModule } from '@nestjs/common';
import { createAgentModule } from '@devmesh/agent-kit/agent/agent.module';
import { actions } from './actions.js';
import type { InfrastructureConfig } from './config.js';

/** The infrastructure agent. */
@Module({})
export class AppModule {
  static of(config: InfrastructureConfig): DynamicModule {
    return { module: AppModule, imports: [createAgentModule({ agent: 'infrastructure', config, actions })] };
  }
}
