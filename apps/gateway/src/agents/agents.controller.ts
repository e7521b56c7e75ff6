import { Controller, Get } from '@nestjs/common';
import { AgentList } from '@devmesh/contracts/orchestrator-api';
import { Reply } from '../http/reply.decorator.js';
import { OrchestratorPort } from '../upstream/orchestrator.port.js';

@Controller('v1/agents')
export class AgentsController {
  constructor(private readonly orchestrator: OrchestratorPort) {}

  @Get()
  @Reply(AgentList)
  list(): Promise<AgentList> {
    return this.orchestrator.agents();
  }
}
