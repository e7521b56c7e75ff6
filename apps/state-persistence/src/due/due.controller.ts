import { Controller, HttpCode, Post, Res } from '@nestjs/common';
import { RunId } from '@devmesh/contracts/ids';
import {
  DueRequest,
  RecoverRequest,
  TurnFailure,
  type DueReply,
  type RecoverReply,
  type RunRecord,
  type TurnFailureReply,
} from '@devmesh/contracts/state-api';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import type { Response } from 'express';
import type { z } from 'zod';
import { requestSignal } from '../http/request-signal.js';
import { RunsService } from '../runs/runs.service.js';
import { DueService } from './due.service.js';

@Controller('v1/runs')
export class DueController {
  constructor(
    private readonly due: DueService,
    private readonly runs: RunsService,
    private readonly shutdown: Shutdown,
  ) {}

  /** Runs whose wake time has come; waits for one. */
  @Post('due')
  @HttpCode(200)
  async poll(
    @ZodBody(DueRequest) body: z.infer<typeof DueRequest>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof DueReply>> {
    return { runs: await this.due.poll(body, requestSignal(response, this.shutdown.signal)) };
  }

  /** An orchestrator has started again: its unended runs are due now. */
  @Post('recover')
  @HttpCode(200)
  async recover(@ZodBody(RecoverRequest) body: z.infer<typeof RecoverRequest>): Promise<z.infer<typeof RecoverReply>> {
    return { runs: await this.due.recover(body.owner) };
  }

  @Post(':runId/turn-failures')
  @HttpCode(200)
  turnFailed(
    @ZodParam('runId', RunId) runId: RunId,
    @ZodBody(TurnFailure) { epoch, error }: z.infer<typeof TurnFailure>,
  ): Promise<z.infer<typeof TurnFailureReply>> {
    return this.due.turnFailed(runId, epoch, error);
  }

  /** Makes a run due at once, a stuck one too. */
  @Post(':runId/resume')
  @HttpCode(200)
  async resume(@ZodParam('runId', RunId) runId: RunId): Promise<RunRecord> {
    await this.due.resume(runId);
    return this.runs.get(runId);
  }
}
