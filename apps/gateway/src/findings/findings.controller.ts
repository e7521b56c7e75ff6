import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { FindingPage, FindingRecord, RulePrecisionList } from '@devmesh/contracts/finding-fate';
import { FindingVerdictBody } from '@devmesh/contracts/gateway-api';
import { Digest, RunId } from '@devmesh/contracts/ids';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import type { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { Reply } from '../http/reply.decorator.js';
import { FindingsService } from './findings.service.js';

@Controller('v1')
export class FindingsController {
  constructor(private readonly findings: FindingsService) {}

  @Get('rules/precision')
  @Reply(RulePrecisionList)
  precision(@FromCaller() caller: Caller): Promise<RulePrecisionList> {
    return this.findings.precision(caller);
  }

  @Get('runs/:runId/findings')
  @Reply(FindingPage)
  ofRun(@FromCaller() caller: Caller, @ZodParam('runId', RunId) runId: RunId): Promise<FindingPage> {
    return this.findings.ofRun(caller, runId);
  }

  @Post('runs/:runId/findings/:fingerprint/verdict')
  @HttpCode(200)
  @Reply(FindingRecord)
  judge(
    @FromCaller() caller: Caller,
    @ZodParam('runId', RunId) runId: RunId,
    @ZodParam('fingerprint', Digest) fingerprint: Digest,
    @ZodBody(FindingVerdictBody) body: z.output<typeof FindingVerdictBody>,
  ): Promise<FindingRecord> {
    return this.findings.judge(caller, runId, fingerprint, body);
  }
}
