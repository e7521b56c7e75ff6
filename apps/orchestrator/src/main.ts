import { runService } from '@devmesh/service-kit/service';
import { AppModule } from './app.module.js';
import { OrchestratorConfig } from './config.js';

await runService({ name: 'orchestrator', config: OrchestratorConfig, module: (config) => AppModule.of(config) });
