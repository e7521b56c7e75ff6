import { Controller, Get, Put } from '@nestjs/common';
import { Digest } from '@devmesh/contracts/ids';
import { WorkflowDefinition } from '@devmesh/contracts/workflow';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import { WorkflowsService } from './workflows.service.js';

@Controller('v1/workflows')
export class WorkflowsController {
  constructor(private readonly workflows: WorkflowsService) {}

  @Put(':digest')
  async put(
    @ZodParam('digest', Digest) digest: Digest,
    @ZodBody(WorkflowDefinition) body: WorkflowDefinition,
  ): Promise<Record<string, never>> {
    await this.workflows.put(digest, body);
    return {};
  }

  @Get(':digest')
  get(@ZodParam('digest', Digest) digest: Digest): Promise<WorkflowDefinition> {
    return this.workflows.get(digest);
  }
}
