import { Module, type DynamicModule } from '@nestjs/common';
import { createAgentModule } from '@devmesh/agent-kit/agent/agent.module';
import { createActions } from './actions.js';
import type { FeatureDevConfig } from './config.js';

/** The feature-dev agent. */
@Module({})
export class AppModule {
  static of(config: FeatureDevConfig): DynamicModule {
    return {
      module: AppModule,
      imports: [createAgentModule({ agent: 'feature-dev', config, actions: createActions(config) })],
    };
  }
}
