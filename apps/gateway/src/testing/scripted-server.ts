import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DevmeshError, type ErrorCode, type Problem } from '@devmesh/contracts/errors';

/** A call as it arrived; `json` is its body, where it was JSON. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly json: unknown;
}

/** What a script answers: JSON with 200, or whatever it writes to the response by itself (then `undefined`). */
export type Script = (call: Call, response: ServerResponse) => unknown;

/** Takes a request whose body nobody has read. */
export type RawScript = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * A stand-in for a service of the mesh, with real HTTP and scripted answers by `METHOD /path`. A call that no script is
 * for is remembered in `unscripted`, which a test must find empty at its end.
 */
export class ScriptedServer {
  readonly calls: Call[] = [];
  readonly unscripted: string[] = [];
  /** Asked when no script is for a call; gives `undefined` for what it does not answer either. */
  any: ((call: Call) => unknown) | undefined;
  readonly #scripts = new Map<string, Script>();
  readonly #raw = new Map<string, RawScript>();
  readonly #server: Server = createServer((request, response) => void this.#answer(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Scripts `route`, e.g. `GET /v1/runs`; the last script of a route counts. */
  on(route: string, script: Script): this {
    this.#scripts.set(route, script);
    return this;
  }

  /** As `on`, for tests that are about the body's way. */
  raw(route: string, script: RawScript): this {
    this.#raw.set(route, script);
    return this;
  }

  /** Forgets scripts and calls. */
  reset(): void {
    this.#scripts.clear();
    this.#raw.clear();
    this.any = undefined;
    this.calls.length = 0;
    this.unscripted.length = 0;
  }

  to(route: string): Call[] {
    return this.calls.filter((call) => `${call.method} ${call.path}` === route);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://scripted');
    const raw = this.#raw.get(`${request.method} ${url.pathname}`);
    if (raw !== undefined) return raw(request, response);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return; // The caller broke off, which is a case that some tests are about.
    }
    const body = Buffer.concat(chunks);
    const isJson = (request.headers['content-type'] ?? '').startsWith('application/json');
    const call: Call = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
      json: isJson && body.length > 0 ? JSON.parse(body.toString()) : undefined,
    };
    this.calls.push(call);
    const route = `${call.method} ${call.path}`;
    const answer = this.#scripts.has(route) ? undefined : this.any?.(call);
    const script = answer === undefined ? this.#scripts.get(route) : () => answer;
    if (script === undefined) {
      this.unscripted.push(route);
      problem(response, 'internal', `${route} is not scripted`);
      return;
    }
    try {
      const reply = await script(call, response);
      if (reply === undefined) return;
      response.setHeader('content-type', 'application/json').end(JSON.stringify(reply));
    } catch (error) {
      if (!(error instanceof DevmeshError)) throw error;
      problem(response, error.code, error.message);
    }
  }
}

function problem(response: ServerResponse, code: ErrorCode, detail: string): void {
  const error = new DevmeshError(code, detail);
  const body: Problem = {
    type: `urn:devmesh:error:${code}`,
    title: code,
    status: error.status,
    detail,
    code,
    retryable: error.retryable,
  };
  response.writeHead(error.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}
