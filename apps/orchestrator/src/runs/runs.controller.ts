import { Controller, HttpCode, Post } from '@nestjs/common';
import { ForkRun } from '@devmesh/contracts/fork';
import { RunId } from '@devmesh/contracts/ids';
import { CancelRun, PauseRun, ResumeRun, SubmitRun } from '@devmesh/contracts/orchestrator-api';
import { PreviewRun } from '@devmesh/contracts/run-preview';
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

  /** What a submit would do; stores and starts nothing. */
  @Post('preview')
  @HttpCode(200)
  preview(@ZodBody(PreviewRun) body: z.output<typeof PreviewRun>) {
    return this.runs.preview(body);
  }

  /** A new run that goes on from this one. */
  @Post(':runId/fork')
  @HttpCode(202)
  fork(@ZodParam('runId', RunId) runId: RunId, @ZodBody(ForkRun) body: z.output<typeof ForkRun>) {
    return this.runs.fork(runId, body);
  }

  /** Cancels a run. */
  @Post(':runId/cancel')
  @HttpCode(202)
  cancel(@ZodParam('runId', RunId) runId: RunId, @ZodBody(CancelRun) body: z.output<typeof CancelRun>) {
    return this.runs.cancel(runId, body.by, body.reason);
  }

  /** Starts nothing new until the run is resumed. */
  @Post(':runId/pause')
  @HttpCode(202)
  pause(@ZodParam('runId', RunId) runId: RunId, @ZodBody(PauseRun) body: z.output<typeof PauseRun>) {
    return this.runs.pause(runId, body.by, body.reason);
  }

  /** Wakes a stuck run, and lets a paused one go on. */
  @Post(':runId/resume')
  @HttpCode(202)
  async resume(@ZodParam('runId', RunId) runId: RunId, @ZodBody(ResumeRun) body: z.output<typeof ResumeRun>) {
    await this.runs.resume(runId, body.by);
    return { runId };
  }
}
