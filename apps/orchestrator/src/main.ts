import { runService } from '@devmesh/service-kit/service';
import { AppModule } from './app.module.js';
import { OrchestratorConfig } from './config.js';

// A task may have a megabyte, and as JSON text several times that.
const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

await runService({
  name: 'orchestrator',
  config: OrchestratorConfig,
  module: (config) => AppModule.of(config),
  bodyLimitBytes: BODY_LIMIT_BYTES,
});
