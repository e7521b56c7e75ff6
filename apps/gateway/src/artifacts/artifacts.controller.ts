import { Controller, Get, Put, Req, Res } from '@nestjs/common';
import { Digest } from '@devmesh/contracts/ids';
import { ArtifactStored } from '@devmesh/contracts/state-api';
import { ZodParam, ZodQuery } from '@devmesh/service-kit/validation/zod.decorators';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { FromCaller } from '../api-keys/caller.decorator.js';
import type { Caller } from '../api-keys/caller.js';
import { Reply } from '../http/reply.decorator.js';
import { ArtifactQuery } from './artifact-query.js';
import { ArtifactsService } from './artifacts.service.js';

@Controller('v1/artifacts/:digest')
export class ArtifactsController {
  constructor(private readonly artifacts: ArtifactsService) {}

  @Put()
  @Reply(ArtifactStored)
  upload(
    @FromCaller() caller: Caller,
    @ZodParam('digest', Digest) digest: Digest,
    @Req() request: Request,
  ): Promise<z.infer<typeof ArtifactStored>> {
    return this.artifacts.upload(caller, digest, request);
  }

  /** HEAD comes here too. */
  @Get()
  download(
    @FromCaller() caller: Caller,
    @ZodParam('digest', Digest) digest: Digest,
    @ZodQuery(ArtifactQuery) query: z.output<typeof ArtifactQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    return this.artifacts.download(caller, digest, query.run, request, response);
  }
}
