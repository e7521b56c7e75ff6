import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MAX_ARTIFACT_BYTES } from '@devmesh/contracts/artifact';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Digest } from '@devmesh/contracts/ids';
import { ArtifactStored } from '@devmesh/contracts/state-api';
import type { z } from 'zod';
import type { CallOptions, ServiceCaller } from './http/service-caller.js';
import { toTransportError } from './http/transport-error.js';
import { pathOf } from './path.js';

/** Digest and size in bytes of stored content. */
export type Stored = z.infer<typeof ArtifactStored>;

/** Bytes, or a file with them. */
export type ArtifactContent = Buffer | Uint8Array | { readonly file: string };

/** An upload is one attempt of this length at most, ms. */
const UPLOAD_TIMEOUT_MS = 20 * 60_000;

/** SHA-256 and size of some content; a file is read once, as a stream. */
export async function digestOf(content: ArtifactContent): Promise<Stored> {
  const hash = createHash('sha256');
  if (content instanceof Uint8Array) return { digest: hash.update(content).digest('hex'), size: content.byteLength };
  let size = 0;
  for await (const chunk of createReadStream(content.file)) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { digest: hash.digest('hex'), size };
}

/** Stores content under its digest, however often. Throws `payload_too_large` before anything is sent. */
export async function upload(
  caller: ServiceCaller,
  content: ArtifactContent,
  options: CallOptions = {},
): Promise<Stored> {
  const known = await digestOf(content);
  if (known.size > MAX_ARTIFACT_BYTES) {
    throw new DevmeshError(
      'payload_too_large',
      `the artifact has ${known.size} bytes: at most ${MAX_ARTIFACT_BYTES} are stored`,
    );
  }
  const request = {
    method: 'PUT',
    path: pathOf`/v1/artifacts/${known.digest}`,
    content: () =>
      content instanceof Uint8Array
        ? Buffer.from(content.buffer, content.byteOffset, content.byteLength)
        : createReadStream(content.file),
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(known.size) },
    timeoutMs: UPLOAD_TIMEOUT_MS,
    ...options,
  } as const;
  return caller.call(request, ArtifactStored);
}

/** The content of a digest, in memory. Throws `not_found`, `gone`, `payload_too_large` over `maxBytes`, `bad_reply` for other bytes. */
export async function download(
  caller: ServiceCaller,
  digest: Digest,
  maxBytes: number,
  options: CallOptions = {},
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const body = await open(caller, digest, options);
  await checked(digest, body, async (bytes) => {
    for await (const chunk of bytes) {
      size += chunk.length;
      if (size > maxBytes)
        throw new DevmeshError(
          'payload_too_large',
          `artifact ${digest} has more than ${maxBytes} bytes: take it as a file`,
        );
      chunks.push(chunk);
    }
  });
  return Buffer.concat(chunks);
}

/** As `download`, into a file that appears at `target` only when it is whole. */
export async function downloadFile(
  caller: ServiceCaller,
  digest: Digest,
  target: string,
  options: CallOptions = {},
): Promise<number> {
  const partial = `${target}.${randomUUID()}.partial`;
  try {
    const body = await open(caller, digest, options);
    await checked(digest, body, (bytes) => pipeline(bytes, createWriteStream(partial, { mode: 0o600 })));
    await rename(partial, target);
    return (await stat(target)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    throw new DevmeshError('storage_full', `no space left for artifact ${digest}: free some`);
  } finally {
    await rm(partial, { force: true });
  }
}

function open(caller: ServiceCaller, digest: Digest, options: CallOptions): Promise<Readable> {
  return caller.stream({
    method: 'GET',
    path: pathOf`/v1/artifacts/${digest}`,
    headers: { accept: '*/*' },
    ...options,
  });
}

async function checked(
  digest: Digest,
  body: Readable,
  consume: (bytes: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> {
  const hash = createHash('sha256');
  const hashing = async function* (bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of bytes) {
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    await pipeline(body, hashing, consume);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || !BROKEN.test(code)) throw error;
    throw toTransportError(error, `GET artifact ${digest}`, false);
  }
  if (hash.digest('hex') === digest) return;
  throw new DevmeshError('bad_reply', `artifact ${digest} arrived with other content: fetch it again`, {
    retryable: true,
  });
}

/** Codes of a connection that ended too early, as against those of the disk. */
const BROKEN = /^(UND_ERR|ECONN|EPIPE|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE|ABORT_ERR)/;
