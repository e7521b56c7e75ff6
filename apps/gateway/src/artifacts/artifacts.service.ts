import { pipeline } from 'node:stream/promises';
import { MAX_ARTIFACT_BYTES } from '@devmesh/contracts/artifact';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Digest, RunId } from '@devmesh/contracts/ids';
import type { ArtifactStored } from '@devmesh/contracts/state-api';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import type { Caller } from '../api-keys/caller.js';
import { untilClosed } from '../http/until-closed.js';
import type { StatePort } from '../upstream/state.port.js';
import type { ArtifactAccessService } from './artifact-access.service.js';

/** Passes artifacts through, both ways, without holding more of one than a chunk. */
export class ArtifactsService {
  constructor(
    private readonly state: Pick<StatePort, 'artifact' | 'artifactSize' | 'storeArtifact'>,
    private readonly access: ArtifactAccessService,
  ) {}

  /** Stores the request's body. state-persistence refuses it unless it has that digest. */
  async upload(caller: Caller, digest: Digest, request: Request): Promise<z.infer<typeof ArtifactStored>> {
    if (request.body !== undefined) {
      throw new DevmeshError('unsupported_media_type', 'an artifact is sent as plain bytes: application/octet-stream');
    }
    const size = contentLength(request.headers['content-length']);
    if (size !== undefined && size > MAX_ARTIFACT_BYTES) {
      throw new DevmeshError(
        'payload_too_large',
        `an artifact has at most ${MAX_ARTIFACT_BYTES} bytes and this one has ${size}`,
      );
    }
    const stored = await this.state.storeArtifact(digest, request, size);
    this.access.grant(caller.projectId, [digest]);
    return stored;
  }

  /** Sends the artifact's bytes, or for a HEAD what they would be. Always as a file to keep, never as a page to show. */
  async download(
    caller: Caller,
    digest: Digest,
    runId: RunId | undefined,
    request: Request,
    response: Response,
  ): Promise<void> {
    await this.access.assertReadable(caller.projectId, digest, runId);
    if (request.method === 'HEAD') {
      head(response, digest, await this.state.artifactSize(digest));
      response.end();
      return;
    }
    const { size, body } = await this.state.artifact(digest, untilClosed(response));
    head(response, digest, size);
    // A break on either side breaks the other. The head is out by then: a body that ends too early is all that can tell.
    await pipeline(body, response).catch(() => undefined);
  }

  /** The text of an artifact of a run. Throws `payload_too_large` when it has more than `limit` bytes. */
  async text(caller: Caller, digest: Digest, runId: RunId, limit: number, signal: AbortSignal): Promise<string> {
    await this.access.assertReadable(caller.projectId, digest, runId);
    const { body } = await this.state.artifact(digest, signal);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limit) throw new DevmeshError('payload_too_large', tooLong(digest, runId, limit));
    }
    return Buffer.concat(chunks).toString();
  }
}

function tooLong(digest: Digest, runId: RunId, limit: number): string {
  return `it has more than ${limit} bytes: download it from /v1/artifacts/${digest}?run=${runId}`;
}

function head(response: Response, digest: Digest, size: number | undefined): void {
  if (size !== undefined) response.set('content-length', String(size));
  response.status(200).set({
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename="${digest}"`,
    'content-security-policy': "default-src 'none'; sandbox",
    // The address is the content's digest: it never changes. Not for shared caches, which know no keys.
    'cache-control': 'private, max-age=31536000, immutable',
    etag: `"${digest}"`,
  });
}

function contentLength(header: string | undefined): number | undefined {
  return header === undefined ? undefined : Number(header);
}
