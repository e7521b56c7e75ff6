import { runService } from '@devmesh/service-kit/service';
import { AppModule } from './app.module.js';
import { JSON_BODY_BYTES, StateConfig } from './config.js';

await runService({
  name: 'state-persistence',
  bodyLimitBytes: JSON_BODY_BYTES,
  config: StateConfig,
  module: (config) => AppModule.of(config),
});
