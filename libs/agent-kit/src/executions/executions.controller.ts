import { Controller, Delete, Get, Post, Req, Res } from '@nestjs/common';
import { DevmeshError } from '@devmesh/contracts/errors';
import { EXECUTION_HEADERS, ExecutionRequest, type ExecutionReply } from '@devmesh/contracts/execution';
import { ExecutionKey } from '@devmesh/contracts/ids';
import { ZodBody, ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import type { Request, Response } from 'express';
import { Executions } from './executions.service.js';
import { parsePreferWait } from './prefer.js';

/** The agent contract. The key travels in paths with its slashes encoded. */
@Controller('v1/executions')
export class ExecutionsController {
  constructor(private readonly executions: Executions) {}

  /** 200 with the outcome, or 202 when it takes longer than the caller waits. */
  @Post()
  async execute(
    @ZodBody(ExecutionRequest) body: ExecutionRequest,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (request.headers[EXECUTION_HEADERS.idempotencyKey] !== body.key) {
      throw new DevmeshError('invalid_request', 'the header Idempotency-Key must be the key in the body');
    }
    const gone = new AbortController();
    const left = (): void => gone.abort();
    response.once('close', left);
    try {
      answer(
        response,
        await this.executions.execute(body, parsePreferWait(request.headers[EXECUTION_HEADERS.prefer]), gone.signal),
      );
    } finally {
      response.off('close', left);
    }
  }

  @Get(':key')
  get(@ZodParam('key', ExecutionKey) key: ExecutionKey): ExecutionReply {
    return this.executions.get(key);
  }

  /** 200 when it is over, 202 while its code still runs. */
  @Delete(':key')
  cancel(@ZodParam('key', ExecutionKey) key: ExecutionKey, @Res() response: Response): void {
    answer(response, this.executions.cancel(key));
  }
}

function answer(response: Response, reply: ExecutionReply): void {
  response.status(reply.outcome === null ? 202 : 200).json(reply);
}
