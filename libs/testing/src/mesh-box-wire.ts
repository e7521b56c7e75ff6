import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import type { BatchOp } from '@devmesh/contracts/state-api';

/*
 * The wires of a mesh in a box. Every call between two of its processes goes through a proxy in the test, which may stop
 * the caller, lose or double the request, lose or hold the answer, at a call that it chooses by what the call says. So the
 * product needs no hook for crash tests, and what is tested is what is shipped.
 */

/** What a call asks for: the operations of the engine's ports, by the words of docs/engine.md. */
export type Call =
  | 'create'
  | 'acquire'
  | 'append'
  | 'park'
  | 'due'
  | 'recover'
  | 'inbox'
  | 'turn-failure'
  | 'store-workflow'
  | 'read-workflow'
  | 'claim'
  | 'claim-result'
  | 'heartbeats'
  | 'orphans'
  | 'queue-add'
  | 'execute'
  | 'cancel'
  | 'agent-info'
  | 'other';

/**
 * `request`: the callee has not seen it. `answer`: the callee has done it (what it writes is committed), and the caller does not
 * know yet. `answered`: the answer is on its way to the caller.
 */
export type Phase = 'request' | 'answer' | 'answered';

/** A call at one of its phases. */
export interface Passage {
  readonly caller: string;
  readonly callee: string;
  /** All that it asks for: a batch may hold several. */
  readonly calls: ReadonlySet<Call>;
  readonly phase: Phase;
  /** Of the request; empty for the queue. */
  readonly body: string;
  /** Of the answer; 0 before it. */
  readonly status: number;
  readonly answer: string;
}

/** `break`: the connection is cut here. `twice`: the request reaches the callee twice, and the second answer counts. */
export type Fate = 'break' | 'twice' | undefined;
export type Judge = (passage: Passage) => Fate | Promise<Fate>;

/** Judges of the calls between the processes of a box. */
export class Wire {
  private readonly judges = new Set<Judge>();

  /** Asks `judge` at every phase of every call; a promise holds the call. Gives a function that ends it. */
  watch(judge: Judge): () => void {
    this.judges.add(judge);
    return () => this.judges.delete(judge);
  }

  /** Resolves at the first passage that `wanted` accepts, after `act` did its work there. */
  next(
    wanted: (passage: Passage) => boolean,
    act: (passage: Passage) => Promise<Fate> = async () => undefined,
  ): Promise<Passage> {
    return new Promise((resolve, reject) => {
      const end = this.watch(async (passage) => {
        if (!wanted(passage)) return undefined;
        end();
        try {
          const fate = await act(passage);
          resolve(passage);
          return fate;
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
          return undefined;
        }
      });
    });
  }

  /** Nobody watches any more. */
  clear(): void {
    this.judges.clear();
  }

  async judge(passage: Passage): Promise<Fate> {
    for (const judge of this.judges) {
      const fate = await judge(passage);
      if (fate !== undefined) return fate;
    }
    return undefined;
  }
}

/** A door on a port of its own that leads to another port; shut, it refuses connections as a dead process does. */
export interface Door {
  readonly port: number;
  open(): Promise<void>;
  shut(): Promise<void>;
}

export interface DoorOptions {
  readonly wire: Wire;
  readonly caller: string;
  readonly callee: string;
  readonly port: number;
  readonly target: number;
}

/** Passes HTTP calls on, request by request. */
export class HttpDoor implements Door {
  readonly port: number;
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private readonly agent = new Agent({ keepAlive: true, maxSockets: Infinity });

  constructor(private readonly options: DoorOptions) {
    this.port = options.port;
  }

  async open(): Promise<void> {
    if (this.server) return;
    const server = createServer((request, response) => {
      this.pass(request, response).catch(() => request.socket.destroy());
    });
    server.keepAliveTimeout = 75_000;
    server.requestTimeout = 0;
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.server = server;
    await listening(server, this.port);
  }

  async shut(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    this.agent.destroy();
    for (const socket of this.sockets) socket.destroy();
    if (server?.listening === true) await new Promise((resolve) => server.close(resolve));
  }

  private async pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { wire, caller, callee } = this.options;
    const body = await read(request);
    const text = body.toString();
    const calls = callsOf(request.method ?? 'GET', request.url ?? '/', text);
    const at = (phase: Phase, status = 0, answer = '') =>
      wire.judge({ caller, callee, calls, phase, body: text, status, answer });

