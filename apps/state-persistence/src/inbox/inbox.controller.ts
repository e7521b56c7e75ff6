import { Controller, HttpCode, Post } from '@nestjs/common';
import { RunId } from '@devmesh/contracts/ids';
import { InboxPost, type InboxPosted } from '@devmesh/contracts/state-api';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import { InboxService } from './inbox.service.js';

@Controller('v1/runs/:runId/inbox')
export class InboxController {
  constructor(private readonly inbox: InboxService) {}

  /** A result, a cancel, a wake: what others than its owner tell a run. */
  @Post()
  @HttpCode(200)
  post(@ZodParam('runId', RunId) runId: RunId, @ZodBody(InboxPost) body: InboxPost): Promise<InboxPosted> {
    return this.inbox.post(runId, body);
  }
}
