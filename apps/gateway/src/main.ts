import { runService } from '@devmesh/service-kit/service';
import { AppModule } from './app.module.js';
import { GatewayConfig, JSON_BODY_BYTES } from './config.js';

await runService({
  name: 'gateway',
  auth: 'own',
  bodyLimitBytes: JSON_BODY_BYTES,
  config: GatewayConfig,
  module: (config) => AppModule.of(config),
});
