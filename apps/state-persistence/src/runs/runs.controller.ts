import { Controller, Get, Res } from '@nestjs/common';
import { RunId } from '@devmesh/contracts/ids';
import { EventQuery, RunQuery, type EventPage, type RunPage, type RunRecord } from '@devmesh/contracts/state-api';
import { Shutdown } from '@devmesh/service-kit/shutdown/shutdown';
import { ZodParam, ZodQuery } from '@devmesh/service-kit/validation/zod.decorators';
import type { Response } from 'express';
import type { z } from 'zod';
import { requestSignal } from '../http/request-signal.js';
import { RunsService } from './runs.service.js';

@Controller('v1/runs')
export class RunsController {
  constructor(
    private readonly runs: RunsService,
    private readonly shutdown: Shutdown,
  ) {}

  /** A page of runs, newest first. */
  @Get()
  list(@ZodQuery(RunQuery) query: RunQuery): Promise<z.infer<typeof RunPage>> {
    return this.runs.list(query);
  }

  @Get(':runId')
  get(@ZodParam('runId', RunId) runId: RunId): Promise<RunRecord> {
    return this.runs.get(runId);
  }

  /** Events after a number; waits for news when there are none. */
  @Get(':runId/events')
  events(
    @ZodParam('runId', RunId) runId: RunId,
    @ZodQuery(EventQuery) query: z.output<typeof EventQuery>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<z.infer<typeof EventPage>> {
    return this.runs.events(runId, query, requestSignal(response, this.shutdown.signal));
  }
}
