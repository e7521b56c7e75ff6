import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import {
  FindingVerdict,
  SeenFindings,
  type FindingHistory,
  type FindingPage,
  type FindingRecord,
  type RulePrecisionList,
} from '@devmesh/contracts/finding-fate';
import { Digest, RunId } from '@devmesh/contracts/ids';
import { ZodBody, ZodParam, ZodQuery } from '@devmesh/service-kit/validation/zod.decorators';
import { z } from 'zod';
import { FindingsService } from './findings.service.js';

const OfProject = z.object({ projectId: z.string().max(64) });

@Controller('v1')
export class FindingsController {
  constructor(private readonly findings: FindingsService) {}

  @Get('findings/precision')
  precision(@ZodQuery(OfProject) query: z.infer<typeof OfProject>): Promise<RulePrecisionList> {
    return this.findings.precision(query.projectId);
  }

  @Get('runs/:runId/findings')
  ofRun(@ZodParam('runId', RunId) runId: RunId): Promise<FindingPage> {
    return this.findings.ofRun(runId);
  }

  @Post('runs/:runId/findings')
  @HttpCode(200)
  async record(@ZodParam('runId', RunId) runId: RunId, @ZodBody(SeenFindings) body: SeenFindings): Promise<object> {
    await this.findings.record(runId, body);
    return {};
  }

  /** What people have said, for a review of the run's repository. */
  @Get('runs/:runId/findings/history')
  history(@ZodParam('runId', RunId) runId: RunId): Promise<FindingHistory> {
    return this.findings.history(runId);
  }

  @Post('runs/:runId/findings/:fingerprint/verdict')
  @HttpCode(200)
  judge(
    @ZodParam('runId', RunId) runId: RunId,
    @ZodParam('fingerprint', Digest) fingerprint: Digest,
    @ZodBody(FindingVerdict) body: FindingVerdict,
  ): Promise<FindingRecord> {
    return this.findings.judge(runId, fingerprint, body);
  }
}
