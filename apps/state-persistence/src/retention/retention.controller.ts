import { Controller, HttpCode, Post } from '@nestjs/common';
import { PruneRequest, type PruneReply } from '@devmesh/contracts/retention';
import { ZodBody } from '@devmesh/service-kit/validation/zod.decorators';
import { RetentionService } from './retention.service.js';

@Controller('v1/runs/prune')
export class RetentionController {
  constructor(private readonly retention: RetentionService) {}

  /** Removes detail earlier than the configuration would, or says how much it is. */
  @Post()
  @HttpCode(200)
  prune(@ZodBody(PruneRequest) body: PruneRequest): Promise<PruneReply> {
    return this.retention.prune(body);
  }
}
