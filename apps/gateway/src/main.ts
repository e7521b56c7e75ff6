import { runService } from '@devmesh/service-kit/service';
import { AppModule } from './app.module.js';
import { GatewayConfig } from './config.js';

await runService({
  name: 'gateway',
  auth: 'own',
  bodies: 'own',
  config: GatewayConfig,
  module: (config) => AppModule.of(config),
});
