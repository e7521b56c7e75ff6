import { pipeline } from 'node:stream/promises';
import { Controller, Get, Head, Put, Req, Res } from '@nestjs/common';
import { MAX_ARTIFACT_BYTES } from '@devmesh/contracts/artifact';
import { DevmeshError } from '@devmesh/contracts/errors';
import { Digest, RunId } from '@devmesh/contracts/ids';
import type { ArtifactPage, ArtifactStored } from '@devmesh/contracts/state-api';
import { ZodParam } from '@devmesh/service-kit/validation/zod.decorators';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { tooLarge } from './artifact.store.js';
import { ArtifactsService } from './artifacts.service.js';

@Controller('v1')
export class ArtifactsController {
  constructor(private readonly artifacts: ArtifactsService) {}

  /** Takes the bytes as they come; refused unless they have this SHA-256. */
  @Put('artifacts/:digest')
  async put(
    @ZodParam('digest', Digest) digest: Digest,
    @Req() request: Request,
  ): Promise<z.infer<typeof ArtifactStored>> {
    if (request.body !== undefined) {
      throw new DevmeshError(
        'unsupported_media_type',
        'an artifact is sent as application/octet-stream, JSON files too',
      );
    }
    if (Number(request.headers['content-length'] ?? 0) > MAX_ARTIFACT_BYTES) throw tooLarge(MAX_ARTIFACT_BYTES);
    return this.artifacts.put(digest, request);
  }

  /** Whoever is told that it is there need not upload it. */
  @Head('artifacts/:digest')
  async head(@ZodParam('digest', Digest) digest: Digest, @Res() response: Response): Promise<void> {
    describe(response, await this.artifacts.announce(digest));
    response.end();
  }

  @Get('artifacts/:digest')
  async get(@ZodParam('digest', Digest) digest: Digest, @Res() response: Response): Promise<void> {
    describe(response, await this.artifacts.size(digest));
    // When it breaks half-way the connection is cut: the receiver misses bytes, and says so.
    await pipeline(this.artifacts.read(digest), response).catch(() => response.destroy());
  }

  @Get('runs/:runId/artifacts')
  async ofRun(@ZodParam('runId', RunId) runId: RunId): Promise<z.infer<typeof ArtifactPage>> {
    return { items: await this.artifacts.ofRun(runId) };
  }
}

function describe(response: Response, size: number): void {
  response.set({ 'content-type': 'application/octet-stream', 'content-length': String(size) });
}
