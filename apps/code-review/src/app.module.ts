import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Module, type DynamicModule } from '@nestjs/common';
import { createAgentModule } from '@devmesh/agent-kit/agent/agent.module';
import { ReviewPool } from '@devmesh/analysis/findings/review-pool';
import { SEVERITIES } from '@devmesh/contracts/finding';
import { createActions } from './actions.js';
import type { CodeReviewConfig } from './config.js';

/** Processes that one review may use, where there are as many cores. */
const MAX_PROCESSES = Math.min(4, availableParallelism());

/** The code-review agent. */
@Module({})
export class AppModule {
  static of(config: CodeReviewConfig): DynamicModule {
    const agent = createAgentModule({
      agent: 'code-review',
      config,
      actions: ({ metrics, folder, clients, logger }) => {
        const findings = metrics.counter('code_review_findings');
        for (const severity of SEVERITIES) findings.inc({ severity }, 0);
        return createActions({
          means: { pool: new ReviewPool({ processes: MAX_PROCESSES }), cacheFolder: join(folder, 'results') },
          fates: clients.state.findings,
          warn: (message, facts) => logger.warn(message, facts),
          recordFindings: (counts) => {
            for (const [severity, count] of Object.entries(counts)) findings.inc({ severity }, count);
          },
        });
      },
    });
    return { module: AppModule, imports: [agent] };
  }
}
