import { Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { RunView } from '@devmesh/contracts/gateway-api';
import { RunId } from '@devmesh/contracts/ids';
import { RunExport } from '@devmesh/contracts/run-export';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import type { Response } from 'express';
import type { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { Reply } from '../http/reply.decorator.js';
import { ExportsService } from './exports.service.js';

@Controller('v1/runs')
export class ExportsController {
  constructor(private readonly exports: ExportsService) {}

  @Get(':runId/export')
  @Reply(RunExport)
  export(@FromCaller() caller: Caller, @ZodParam('runId', RunId) runId: RunId): Promise<RunExport> {
    return this.exports.export(caller, runId);
  }

  @Post('import')
  @HttpCode(202)
  @Reply(RunView)
  async import(
    @FromCaller() caller: Caller,
    @ZodBody(RunExport) body: z.output<typeof RunExport>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RunView> {
    const view = await this.exports.import(caller, body);
    response.location(`/v1/runs/${view.id}`);
    return view;
  }
}
