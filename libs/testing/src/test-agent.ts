import { AgentConfig } from '@devmesh/agent-kit/agent/agent.config';
import { createAgentModule } from '@devmesh/agent-kit/agent/agent.module';
import { JoiningRegistry } from '@devmesh/agent-kit/executions/execution.registry';
import { EXECUTION_REQUEST_BYTES } from '@devmesh/contracts/execution';
import type { ServiceName } from '@devmesh/contracts/services';
import { setting } from '@devmesh/service-kit/config/setting';
import { runService } from '@devmesh/service-kit/service';
import { z } from 'zod';
import { TEST_AGENT, testActions } from './test-agent.actions.js';

/*
 * The agent of crash tests as a process: a real agent of the kit, placed elsewhere (DEVMESH_PLACEMENT of the orchestrator).
 */

/** What an agent would be that knows nothing of keys: to show that the crash tests would notice. */
class ForgetfulRegistry extends JoiningRegistry {
  override find(): undefined {
    return undefined;
  }
}

const TestAgentConfig = AgentConfig.extend({
  bodies: setting('TEST_AGENT_BODIES', 'a file that gets a line each time that a body runs', z.string().min(1)),
  join: setting('TEST_AGENT_JOIN', 'true or false: whether a key that is known is joined', z.boolean().default(true)),
});

// Not one of the shipped services, whose names are the only ones that the kit's types know.
const name = TEST_AGENT as ServiceName;

await runService({
  name,
  config: TestAgentConfig,
  bodyLimitBytes: EXECUTION_REQUEST_BYTES,
  module: (config) =>
    createAgentModule({
      agent: name,
      config,
      actions: testActions(config.bodies),
      ...(config.join ? {} : { registry: new ForgetfulRegistry() }),
    }),
});
