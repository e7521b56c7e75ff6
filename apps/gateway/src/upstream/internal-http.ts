import { Readable } from 'node:stream';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { DevmeshError, Problem } from '@devmesh/contracts/errors';
import type { ServiceName } from '@devmesh/contracts/services';
import { z } from 'zod';

export interface InternalCall {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: unknown;
  readonly bytes?: { readonly body: Readable; readonly size: number | undefined };
  readonly signal?: AbortSignal | undefined;
  /** How long to wait for the head of the answer, ms. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/** Calls one service of the mesh. Its refusals come back as the `DevmeshError` that it threw. */
export class InternalHttp {
  constructor(
    private readonly service: ServiceName,
    private readonly baseUrl: string,
    private readonly token: string,
  ) {}

  /** The reply's JSON, which must be what the schema says: else `bad_reply`. */
  async json<S extends z.ZodType>(schema: S, call: InternalCall): Promise<z.infer<S>> {
    const response = await this.send(call);
    const parsed = schema.safeParse(await response.json());
    if (parsed.success) return parsed.data;
    throw new DevmeshError('bad_reply', `${this.service} answered ${call.path} with something else than it should`, {
      cause: parsed.error,
    });
  }

  async send(call: InternalCall): Promise<Response> {
    const url = new URL(call.path, this.baseUrl);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), call.timeoutMs ?? TIMEOUT_MS);
    try {
      const response = await fetch(url, this.#init(call, timeout.signal));
      if (response.ok) return response;
      throw await this.#refusal(response);
    } catch (error) {
      if (error instanceof DevmeshError) throw error;
      throw new DevmeshError('unavailable', `${this.service} does not answer: see the health of the mesh`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #init(call: InternalCall, timeout: AbortSignal): RequestInit {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` };
    const signal = call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]);
    const init = { method: call.method ?? 'GET', headers, signal };
    if (call.json !== undefined) {
      headers['content-type'] = 'application/json';
      return { ...init, body: JSON.stringify(call.json) };
    }
    if (call.bytes === undefined) return init;
    headers['content-type'] = 'application/octet-stream';
    if (call.bytes.size !== undefined) headers['content-length'] = String(call.bytes.size);
    return { ...init, body: Readable.toWeb(call.bytes.body) as ReadableStream, duplex: 'half' } as RequestInit;
  }

  async #refusal(response: Response): Promise<DevmeshError> {
    const problem = Problem.safeParse(await response.json().catch(() => null));
    // What is wrong between services is nobody's fault outside: a caller with a right key must not read "wrong token".
    if (!problem.success || problem.data.code === 'unauthenticated') {
      if (response.status === 404) return new DevmeshError('not_found', 'not found');
      return new DevmeshError('bad_reply', `${this.service} answered ${response.status}`);
    }
    const { code, detail, retryable, retryAfterMs, errors } = problem.data;
    return new DevmeshError(code, detail, {
      retryable,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      ...(errors === undefined ? {} : { issues: errors }),
    });
  }
}

/** The body of an answer as a stream that may be read once. */
export function bodyOf(response: Response): Readable {
  return response.body === null ? Readable.from([]) : Readable.fromWeb(response.body as WebStream<Uint8Array>);
}
