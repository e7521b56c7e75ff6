import { EXECUTION_REQUEST_BYTES } from '@devmesh/contracts/execution';
import { runService } from '@devmesh/service-kit/service';
import { AppModule } from './app.module.js';
import { CicdConfig } from './config.js';

await runService({
  name: 'cicd',
  config: CicdConfig,
  module: (config) => AppModule.of(config),
  bodyLimitBytes: EXECUTION_REQUEST_BYTES,
});
