import { Controller, Get } from '@nestjs/common';
import { AgentRegistry } from './agent-registry.js';

@Controller('v1/agents')
export class AgentsController {
  constructor(private readonly registry: AgentRegistry) {}

  /** The agents, and who of them answers. */
  @Get()
  list() {
    return { items: this.registry.list() };
  }
}
