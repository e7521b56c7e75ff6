import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ValidateWorkflow } from '@devmesh/contracts/gateway-api';
import { Plan, PlanRequest, WorkflowCheck, WorkflowList } from '@devmesh/contracts/orchestrator-api';
import { ZodBody } from '@devmesh/service-kit/validation/zod.decorators';
import type { z } from 'zod';
import { Reply } from '../http/reply.decorator.js';
import { OrchestratorPort } from '../upstream/orchestrator.port.js';

@Controller('v1')
export class WorkflowsController {
  constructor(private readonly orchestrator: OrchestratorPort) {}

  @Post('plan')
  @HttpCode(200)
  @Reply(Plan)
  plan(@ZodBody(PlanRequest) body: z.output<typeof PlanRequest>): Promise<Plan> {
    return this.orchestrator.plan(body.task);
  }

  @Post('workflows/validate')
  @HttpCode(200)
  @Reply(WorkflowCheck)
  validate(@ZodBody(ValidateWorkflow) body: z.output<typeof ValidateWorkflow>): Promise<z.infer<typeof WorkflowCheck>> {
    return this.orchestrator.validate(body.source);
  }

  @Get('workflows')
  @Reply(WorkflowList)
  list(): Promise<WorkflowList> {
    return this.orchestrator.workflows();
  }
}
