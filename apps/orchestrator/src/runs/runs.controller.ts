import { Controller, HttpCode, Post } from '@nestjs/common';
import { RunId } from '@devmesh/contracts/ids';
import { CancelRun, SubmitRun } from '@devmesh/contracts/orchestrator-api';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import type { z } from 'zod';
import { RunsService } from './runs.service.js';

@Controller('v1/runs')
export class RunsController {
  constructor(private readonly runs: RunsService) {}

  /** Submits a run. */
  @Post()
  @HttpCode(202)
  submit(@ZodBody(SubmitRun) body: z.output<typeof SubmitRun>) {
    return this.runs.submit(body);
  }

  /** Cancels a run. */
  @Post(':runId/cancel')
  @HttpCode(202)
  cancel(@ZodParam('runId', RunId) runId: RunId, @ZodBody(CancelRun) body: z.output<typeof CancelRun>) {
    return this.runs.cancel(runId, body.by, body.reason);
  }

  /** Wakes a run, a stuck one too. */
  @Post(':runId/resume')
  @HttpCode(202)
  async resume(@ZodParam('runId', RunId) runId: RunId) {
    await this.runs.resume(runId);
    return { runId };
  }
}
