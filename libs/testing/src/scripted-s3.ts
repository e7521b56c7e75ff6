import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A scripted stand-in for an S3 server, on the loopback: put, get, head, delete and list of one bucket, and uploads in parts. It looks
 * at who asks (the access key), not at the signature. Never S3: what a real server makes of the same calls is shown against one.
 */
export class ScriptedS3 {
  readonly credentials = { accessKeyId: 'scripted', secretAccessKey: 'secret of a scripted store' };
  readonly objects = new Map<string, Buffer>();
  /** Asked for each call (`PUT key`); a status refuses it. */
  disturb: (call: string) => number | undefined = () => undefined;
  readonly #parts = new Map<string, Map<number, Buffer>>();
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  constructor(readonly bucket = 'backups') {}

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://s3');
    const [bucket = '', ...rest] = decodeURIComponent(pathname).slice(1).split('/');
    const key = rest.join('/');
    const method = request.method ?? 'GET';
    const error = (status: number, code: string): void =>
      void response.writeHead(status).end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`);
    const refused = this.disturb(`${method} ${key}`);
    if (refused !== undefined) return error(refused, refused === 403 ? 'AccessDenied' : 'InternalError');
    // In a header, or in the address of a request that was signed beforehand.
    const credential = `Credential=${searchParams.get('X-Amz-Credential')} ${request.headers.authorization}`;
    if (!credential.includes(`Credential=${this.credentials.accessKeyId}/`)) return error(403, 'InvalidAccessKeyId');
    if (bucket !== this.bucket) return error(404, 'NoSuchBucket');
    if (key === '') return this.#list(searchParams.get('prefix') ?? '', response);
    if (method === 'PUT') return this.#put(key, body, searchParams, response);
    if (method === 'POST') return this.#post(key, searchParams, response);
    if (method === 'DELETE') {
      this.objects.delete(key);
      return void response.writeHead(204).end();
    }
    const found = this.objects.get(key);
    if (found === undefined) return error(404, 'NoSuchKey');
    response.writeHead(200, { 'content-length': found.length, etag: '"scripted"' });
    response.end(method === 'HEAD' ? undefined : found);
  }

  #put(key: string, body: Buffer, query: URLSearchParams, response: ServerResponse): void {
    const upload = query.get('uploadId');
    if (upload === null) this.objects.set(key, body);
    else this.#parts.get(upload)?.set(Number(query.get('partNumber')), body);
    response.writeHead(200, { etag: '"scripted"' }).end();
  }

  #post(key: string, query: URLSearchParams, response: ServerResponse): void {
    const upload = query.get('uploadId');
    if (upload === null) {
      const id = `upload-${this.#parts.size}`;
      this.#parts.set(id, new Map());
      response.end(`<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`);
      return;
    }
    const parts = [...(this.#parts.get(upload) ?? [])].toSorted(([a], [b]) => a - b).map(([, part]) => part);
    this.objects.set(key, Buffer.concat(parts));
    response.end(
      `<CompleteMultipartUploadResult><Key>${key}</Key><ETag>"scripted"</ETag></CompleteMultipartUploadResult>`,
    );
  }

  #list(prefix: string, response: ServerResponse): void {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix));
    const contents = keys.map(
      (key) => `<Contents><Key>${key}</Key><Size>${this.objects.get(key)?.length ?? 0}</Size></Contents>`,
    );
    response.end(`<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`);
  }
}
