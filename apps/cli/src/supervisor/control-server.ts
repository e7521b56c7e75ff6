import { createHash } from 'node:crypto';
import { lstat, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Home } from './home.js';
import type { ControlAddress } from './protocol.js';
import { writePrivate } from './secrets.js';
import type { Supervisor } from './supervisor.js';

/** `sun_path` holds 104 bytes on macOS and 108 on Linux, the final zero included. */
const MAX_SOCKET_PATH = 100;

/** Where the control socket of a data folder lies: in it, or for a long path in a private folder among the temporary files. */
export function controlSocketPath(home: Home, temporary: string = tmpdir()): string {
  const own = join(home.run, 'supervisor.sock');
  if (Buffer.byteLength(own) <= MAX_SOCKET_PATH) return own;
  const name = createHash('sha256').update(home.root).digest('hex').slice(0, 16);
  const short = (folder: string): string => join(folder, `devmesh-${process.getuid?.() ?? 0}`, `${name}.sock`);
  return Buffer.byteLength(short(temporary)) <= MAX_SOCKET_PATH ? short(temporary) : short('/tmp');
}

/** Among temporary files anybody may have made the folder first: it must be ours and ours alone. */
async function privateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== (process.getuid?.() ?? found.uid) || (found.mode & 0o077) !== 0) {
    throw new DevmeshError(
      'forbidden',
      `${folder} is not a private folder of this user: remove it, or set TMPDIR to a folder of yours`,
    );
  }
}

/**
 * The door for the command line: HTTP over a socket file that only this user can reach.
 *   GET /v1/status -> MeshStatus     GET /v1/watch -> MeshStatus per line, on each change, until it is over     POST /v1/stop -> 202
 */
export class ControlServer {
  readonly #home: Home;
  readonly #supervisor: Supervisor;
  readonly #server: Server;
  readonly #watchers = new Set<ServerResponse>();
  #scheduled = false;
  #socket = '';

  constructor(home: Home, supervisor: Supervisor, stop: () => void) {
    this.#home = home;
    this.#supervisor = supervisor;
    this.#server = createServer((request, response) => {
      const route = `${request.method ?? ''} ${request.url ?? ''}`;
      if (route === 'GET /v1/status') {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(supervisor.status()));
      } else if (route === 'GET /v1/watch') {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        response.write(`${JSON.stringify(supervisor.status())}\n`);
        this.#watchers.add(response);
        response.once('close', () => this.#watchers.delete(response));
      } else if (route === 'POST /v1/stop') {
        response.writeHead(202, { 'content-type': 'application/json' }).end('{}');
        stop();
      } else response.writeHead(404).end();
    });
    supervisor.onChange(() => this.#announce());
  }

  /** Only for the holder of the folder's lock: a socket that is there is a dead one. */
  async listen(): Promise<void> {
    this.#socket = controlSocketPath(this.#home);
    if (dirname(this.#socket) !== this.#home.run) await privateFolder(dirname(this.#socket));
    await rm(this.#socket, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#socket, resolve);
    });
    const address: ControlAddress = { socket: this.#socket, pid: process.pid };
    await writePrivate(join(this.#home.run, 'control.json'), JSON.stringify(address));
  }

  #announce(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const line = `${JSON.stringify(this.#supervisor.status())}\n`;
      for (const watcher of this.#watchers) watcher.write(line);
    });
  }

  /** Tells every watcher the end, and removes the socket. */
  async close(): Promise<void> {
    const line = `${JSON.stringify(this.#supervisor.status())}\n`;
    for (const watcher of this.#watchers) watcher.end(line);
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeIdleConnections();
      setTimeout(() => this.#server.closeAllConnections(), 500).unref();
    });
    await rm(this.#socket, { force: true });
    await rm(join(this.#home.run, 'control.json'), { force: true });
  }
}
