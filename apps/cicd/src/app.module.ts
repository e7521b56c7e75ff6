import { Module, type DynamicModule } from '@nestjs/common';
import { createAgentModule } from '@devmesh/agent-kit/agent/agent.module';
import { actions } from './actions.js';
import type { CicdConfig } from './config.js';

/** The cicd agent. */
@Module({})
export class AppModule {
  static of(config: CicdConfig): DynamicModule {
    return { module: AppModule, imports: [createAgentModule({ agent: 'cicd', config, actions })] };
  }
}
