import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { StoredEvent } from '@devmesh/contracts/event';
import { DevmeshError, parseOrThrow, Problem } from '@devmesh/contracts/errors';
import { ArtifactList, type CreateRun, RunList, RunView } from '@devmesh/contracts/gateway-api';
import { AgentList, WorkflowList } from '@devmesh/contracts/orchestrator-api';
import type { RunArtifact, RunListItem } from '@devmesh/contracts/run';
import { ArtifactStored, Progress } from '@devmesh/contracts/state-api';
import type { z } from 'zod';
import type { MeshApi, RunSignal } from './mesh-api.js';

const TIMEOUT_MS = 30_000;
const RECONNECT_MS = [50, 200, 500, 1_000, 2_000];
/** In a row, without anything heard in between. */
const MAX_RECONNECTS = 15;

interface Call {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The gateway's REST API over fetch. Reads are tried again when the gateway is away for a moment, as are keyed writes. */
export class HttpMeshApi implements MeshApi {
  readonly #base: string;
  readonly #key: string;

  constructor(base: string, apiKey: string) {
    this.#base = base;
    this.#key = apiKey;
  }

  async #fetch(path: string, { method = 'GET', body, headers = {}, signal }: Call): Promise<Response> {
    try {
      return await fetch(this.#base + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      if (signal?.aborted === true) throw error;
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new DevmeshError(
        'unavailable',
        `the gateway at ${this.#base} does not answer (${(cause as NodeJS.ErrnoException).code ?? (cause as Error).message}): see ./devmesh status`,
        { cause: error },
      );
    }
  }

  async #refusal(answer: Response): Promise<DevmeshError> {
    const text = await answer.text().catch(() => '');
    try {
      const problem = Problem.parse(JSON.parse(text));
      return new DevmeshError(problem.code, problem.detail || problem.title, {
        retryable: problem.retryable,
        ...(problem.retryAfterMs === undefined ? {} : { retryAfterMs: problem.retryAfterMs }),
        issues: problem.errors ?? [],
      });
    } catch {
      return new DevmeshError(
        'bad_reply',
        `the gateway at ${this.#base} answered ${answer.status} to ${new URL(answer.url).pathname}: see ./devmesh logs gateway`,
      );
    }
  }

