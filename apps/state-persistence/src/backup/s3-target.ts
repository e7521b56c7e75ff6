import { createWriteStream, openAsBlob } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DevmeshError } from '@devmesh/contracts/errors';
import axios from 'axios';
import { S3mini } from 's3mini';
import type { BackupTarget } from './backup-target.js';

export interface S3Credentials {
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
}

/** A part of an upload is sent again on its own when it fails, and needs this much memory four times. */
const PART_BYTES = 8 * 1024 * 1024;

/** A part that takes longer has lost its connection, ms. */
const REQUEST_TIMEOUT_MS = 600_000;

/** A bucket of an S3-compatible store, or a prefix in it. */
export class S3Target implements BackupTarget {
  readonly #store: S3mini;
  readonly #prefix: string;
  readonly name: string;

  private constructor(name: string, store: S3mini, prefix: string) {
    this.name = name;
    this.#store = store;
    this.#prefix = prefix;
  }

  /** `place`: `https://ENDPOINT/BUCKET[/PREFIX][?region=REGION]`; the region is us-east-1 where none is said. */
  static at(place: string, { accessKeyId, secretAccessKey }: S3Credentials): S3Target {
    const url = new URL(place);
    if (url.username !== '' || url.password !== '')
      throw new DevmeshError(
        'invalid_request',
        `the backup target at ${url.host} has credentials in its address: set DEVMESH_BACKUP_S3_ACCESS_KEY_ID and DEVMESH_BACKUP_S3_SECRET_ACCESS_KEY_FILE instead`,
      );
    const [bucket = '', ...prefix] = url.pathname.split('/').filter((part) => part !== '');
    if (bucket === '')
      throw new DevmeshError('invalid_request', `${place} names no bucket: say ${url.origin}/BUCKET/PREFIX`);
    if (!accessKeyId || !secretAccessKey)
      throw new DevmeshError(
        'invalid_request',
        `the backup target ${url.host}/${bucket} wants credentials: set DEVMESH_BACKUP_S3_ACCESS_KEY_ID and DEVMESH_BACKUP_S3_SECRET_ACCESS_KEY_FILE`,
      );
    const store = new S3mini({
      endpoint: `${url.origin}/${bucket}`,
      region: url.searchParams.get('region') ?? 'us-east-1',
      accessKeyId,
      secretAccessKey,
      minPartSize: PART_BYTES,
      requestAbortTimeout: REQUEST_TIMEOUT_MS,
    });
    return new S3Target(
      `${url.origin}/${[bucket, ...prefix].join('/')}`,
      store,
      prefix.map((part) => `${part}/`).join(''),
    );
  }

  async list(): Promise<string[]> {
    const found = await this.#call('list', () => this.#store.listObjects('/', this.#prefix));
    if (found === null) throw new DevmeshError('not_found', `${this.name} is no bucket: create it, or name another`);
    return found.map(({ Key }) => Key.slice(this.#prefix.length)).filter((name) => !name.includes('/'));
  }

  async put(name: string, path: string): Promise<void> {
    const blob = await openAsBlob(path);
    await this.#call('put', () => this.#store.putAnyObject(`${this.#prefix}${name}`, blob));
    const stored = await this.#call('look at', () => this.#store.getContentLength(`${this.#prefix}${name}`));
    if (stored !== blob.size)
      throw new DevmeshError('bad_reply', `${this.name} kept ${stored} of the ${blob.size} bytes of ${name}`);
  }

  async get(name: string, path: string): Promise<void> {
    await this.#call('get', async () => {
      const { status, data } = await this.#read(`${this.#prefix}${name}`);
      if (status !== 200) {
        data.destroy();
        if (status === 404) throw new DevmeshError('not_found', `there is no ${name} in ${this.name}`);
        throw Object.assign(new Error(`it answered ${status}`), { status });
      }
      await pipeline(data, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    });
  }

  async remove(name: string): Promise<void> {
    await this.#call('remove from', () => this.#store.deleteObject(`${this.#prefix}${name}`));
  }

  /** Not by `fetch`, as the rest: in Node 24 the whole process ends when a server closes a connection whose reader is slower than it. */
  async #read(key: string): Promise<{ status: number; data: Readable }> {
    const url = await this.#store.getPresignedUrl('GET', key, REQUEST_TIMEOUT_MS / 1000);
    try {
      return await axios.get<Readable>(url, {
        responseType: 'stream',
        validateStatus: () => true,
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        maxRedirects: 0,
        proxy: false,
      });
    } catch (error) {
      // What axios throws has the signed address in it.
      throw new Error((error as Error).message);
    }
  }

  /** A failure as the store tells it, without what was sent. */
  async #call<T>(verb: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof DevmeshError) throw error;
      const { message, serviceCode, status } = error as Error & { serviceCode?: string; status?: number };
      const why = serviceCode ?? message;
      throw new DevmeshError(
        status === 403 ? 'forbidden' : 'unavailable',
        `could not ${verb} ${this.name} (${why}): check the address, the bucket and its credentials`,
        { cause: error },
      );
    }
  }
}
