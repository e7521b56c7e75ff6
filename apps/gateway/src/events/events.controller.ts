import { Controller, Get, Req, Res } from '@nestjs/common';
import { RunId } from '@devmesh/contracts/ids';
import { ZodParam, ZodQuery } from '@devmesh/service-kit/validation/zod.decorators';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { EventsQuery } from './events-query.js';
import { EventsService } from './events.service.js';

@Controller('v1/runs/:runId/events')
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Get()
  watch(
    @FromCaller() caller: Caller,
    @ZodParam('runId', RunId) runId: RunId,
    @ZodQuery(EventsQuery) query: z.output<typeof EventsQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.events.answer(caller, runId, query, request, response);
  }
}
