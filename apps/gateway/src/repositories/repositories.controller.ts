import { Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ImportRepository } from '@devmesh/contracts/gateway-api';
import { RunRepository } from '@devmesh/contracts/run';
import { ZodBody } from '@devmesh/service-kit/validation/zod.decorators';
import type { Response } from 'express';
import type { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { Reply } from '../http/reply.decorator.js';
import { untilClosed } from '../http/until-closed.js';
import { RepositoryImportService } from './repository-import.service.js';

@Controller('v1/repositories')
export class RepositoriesController {
  constructor(private readonly imports: RepositoryImportService) {}

  @Post()
  @HttpCode(200)
  @Reply(RunRepository)
  import(
    @FromCaller() caller: Caller,
    @ZodBody(ImportRepository) body: z.output<typeof ImportRepository>,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RunRepository> {
    return this.imports.import(caller, body, untilClosed(response));
  }
}
