import { Module, type DynamicModule } from '@nestjs/common';
import { createAgentModule } from '@devmesh/agent-kit/agent/agent.module';
import { actions } from './actions.js';
import type { RagContextConfig } from './config.js';

/** The rag-context agent. */
@Module({})
export class AppModule {
  static of(config: RagContextConfig): DynamicModule {
    return { module: AppModule, imports: [createAgentModule({ agent: 'rag-context', config, actions })] };
  }
}
