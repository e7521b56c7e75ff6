import type { Readable } from 'node:stream';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { AxiosInstance, AxiosResponse } from 'axios';
import type { z } from 'zod';
import type { Breaker } from './breaker.js';
import type { Bulkhead } from './bulkhead.js';
import type { Instance, InstancePool } from './instance-pool.js';
import { readError, readValue } from './reply.js';
import { decideRetry, RETRY_LIMITS, type RetryBudget, type RetryLimits } from './retry-policy.js';
import { toTransportError, TransportError } from './transport-error.js';

/** Read by `service-kit/http/request.middleware`. */
const DEADLINE_HEADER = 'x-devmesh-deadline';

/** How long an attempt may take where the call says nothing, ms. */
export const DEFAULT_TIMEOUT_MS = 10_000;

export interface CallOptions {
  /** Gives the call up. */
  readonly signal?: AbortSignal;
  /** For each attempt, ms. 0: none, for streams. */
  readonly timeoutMs?: number;
  /** For all attempts together, Unix ms. Default: that of the work under way. */
  readonly deadlineAt?: number;
}

export interface ServiceRequest extends CallOptions {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** With the query, encoded. */
  readonly path: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** JSON that is text already. */
  readonly jsonText?: string;
  /** Bytes; made anew for each attempt. Needs `content-length` and `content-type` among the headers. */
  readonly content?: () => Buffer | Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** Doing it twice is doing it once. Default: true for every method but POST. */
  readonly keyed?: boolean;
  /** Waits on purpose: goes past bulkhead and breaker, and is never retried. Its answer closes the breaker. */
  readonly longPoll?: boolean;
  /** Asks an instance whether it is there: goes past bulkhead and breaker, and its answer closes the breaker. */
  readonly probe?: boolean;
  /** This address and no other. */
  readonly address?: string;
  /** Makes no second attempt: the caller has its own way to go on. */
  readonly once?: boolean;
}

export interface CallObservation {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  /** HTTP status, or how the transport failed. */
  readonly status: number | string;
  readonly ms: number;
}

export interface CallerParts {
  readonly service: string;
  readonly http: AxiosInstance;
  readonly instances: () => readonly Instance[];
  readonly pool: InstancePool;
  readonly breaker: Breaker;
  readonly bulkhead: Bulkhead;
  readonly budget: RetryBudget;
  readonly limits?: RetryLimits;
  readonly authorization: string | undefined;
  /** Deadline of the work under way, Unix ms. */
  readonly deadline: () => number | undefined;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly observe?: ((call: CallObservation) => void) | undefined;
}

interface Exchange {
  readonly reply: AxiosResponse<string | Readable>;
  readonly what: string;
}

/**
 * Calls one service: picks an instance, keeps within bulkhead, breaker, deadline and budget, tries again what may be tried
 * again. Throws `TransportError` when there was no answer, and the callee's own `DevmeshError` when it said no.
 */
export class ServiceCaller {
  readonly #parts: CallerParts;

  constructor(parts: CallerParts) {
    this.#parts = parts;
  }

  get service(): string {
    return this.#parts.service;
  }

  /** The reply's value, as its schema gives it. Throws `bad_reply` when it doesn't fit. */
  async call<S extends z.ZodType>(request: ServiceRequest, schema: S): Promise<z.output<S>> {
    const { reply, what } = await this.#send(request, 'text');
    return readValue(schema, reply.data as string, what);
  }

  /** Status and value, for callers to which the status says something. */
  async callWithStatus<S extends z.ZodType>(
    request: ServiceRequest,
    schema: S,
  ): Promise<{ status: number; value: z.output<S> }> {
    const { reply, what } = await this.#send(request, 'text');
    return { status: reply.status, value: readValue(schema, reply.data as string, what) };
  }

  /** The reply's body, unread. It must be read to its end or destroyed. */
  async stream(request: ServiceRequest): Promise<Readable> {
    const { reply } = await this.#send({ ...request, timeoutMs: request.timeoutMs ?? 0 }, 'stream');
    return reply.data as Readable;
  }

  /** As `stream`, with the head of the reply. The body of a reply to HEAD is empty. */
  async open(request: ServiceRequest): Promise<{ headers: Readonly<Record<string, unknown>>; body: Readable }> {
    const { reply } = await this.#send({ ...request, timeoutMs: request.timeoutMs ?? 0 }, 'stream');
    return { headers: reply.headers, body: reply.data as Readable };
  }

