import { Controller, Headers, HttpCode, Post, Res } from '@nestjs/common';
import { ForkBody, RerunBody, type ForkRun } from '@devmesh/contracts/fork';
import { RunView } from '@devmesh/contracts/gateway-api';
import { RunId } from '@devmesh/contracts/ids';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import type { Response } from 'express';
import type { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { Reply } from '../http/reply.decorator.js';
import { idempotencyKey } from '../runs/request-hash.js';
import { ForksService } from './forks.service.js';

@Controller('v1/runs/:runId')
export class ForksController {
  constructor(private readonly forks: ForksService) {}

  @Post('retry')
  @HttpCode(202)
  @Reply(RunView)
  retry(
    @FromCaller() caller: Caller,
    @ZodParam('runId', RunId) runId: RunId,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RunView> {
    return this.#fork(caller, runId, { kind: 'retry', from: null, at: null, input: null }, key, response);
  }

  @Post('rerun')
  @HttpCode(202)
  @Reply(RunView)
  rerun(
    @FromCaller() caller: Caller,
    @ZodParam('runId', RunId) runId: RunId,
    @ZodBody(RerunBody) { from }: z.output<typeof RerunBody>,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RunView> {
    return this.#fork(caller, runId, { kind: 'rerun', from, at: null, input: null }, key, response);
  }

  @Post('fork')
  @HttpCode(202)
  @Reply(RunView)
  fork(
    @FromCaller() caller: Caller,
    @ZodParam('runId', RunId) runId: RunId,
    @ZodBody(ForkBody) { from, at, input }: z.output<typeof ForkBody>,
    @Headers('idempotency-key') key: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RunView> {
    return this.#fork(caller, runId, { kind: 'fork', from, at: at ?? null, input }, key, response);
  }

  async #fork(
    caller: Caller,
    runId: RunId,
    what: Pick<ForkRun, 'kind' | 'from' | 'at' | 'input'>,
    key: string | undefined,
    response: Response,
  ): Promise<RunView> {
    const view = await this.forks.fork(caller, runId, what, idempotencyKey(key));
    response.location(`/v1/runs/${view.id}`);
    return view;
  }
}
