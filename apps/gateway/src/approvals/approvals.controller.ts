import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApprovalPage, ApprovalRecord } from '@devmesh/contracts/approval';
import { EffectPage } from '@devmesh/contracts/effect';
import { ApprovalListQuery, VerdictBody } from '@devmesh/contracts/gateway-api';
import { RunId } from '@devmesh/contracts/ids';
import { ZodBody, ZodParam, ZodQuery } from '@devmesh/service-kit/validation/zod.decorators';
import { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { Reply } from '../http/reply.decorator.js';
import { ApprovalsService } from './approvals.service.js';

const ApprovalId = z.uuid();

@Controller('v1')
export class ApprovalsController {
  constructor(private readonly approvals: ApprovalsService) {}

  @Get('approvals')
  @Reply(ApprovalPage)
  list(
    @FromCaller() caller: Caller,
    @ZodQuery(ApprovalListQuery) query: z.output<typeof ApprovalListQuery>,
  ): Promise<ApprovalPage> {
    return this.approvals.list(caller, query);
  }

  @Get('approvals/:approvalId')
  @Reply(ApprovalRecord)
  get(@FromCaller() caller: Caller, @ZodParam('approvalId', ApprovalId) id: string): Promise<ApprovalRecord> {
    return this.approvals.get(caller, id);
  }

  @Post('approvals/:approvalId/verdict')
  @HttpCode(200)
  @Reply(ApprovalRecord)
  decide(
    @FromCaller() caller: Caller,
    @ZodParam('approvalId', ApprovalId) id: string,
    @ZodBody(VerdictBody) body: z.output<typeof VerdictBody>,
  ): Promise<ApprovalRecord> {
    return this.approvals.decide(caller, id, body);
  }

  @Get('runs/:runId/effects')
  @Reply(EffectPage)
  effects(@FromCaller() caller: Caller, @ZodParam('runId', RunId) runId: RunId): Promise<z.infer<typeof EffectPage>> {
    return this.approvals.effects(caller, runId);
  }
}
