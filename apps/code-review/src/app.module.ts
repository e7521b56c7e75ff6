import { Module, type DynamicModule } from '@nestjs/common';
import { createAgentModule } from '@devmesh/agent-kit/agent/agent.module';
import { SEVERITIES } from '@devmesh/contracts/finding';
import { createActions } from './actions.js';
import type { CodeReviewConfig } from './config.js';

/** The code-review agent. */
@Module({})
export class AppModule {
  static of(config: CodeReviewConfig): DynamicModule {
    const agent = createAgentModule({
      agent: 'code-review',
      config,
      actions: ({ metrics }) => {
        const findings = metrics.counter('code_review_findings');
        for (const severity of SEVERITIES) findings.inc({ severity }, 0);
        return createActions({
          recordFindings: (counts) => {
            for (const [severity, count] of Object.entries(counts)) findings.inc({ severity }, count);
          },
        });
      },
    });
    return { module: AppModule, imports: [agent] };
  }
}
