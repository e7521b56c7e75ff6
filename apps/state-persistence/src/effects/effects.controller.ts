import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { EffectClaim, EffectResult, type EffectClaimReply, type EffectPage } from '@devmesh/contracts/effect';
import { RunId } from '@devmesh/contracts/ids';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import type { z } from 'zod';
import { EffectsService } from './effects.service.js';

@Controller('v1')
export class EffectsController {
  constructor(private readonly effects: EffectsService) {}

  /** Asked before an act. */
  @Post('effects/claim')
  @HttpCode(200)
  claim(@ZodBody(EffectClaim) body: EffectClaim): Promise<EffectClaimReply> {
    return this.effects.claim(body);
  }

  /** What came of a claim. */
  @Post('effects/result')
  @HttpCode(200)
  async record(@ZodBody(EffectResult) body: EffectResult): Promise<Record<string, never>> {
    await this.effects.record(body);
    return {};
  }

  @Get('runs/:runId/effects')
  async list(@ZodParam('runId', RunId) runId: RunId): Promise<z.infer<typeof EffectPage>> {
    return { items: await this.effects.list(runId) };
  }
}
