import { Controller, HttpCode, Post } from '@nestjs/common';
import { Batch, type BatchReply } from '@devmesh/contracts/state-api';
import { ZodBody } from '@devmesh/service-kit/validation/zod.decorators';
import type { z } from 'zod';
import { BatchService } from './batch.service.js';

@Controller('v1/batch')
export class BatchController {
  constructor(private readonly batch: BatchService) {}

  /** Create, acquire, append and park: one transaction, a result per op. */
  @Post()
  @HttpCode(200)
  async run(@ZodBody(Batch) body: Batch): Promise<z.infer<typeof BatchReply>> {
    return { results: await this.batch.run(body.ops) };
  }
}
