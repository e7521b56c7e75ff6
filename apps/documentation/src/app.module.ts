import { Module, type DynamicModule } from '@nestjs/common';
import { createAgentModule } from '@devmesh/agent-kit/agent/agent.module';
import { actions } from './actions.js';
import type { DocumentationConfig } from './config.js';

/** The documentation agent. */
@Module({})
export class AppModule {
  static of(config: DocumentationConfig): DynamicModule {
    return { module: AppModule, imports: [createAgentModule({ agent: 'documentation', config, actions })] };
  }
}
