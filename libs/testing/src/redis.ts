import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-ports.js';

/** A real Redis for tests, in the temporary folder. */
export interface RedisServer {
  /** `redis://…` with the password that it wants. */
  readonly url: string;
  /** Kills it with SIGKILL: what it held is gone. */
  kill(): Promise<void>;
  /** Starts it again at the same address, with nothing in it. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

const PASSWORD = 'kept in memory only';

/** Runs `redis-server` of the PATH; rejects when there is none. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'devmesh-redis-'));
  const port = await freePort();
  let running: ReturnType<typeof launch> | undefined;
  const server: RedisServer = {
    url: `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/0`,
    async start() {
      running = launch(port, folder);
      await running.ready;
    },
    async kill() {
      running?.child.kill('SIGKILL');
      await running?.gone;
    },
    async stop() {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

function launch(port: number, folder: string) {
  // The configuration comes by standard input, so that the password is no argument.
  const child = spawn('redis-server', ['-'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error('there is no Redis for this test: install redis-server, so that it is on the PATH', { cause }));
    });
    child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (/ready to accept connections/i.test(text)) resolve();
    });
  });
  const settings = [`port ${port}`, 'bind 127.0.0.1', 'save ""', 'appendonly no', `requirepass "${PASSWORD}"`];
  child.stdin.end(`${settings.join('\n')}\n`);
  return { child, ready, gone };
}
