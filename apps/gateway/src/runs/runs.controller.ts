import { Controller, Get, Headers, HttpCode, Post, Res } from '@nestjs/common';
import {
  ArtifactList,
  CancelBody,
  CreateRun,
  PauseBody,
  RunList,
  RunListQuery,
  RunView,
  RunViewQuery,
} from '@devmesh/contracts/gateway-api';
import { RunId } from '@devmesh/contracts/ids';
import { RunPreview } from '@devmesh/contracts/run-preview';
import { ZodBody, ZodParam, ZodQuery } from '@devmesh/service-kit/validation/zod.decorators';
import type { Response } from 'express';
import type { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { Reply } from '../http/reply.decorator.js';
import { untilClosed } from '../http/until-closed.js';
import { idempotencyKey } from './request-hash.js';
import { RunsService } from './runs.service.js';

@Controller('v1/runs')
export class RunsController {
  constructor(private readonly runs: RunsService) {}

  @Post()
  @HttpCode(202)
  @Reply(RunView)
  async create(
    @FromCaller() caller: Caller,
    @ZodBody(CreateRun) body: z.output<typeof CreateRun>,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RunView> {
    const view = await this.runs.create(caller, body, idempotencyKey(key), untilClosed(response));
    response.location(`/v1/runs/${view.id}`);
    return view;
  }

  @Post('preview')
  @HttpCode(200)
  @Reply(RunPreview)
  preview(@ZodBody(CreateRun) body: z.output<typeof CreateRun>): Promise<RunPreview> {
    return this.runs.preview(body);
  }

  @Get()
  @Reply(RunList)
  list(
    @FromCaller() caller: Caller,
    @ZodQuery(RunListQuery) query: z.output<typeof RunListQuery>,
  ): Promise<z.infer<typeof RunList>> {
    return this.runs.list(caller, query);
  }

  @Get(':runId')
  @Reply(RunView)
  view(
    @FromCaller() caller: Caller,
    @ZodParam('runId', RunId) runId: RunId,
    @ZodQuery(RunViewQuery) query: z.output<typeof RunViewQuery>,
  ): Promise<RunView> {
    return this.runs.view(caller, runId, query.at);
  }

  @Post(':runId/cancel')
  @HttpCode(202)
  @Reply(RunView)
  cancel(
    @FromCaller() caller: Caller,
    @ZodParam('runId', RunId) runId: RunId,
    @ZodBody(CancelBody) body: z.output<typeof CancelBody>,
  ): Promise<RunView> {
    return this.runs.cancel(caller, runId, body.reason);
  }

  @Post(':runId/pause')
  @HttpCode(202)
  @Reply(RunView)
  pause(
    @FromCaller() caller: Caller,
    @ZodParam('runId', RunId) runId: RunId,
    @ZodBody(PauseBody) body: z.output<typeof PauseBody>,
  ): Promise<RunView> {
    return this.runs.pause(caller, runId, body.reason);
  }

  @Post(':runId/resume')
  @HttpCode(202)
  @Reply(RunView)
  resume(@FromCaller() caller: Caller, @ZodParam('runId', RunId) runId: RunId): Promise<RunView> {
    return this.runs.resume(caller, runId);
  }

  @Get(':runId/artifacts')
  @Reply(ArtifactList)
  artifacts(
    @FromCaller() caller: Caller,
    @ZodParam('runId', RunId) runId: RunId,
  ): Promise<z.infer<typeof ArtifactList>> {
    return this.runs.listArtifacts(caller, runId);
  }
}
