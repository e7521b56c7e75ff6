import { Controller, HttpCode, Post } from '@nestjs/common';
import { PruneBody, PruneReply } from '@devmesh/contracts/retention';
import { ZodBody } from '@devmesh/service-kit/validation/zod.decorators';
import type { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { Reply } from '../http/reply.decorator.js';
import { RetentionService } from './retention.service.js';

@Controller('v1/runs/prune')
export class RetentionController {
  constructor(private readonly retention: RetentionService) {}

  @Post()
  @HttpCode(200)
  @Reply(PruneReply)
  prune(@FromCaller() caller: Caller, @ZodBody(PruneBody) body: z.output<typeof PruneBody>): Promise<PruneReply> {
    return this.retention.prune(caller, body);
  }
}
