import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer as createServer2, type ClientHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Agent, H2CClient, request } from 'undici';
import { median, table } from './stats.ts';

/*
 * What a call between services costs over HTTP/1.1 with kept connections (what the mesh does) and over HTTP/2 without TLS on one
 * connection, by undici and by node: two processes, JSON of 2 kB there and back, so many in flight. `node bench/http2.ts`.
 */

const CALLS = 6_000;
const WARM_UP = 1_000;
const ROUNDS = 3;
const IN_FLIGHT = [1, 32];
const BODY = JSON.stringify({ filler: 'x'.repeat(2_000) });
const KINDS = ['HTTP/1.1, undici', 'HTTP/2, undici', 'HTTP/2, node'] as const;
type Kind = (typeof KINDS)[number];

interface Figures {
  readonly rate: number;
  /** µs of CPU a call. */
  readonly client: number;
  readonly server: number;
}

function answer(incoming: IncomingMessage, response: Pick<ServerResponse, 'writeHead' | 'end'>): void {
  let body = '';
  incoming.setEncoding('utf8');
  incoming.on('data', (text: string) => (body += text));
  incoming.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(JSON.parse(body)));
  });
}

/** The other process: tells its port, and its CPU time when asked. */
function serve(kind: Kind): void {
  const server =
    kind === 'HTTP/1.1, undici'
      ? createServer(answer)
      : createServer2((incoming, response) => answer(incoming as never, response as never));
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
  process.on('message', () => process.send?.(process.cpuUsage()));
}

const micros = ({ user, system }: NodeJS.CpuUsage): number => user + system;

function caller(kind: Kind, port: number): { call: () => Promise<void>; close: () => Promise<void> } {
  const url = `http://127.0.0.1:${port}`;
  if (kind === 'HTTP/2, node') {
    const session = connect(url);
    return { call: () => callNode(session), close: async () => session.destroy() };
  }
  const agent =
    kind === 'HTTP/1.1, undici'
      ? new Agent({ connections: 256 })
      : new H2CClient(url, { maxConcurrentStreams: 256, pipelining: 256 });
  return {
    call: async () => {
      const headers = { 'content-type': 'application/json' };
      const { body } = await request(`${url}/v1/x`, { dispatcher: agent, method: 'POST', headers, body: BODY });
      JSON.parse(await body.text());
    },
    close: () => agent.destroy(),
  };
}

function callNode(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': '/v1/x', 'content-type': 'application/json' });
    let text = '';
    stream.setEncoding('utf8');
    stream.on('data', (part: string) => (text += part));
    stream.once('error', reject);
    stream.once('end', () => {
      JSON.parse(text);
      resolve();
    });
    stream.end(BODY);
  });
}

async function measure(kind: Kind, inFlight: number): Promise<Figures> {
  const child = fork(fileURLToPath(import.meta.url), [kind]);
  const [port] = (await once(child, 'message')) as [number];
  const { call, close } = caller(kind, port);
  const cpu = async (): Promise<number> => {
    child.send('cpu');
    const [usage] = (await once(child, 'message')) as [NodeJS.CpuUsage];
    return micros(usage);
  };
  const run = async (calls: number): Promise<void> => {
    let left = calls;
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (left-- > 0) await call();
      }),
    );
  };
  await run(WARM_UP);
  const [before, serverBefore, start] = [process.cpuUsage(), await cpu(), performance.now()];
  await run(CALLS);
  const seconds = (performance.now() - start) / 1000;
  const client = micros(process.cpuUsage(before)) / CALLS;
  const server = ((await cpu()) - serverBefore) / CALLS;
  await close();
  child.kill();
  return { rate: CALLS / seconds, client, server };
}

async function main(): Promise<void> {
  const rows: string[][] = [];
  for (const inFlight of IN_FLIGHT) {
    const all = new Map<Kind, Figures[]>(KINDS.map((kind) => [kind, []]));
    for (let round = 0; round < ROUNDS; round++)
      for (const kind of KINDS) all.get(kind)?.push(await measure(kind, inFlight));
    for (const [kind, figures] of all) {
      const of = (pick: (one: Figures) => number): string => median(figures.map(pick)).toFixed(0);
      rows.push([String(inFlight), kind, of((one) => one.rate), of((one) => one.client), of((one) => one.server)]);
    }
  }
  console.log(table(['in flight', 'how', 'calls/s', 'client CPU µs a call', 'server CPU µs a call'], rows));
}

const asServer = process.argv[2];
if (asServer === undefined) await main();
else serve(asServer as Kind);
