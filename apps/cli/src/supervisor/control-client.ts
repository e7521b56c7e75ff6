import { readFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Home } from './home.js';
import { PROTOCOL, type ControlAddress, type MeshStatus } from './protocol.js';

async function call(socket: string, method: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socket, method, path, agent: false }, resolve);
    asked.once('error', reject);
    asked.end();
  });
}

async function text(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function parseStatus(line: string): MeshStatus {
  const status = JSON.parse(line) as MeshStatus;
  // Checked, because the supervisor may have been started before this clone was updated.
  if (Number(status.protocol) !== PROTOCOL) {
    throw new DevmeshError(
      'conflict',
      'the mesh that runs was started by another version of Devmesh: stop it with the clone that started it, or end its supervisor, then try again',
    );
  }
  return status;
}

const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/** The supervisor of a data folder, when one answers. */
export class ControlClient {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /** Null when no supervisor answers. */
  static async connect(home: Home): Promise<{ client: ControlClient; status: MeshStatus } | null> {
    let address: ControlAddress;
    try {
      address = JSON.parse(await readFile(join(home.run, 'control.json'), 'utf8')) as ControlAddress;
    } catch {
      return null;
    }
    const client = new ControlClient(address.socket);
    try {
      return { client, status: await client.status() };
    } catch (error) {
      if (error instanceof DevmeshError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') {
        throw new DevmeshError('forbidden', `the mesh in ${home.root} belongs to another user: run this as that user`, {
          cause: error,
        });
      }
      return null;
    }
  }

  async status(): Promise<MeshStatus> {
    return parseStatus(await text(await call(this.#socket, 'GET', '/v1/status')));
  }

  /** The status now and after every change, until the supervisor ends. */
  async *watch(): AsyncGenerator<MeshStatus> {
    let answer: IncomingMessage | null = null;
    try {
      answer = await call(this.#socket, 'GET', '/v1/watch');
      for await (const line of createInterface({ input: answer })) if (line !== '') yield parseStatus(line);
    } catch (error) {
      // A supervisor that ends takes its socket away; one that is killed breaks the line. Either is the end of the story.
      if (!GONE.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    } finally {
      answer?.destroy();
    }
  }

  async stop(): Promise<void> {
    (await call(this.#socket, 'POST', '/v1/stop')).resume();
  }
}