  async #send(request: ServiceRequest, responseType: 'text' | 'stream'): Promise<Exchange> {
    const { budget, now } = this.#parts;
    const deadlineAt = request.deadlineAt ?? this.#parts.deadline();
    const keyed = (request.keyed ?? request.method !== 'POST') && request.longPoll !== true && request.once !== true;
    budget.earn();
    for (let attempts = 1; ; attempts++) {
      try {
        return await this.#attempt(request, responseType, deadlineAt);
      } catch (error) {
        if (!(error instanceof DevmeshError) || request.signal?.aborted === true) throw error;
        const decision = decideRetry(
          {
            attempts,
            keyed,
            retryable: error.retryable && error.code !== 'circuit_open',
            retryAfterMs: error.retryAfterMs,
            budgetLeft: budget.left,
            now: now(),
            deadlineAt,
            random: this.#parts.random(),
          },
          this.#parts.limits ?? RETRY_LIMITS,
        );
        if (!decision.retry) throw error;
        budget.spend();
        await this.#parts.sleep(decision.delayMs, request.signal);
      }
    }
  }

  async #attempt(
    request: ServiceRequest,
    responseType: 'text' | 'stream',
    deadlineAt: number | undefined,
  ): Promise<Exchange> {
    const { service, pool, breaker, bulkhead } = this.#parts;
    const address = request.address ?? pool.pick(this.#parts.instances())?.address;
    if (address === undefined) {
      throw new TransportError(
        'refused',
        `no instance of ${service} is known: start it, or name it in DEVMESH_ENDPOINTS`,
      );
    }
    const exchange = (): Promise<Exchange> => this.#exchange(address, request, responseType, deadlineAt);
    if (request.longPoll !== true && request.probe !== true) return bulkhead.run(() => breaker.run(exchange));
    const answered = await exchange();
    breaker.passed();
    return answered;
  }

  async #exchange(
    address: string,
    request: ServiceRequest,
    responseType: 'text' | 'stream',
    deadlineAt: number | undefined,
  ): Promise<Exchange> {
    const { service, http, pool, now, observe } = this.#parts;
    const path = request.path.split('?', 1)[0] ?? '';
    const what = `${request.method} ${path} at ${service}`;
    const started = now();
    const timeout = this.#timeout(request, deadlineAt, started, what);
    pool.begin(address);
    let refused = false;
    let status: number | string = 'broken';
    try {
      const reply = await http.request<string | Readable>({
        url: address + request.path,
        method: request.method,
        headers: this.#headers(request, deadlineAt),
        data: body(request),
        responseType,
        timeout,
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      });
      status = reply.status;
      if (reply.status < 400) return { reply, what };
      throw readError({ status: reply.status, headers: reply.headers, text: await textOf(reply.data) }, what);
    } catch (error) {
      if (error instanceof DevmeshError) throw error;
      const failure = toTransportError(error, what, request.signal?.aborted === true);
      refused = failure.failure === 'refused';
      status = failure.failure;
      throw failure;
    } finally {
      pool.end(address, refused);
      observe?.({ service, method: request.method, path, status, ms: now() - started });
    }
  }

  /** A fresh timeout for each attempt, cut to what the deadline leaves. */
  #timeout(request: ServiceRequest, deadlineAt: number | undefined, now: number, what: string): number {
    const own = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    if (deadlineAt === undefined) return own;
    const left = deadlineAt - now;
    if (left <= 0) throw new TransportError('timeout', `${what} was not made: its deadline has passed`);
    return own === 0 ? left : Math.min(own, left);
  }

  #headers(request: ServiceRequest, deadlineAt: number | undefined): Record<string, string> {
    const { authorization } = this.#parts;
    return {
      ...(authorization === undefined ? {} : { authorization }),
      ...(deadlineAt === undefined ? {} : { [DEADLINE_HEADER]: String(deadlineAt) }),
      ...(request.json === undefined && request.jsonText === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    };
  }
}

function body(request: ServiceRequest): string | Buffer | Readable | undefined {
  if (request.content !== undefined) return request.content();
  return request.json === undefined ? request.jsonText : JSON.stringify(request.json);
}

async function textOf(data: string | Readable): Promise<string> {
  if (typeof data === 'string') return data;
  const chunks: Buffer[] = [];
  for await (const chunk of data) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
