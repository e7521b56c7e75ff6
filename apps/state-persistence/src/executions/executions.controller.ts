import { Controller, HttpCode, Post } from '@nestjs/common';
import {
  ClaimRequest,
  ClaimResult,
  Heartbeats,
  OrphansRequest,
  type ClaimReply,
  type HeartbeatsReply,
} from '@devmesh/contracts/state-api';
import { ZodBody } from '@devmesh/service-kit/validation/zod.decorators';
import type { z } from 'zod';
import { ExecutionsService } from './executions.service.js';

@Controller('v1/executions')
export class ExecutionsController {
  constructor(private readonly executions: ExecutionsService) {}

  /** Asked before a `once` action acts. */
  @Post('claim')
  @HttpCode(200)
  claim(@ZodBody(ClaimRequest) body: ClaimRequest): Promise<ClaimReply> {
    return this.executions.claim(body);
  }

  /** What came of a claimed execution. */
  @Post('result')
  @HttpCode(200)
  async result(@ZodBody(ClaimResult) body: ClaimResult): Promise<Record<string, never>> {
    await this.executions.recordOutcome(body);
    return {};
  }

  @Post('heartbeats')
  @HttpCode(200)
  async heartbeats(@ZodBody(Heartbeats) body: Heartbeats): Promise<z.infer<typeof HeartbeatsReply>> {
    return { ended: await this.executions.heartbeat(body) };
  }

  @Post('orphans')
  @HttpCode(200)
  async orphans(@ZodBody(OrphansRequest) body: OrphansRequest): Promise<Record<string, never>> {
    await this.executions.orphan(body);
    return {};
  }
}
