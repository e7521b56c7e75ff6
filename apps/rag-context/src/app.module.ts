import { Module, type DynamicModule } from '@nestjs/common';
import { createAgentModule } from '@devmesh/agent-kit/agent/agent.module';
import { createActions } from './actions.js';
import type { RagContextConfig } from './config.js';

/** The rag-context agent. */
@Module({})
export class AppModule {
  static of(config: RagContextConfig): DynamicModule {
    const agent = createAgentModule({
      agent: 'rag-context',
      config,
      actions: ({ metrics }) => {
        const queries = metrics.histogram('rag_query_duration_seconds');
        return createActions({ recordQuery: (seconds) => queries.observe(seconds) });
      },
    });
    return { module: AppModule, imports: [agent] };
  }
}
