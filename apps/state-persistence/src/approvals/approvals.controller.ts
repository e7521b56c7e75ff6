import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApprovalQuery, ApprovalVerdict, type ApprovalPage, type ApprovalRecord } from '@devmesh/contracts/approval';
import { ZodBody, ZodParam, ZodQuery } from '@devmesh/service-kit/validation/zod.decorators';
import { z } from 'zod';
import { ApprovalsService } from './approvals.service.js';

const Id = z.uuid();

@Controller('v1/approvals')
export class ApprovalsController {
  constructor(private readonly approvals: ApprovalsService) {}

  /** A page of approvals, oldest first. */
  @Get()
  list(@ZodQuery(ApprovalQuery) query: ApprovalQuery): Promise<ApprovalPage> {
    return this.approvals.list(query);
  }

  @Get(':approvalId')
  get(@ZodParam('approvalId', Id) id: string): Promise<ApprovalRecord> {
    return this.approvals.get(id);
  }

  @Post(':approvalId/verdict')
  @HttpCode(200)
  decide(
    @ZodParam('approvalId', Id) id: string,
    @ZodBody(ApprovalVerdict) body: ApprovalVerdict,
  ): Promise<ApprovalRecord> {
    return this.approvals.decide(id, body);
  }
}
