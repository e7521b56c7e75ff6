import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';

export interface ArtifactStoreOptions {
  /** Folder of the store; made when it is not there. */
  readonly folder: string;
  /** Largest artifact, bytes. */
  readonly maxBytes: number;
  /** Opens a file for writing that must not exist. For tests that let the disk fail. */
  readonly create?: (path: string) => Promise<Pick<FileHandle, 'write' | 'sync' | 'close'>>;
}

/** An upload that was given up this long ago is removed at start, ms. */
const ABANDONED_MS = 3600_000;

/**
 * Files under the SHA-256 of their content: `aa/bb…`. A file is there wholly or not at all: it is written aside, hashed on
 * the way, brought to disk, and renamed.
 */
export class ArtifactStore {
  constructor(private readonly options: ArtifactStoreOptions) {}

  /** Makes the folders, and removes what uploads that never ended left behind. */
  async prepare(now: number): Promise<void> {
    await mkdir(this.asideFolder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.asideFolder)) {
      const path = join(this.asideFolder, name);
      const found = await stat(path).catch(() => null);
      if (found !== null && now - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true });
    }
  }

  /** Size in bytes; null when it is not there. */
  async size(digest: string): Promise<number | null> {
    const found = await stat(this.pathOf(digest)).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    });
    return found?.size ?? null;
  }

  read(digest: string): ReadStream {
    return createReadStream(this.pathOf(digest));
  }

  /**
   * Stores the bytes of `source` and answers how many they are. Refuses bytes of another digest, and more than the limit;
   * then, as when the disk is full or the sender goes away, nothing is left behind. `record` is called with the size when all
   * is well, and before the file is there: whoever finds the file finds what was recorded.
   */
  async write(
    digest: string,
    source: AsyncIterable<Uint8Array>,
    record: (size: number) => Promise<void> = () => Promise.resolve(),
  ): Promise<number> {
    const aside = join(this.asideFolder, randomUUID());
    try {
      const size = await this.receive(digest, source, aside);
      await record(size);
      const target = this.pathOf(digest);
      await mkdir(join(target, '..'), { recursive: true, mode: 0o700 });
      await rename(aside, target);
      await syncFolder(join(target, '..'));
      return size;
    } catch (error) {
      await rm(aside, { force: true });
      throw storeError(error, this.options.folder);
    }
  }

  /** Removes a file; one that is not there is fine. */
  async remove(digest: string): Promise<void> {
    await rm(this.pathOf(digest), { force: true });
  }

  private async receive(digest: string, source: AsyncIterable<Uint8Array>, path: string): Promise<number> {
    const { create = (name: string) => open(name, 'wx', 0o600), maxBytes } = this.options;
    const hash = createHash('sha256');
    const file = await create(path);
    let size = 0;
    try {
      for await (const chunk of source) {
        size += chunk.length;
        if (size > maxBytes) throw tooLarge(maxBytes);
        hash.update(chunk);
        for (let written = 0; written < chunk.length;) {
          written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
        }
      }
      const actual = hash.digest('hex');
      if (actual !== digest) {
        throw new DevmeshError(
          'invalid_request',
          `the bytes have SHA-256 ${actual}, not ${digest}; nothing was stored`,
        );
      }
      await file.sync();
    } finally {
      await file.close();
    }
    return size;
  }

  private get asideFolder(): string {
    return join(this.options.folder, 'incoming');
  }

  private pathOf(digest: string): string {
    return join(this.options.folder, digest.slice(0, 2), digest.slice(2));
  }
}

export function tooLarge(maxBytes: number): DevmeshError {
  return new DevmeshError(
    'payload_too_large',
    `an artifact has at most ${maxBytes} bytes; leave out what is generated`,
  );
}

/** Makes the rename last through a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function storeError(error: unknown, folder: string): unknown {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new DevmeshError(
        'storage_full',
        `no space is left for artifacts in ${folder}; free some there, then try again`,
        {
          cause: error,
        },
      );
    case 'EACCES':
    case 'EROFS':
      return new DevmeshError('internal', `artifacts can't be written to ${folder}; make it writable for this user`, {
        cause: error,
      });
    case 'ECONNRESET':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return new DevmeshError('invalid_request', 'the upload ended before its body was complete; send it again', {
        cause: error,
      });
    default:
      return error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}