    const fate = await at('request');
    if (fate === 'break') return void request.socket.destroy();
    if (fate === 'twice') await this.forward(request, response, body);
    const { message, content } = await this.forward(request, response, body);
    const status = message.statusCode ?? 502;
    if ((await at('answer', status, content.toString())) === 'break') return void request.socket.destroy();
    if (response.destroyed) return;
    // What belongs to the other connection stays there.
    const { connection: _c, 'keep-alive': _k, 'transfer-encoding': _t, ...headers } = message.headers;
    response.writeHead(status, { ...headers, 'content-length': content.length });
    response.end(content);
    await at('answered', status, content.toString());
  }

  /** Rejects when the callee can't be reached or breaks off. */
  private forward(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
  ): Promise<{ message: IncomingMessage; content: Buffer }> {
    return new Promise((resolve, reject) => {
      const { host: _host, connection: _connection, ...headers } = request.headers;
      const onward = httpRequest(
        {
          host: '127.0.0.1',
          port: this.options.target,
          method: request.method,
          path: request.url,
          headers,
          agent: this.agent,
        },
        (message) => {
          read(message).then((content) => resolve({ message, content }), reject);
        },
      );
      // A caller that goes away is seen to go away.
      const left = (): void => void onward.destroy(new Error('the caller went away'));
      response.once('close', left);
      onward.once('close', () => response.off('close', left));
      onward.once('error', reject);
      onward.end(body);
    });
  }
}

/** How the queue's statements begin that add jobs. */
const ADDS_JOBS = ['SELECT add_job(', 'FROM add_jobs_bulk('];

/** Passes the bytes of PostgreSQL's protocol on, and tells when a job is added to the queue. */
export class QueueDoor implements Door {
  readonly port: number;
  private server: TcpServer | undefined;
  private readonly sockets = new Set<Socket>();

  constructor(private readonly options: DoorOptions) {
    this.port = options.port;
  }

  async open(): Promise<void> {
    if (this.server) return;
    this.server = createTcpServer((client) => this.join(client));
    await listening(this.server, this.port);
  }

  async shut(): Promise<void> {
    const server = this.server;
    this.server = undefined;
    for (const socket of this.sockets) socket.destroy();
    if (server?.listening === true) await new Promise((resolve) => server.close(resolve));
  }

  private join(client: Socket): void {
    const server = connect(this.options.target, '127.0.0.1');
    let adding = false;
    const cut = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.setNoDelay();
      socket.once('close', () => {
        this.sockets.delete(socket);
        cut();
      });
      socket.on('error', cut);
    }
    const carry = async (chunk: Buffer, from: Socket, to: Socket, phase: Phase): Promise<void> => {
      from.pause();
      if ((await this.at(phase)) === 'break') return cut();
      to.write(chunk);
      from.resume();
    };
    client.on('data', (chunk: Buffer) => {
      // The statements of the queue are sent with their text each time.
      if (!ADDS_JOBS.some((text) => chunk.includes(text))) return void server.write(chunk);
      adding = true;
      void carry(chunk, client, server, 'request');
    });
    server.on('data', (chunk: Buffer) => {
      if (!adding) return void client.write(chunk);
      adding = false;
      void carry(chunk, server, client, 'answer');
    });
  }

  private at(phase: Phase): Promise<Fate> {
    const { wire, caller, callee } = this.options;
    return wire.judge({ caller, callee, calls: new Set(['queue-add']), phase, body: '', status: 0, answer: '' });
  }
}

const ROUTES: readonly (readonly [method: string, path: RegExp, call: Call])[] = [
  ['POST', /^\/v1\/runs\/due$/, 'due'],
  ['POST', /^\/v1\/runs\/recover$/, 'recover'],
  ['POST', /^\/v1\/runs\/[^/]+\/inbox$/, 'inbox'],
  ['POST', /^\/v1\/runs\/[^/]+\/turn-failures$/, 'turn-failure'],
  ['PUT', /^\/v1\/workflows\//, 'store-workflow'],
  ['GET', /^\/v1\/workflows\//, 'read-workflow'],
  ['POST', /^\/v1\/executions\/claim$/, 'claim'],
  ['POST', /^\/v1\/executions\/result$/, 'claim-result'],
  ['POST', /^\/v1\/executions\/heartbeats$/, 'heartbeats'],
  ['POST', /^\/v1\/executions\/orphans$/, 'orphans'],
  ['POST', /^\/v1\/executions$/, 'execute'],
  ['DELETE', /^\/v1\/executions\//, 'cancel'],
  ['GET', /^\/v1\/agent$/, 'agent-info'],
];

function callsOf(method: string, url: string, body: string): ReadonlySet<Call> {
  if (method === 'POST' && url === '/v1/batch') {
    const { ops } = JSON.parse(body) as { ops: BatchOp[] };
    return new Set(ops.map((op) => (op.op === 'append' && op.park ? 'park' : op.op)));
  }
  const found = ROUTES.find(([wanted, path]) => wanted === method && path.test(url));
  return new Set([found?.[2] ?? 'other']);
}

/** The operations of a batch; none for another call. */
export function opsOf(passage: Passage): BatchOp[] {
  const isBatch = ['create', 'acquire', 'append', 'park'].some((call) => passage.calls.has(call as Call));
  return isBatch ? (JSON.parse(passage.body) as { ops: BatchOp[] }).ops : [];
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function listening(server: Server | TcpServer, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}