  async #json<S extends z.ZodType>(schema: S, path: string, call: Call = {}, attempts = 4): Promise<z.infer<S>> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#fetch(path, call);
        if (!answer.ok) throw await this.#refusal(answer);
        return parseOrThrow(schema, await answer.json(), `the answer of the gateway to ${path}`, 'bad_reply');
      } catch (error) {
        if (!(error instanceof DevmeshError) || !error.retryable || attempt >= attempts) throw error;
        await pause(Math.min(5_000, error.retryAfterMs ?? 150 * 2 ** attempt));
      }
    }
  }

  createRun(body: CreateRun, idempotencyKey: string): Promise<RunView> {
    return this.#json(RunView, '/v1/runs', { method: 'POST', body, headers: { 'idempotency-key': idempotencyKey } });
  }

  run(id: string): Promise<RunView> {
    return this.#json(RunView, `/v1/runs/${encodeURIComponent(id)}`);
  }

  async runs(limit: number): Promise<RunListItem[]> {
    const items: RunListItem[] = [];
    let cursor: string | null = null;
    do {
      const page: z.infer<typeof RunList> = await this.#json(
        RunList,
        `/v1/runs?limit=${Math.min(200, limit - items.length)}${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null && items.length < limit);
    return items;
  }

  cancel(id: string, reason: string): Promise<RunView> {
    // Cancelling twice is the same as once.
    return this.#json(RunView, `/v1/runs/${encodeURIComponent(id)}/cancel`, { method: 'POST', body: { reason } });
  }

  resume(id: string): Promise<RunView> {
    return this.#json(RunView, `/v1/runs/${encodeURIComponent(id)}/resume`, { method: 'POST' });
  }

  async artifacts(id: string): Promise<RunArtifact[]> {
    return (await this.#json(ArtifactList, `/v1/runs/${encodeURIComponent(id)}/artifacts`)).items;
  }

  agents(): Promise<AgentList> {
    return this.#json(AgentList, '/v1/agents');
  }

  workflows(): Promise<WorkflowList> {
    return this.#json(WorkflowList, '/v1/workflows');
  }

  async *watch(id: string, after: number, signal: AbortSignal): AsyncGenerator<RunSignal> {
    let last = after;
    for (let silent = 0; !signal.aborted; silent++) {
      if (silent > MAX_RECONNECTS)
        throw new DevmeshError(
          'unavailable',
          `the gateway at ${this.#base} does not send the run's events any more: see ./devmesh status`,
        );
      if (silent > 0) await pause(RECONNECT_MS[Math.min(silent, RECONNECT_MS.length) - 1] ?? 1_000);
      try {
        const answer = await this.#fetch(`/v1/runs/${encodeURIComponent(id)}/events`, {
          headers: { accept: 'text/event-stream', 'last-event-id': String(last) },
          signal,
        });
        if (!answer.ok || answer.body === null) {
          const refusal = await this.#refusal(answer);
          if (!refusal.retryable) throw refusal;
          continue;
        }
        // fetch and node name the same stream by two types.
        const messages = (answer.body as WebStream<Uint8Array>)
          .pipeThrough(new TextDecoderStream())
          .pipeThrough(new EventSourceParserStream());
        for await (const message of messages) {
          silent = 0;
          if (message.event === 'end') {
            yield { kind: 'end' };
            return;
          }
          const data: unknown = JSON.parse(message.data);
          if (message.event === 'progress') {
            const { step, message: text } = Progress.parse(data);
            yield { kind: 'progress', step, message: text };
          } else if (message.event === 'event') {
            const event = StoredEvent.parse(data);
            last = event.seq;
            yield { kind: 'event', event };
          }
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof DevmeshError && !error.retryable) throw error;
      }
    }
  }

  async hasArtifact(digest: string): Promise<boolean> {
    const answer = await this.#fetch(`/v1/artifacts/${digest}`, { method: 'HEAD' });
    if (answer.ok) return true;
    if (answer.status === 404) return false;
    throw new DevmeshError(
      'bad_reply',
      `the gateway at ${this.#base} answered ${answer.status} when asked for an artifact: see ./devmesh logs gateway`,
    );
  }

  async putArtifact(digest: string, file: string): Promise<void> {
    const { size } = await stat(file);
    let answer: Response;
    try {
      answer = await fetch(`${this.#base}/v1/artifacts/${digest}`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${this.#key}`,
          'content-type': 'application/octet-stream',
          'content-length': String(size),
        },
        body: Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>,
        duplex: 'half',
      } as RequestInit);
    } catch (error) {
      throw new DevmeshError(
        'unavailable',
        `the gateway at ${this.#base} broke off the upload: try again, and see ./devmesh status if it happens again`,
        { cause: error },
      );
    }
    if (!answer.ok) throw await this.#refusal(answer);
    parseOrThrow(ArtifactStored, await answer.json(), 'the answer of the gateway to an upload', 'bad_reply');
  }

  async getArtifact(digest: string, file: string): Promise<void> {
    const answer = await this.#fetch(`/v1/artifacts/${digest}`, {
      headers: { accept: '*/*' },
      signal: AbortSignal.timeout(600_000),
    });
    if (!answer.ok || answer.body === null) throw await this.#refusal(answer);
    const hash = createHash('sha256');
    const next = `${file}.${process.pid}.part`;
    const check = new Transform({
      transform(chunk: Buffer, _encoding, done): void {
        hash.update(chunk);
        done(null, chunk);
      },
    });
    try {
      await pipeline(Readable.fromWeb(answer.body as WebStream<Uint8Array>), check, createWriteStream(next));
      if (hash.digest('hex') !== digest)
        throw new DevmeshError('bad_reply', `artifact ${digest} arrived damaged: try again`);
      await rename(next, file);
    } finally {
      await rm(next, { force: true });
    }
  }
}
