import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What it gives is not looked at; a promise is awaited. */
export type Script = (received: Received, response: ServerResponse) => unknown;

/** A real HTTP server on a free port that answers as its script says; an unscripted call fails the test by its 500. */
export class ScriptedServer {
  readonly received: Received[] = [];
  readonly #server: Server;
  /** Stays readable after `stop`, when nobody listens there. */
  port = 0;
  #script: Script;

  private constructor(script: Script) {
    this.#script = script;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(script: Script, port = 0): Promise<ScriptedServer> {
    const scripted = new ScriptedServer(script);
    await new Promise<void>((resolve) => scripted.#server.listen(port, '127.0.0.1', resolve));
    scripted.port = (scripted.#server.address() as AddressInfo).port;
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  script(script: Script): void {
    this.#script = script;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = '', url = '', headers } = request;
      const received = { method, path: url, headers, body: Buffer.concat(chunks) };
      this.received.push(received);
      await this.#script(received, response);
    } catch (error) {
      if (!response.destroyed && !response.headersSent) response.writeHead(500).end(String(error));
    }
  }
}

export function json(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

export function problem(
  response: ServerResponse,
  status: number,
  code: string,
  more: Record<string, unknown> = {},
): void {
  const body = { type: 'x', title: 'x', status, detail: `it said ${code}`, code, retryable: false, ...more };
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}
