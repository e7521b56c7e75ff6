import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-ports.js';

/** A real S3 server for tests, in the temporary folder, on the loopback. */
export interface S3Server {
  /** `http://127.0.0.1:PORT`; the bucket is the first part of the path. */
  readonly url: string;
  /** Objects of `BUCKET` are files below it. */
  readonly folder: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  stop(): Promise<void>;
}

const credentials = { accessKeyId: 'testing', secretAccessKey: 'secret of a server for tests' };

/** Runs `versitygw` of the PATH (Go module github.com/versity/versitygw) with these buckets; rejects when there is none. */
export async function startS3(buckets: readonly string[]): Promise<S3Server> {
  const root = mkdtempSync(join(tmpdir(), 'devmesh-s3-'));
  const [folder, about] = [join(root, 'buckets'), join(root, 'about')];
  for (const made of [folder, about]) mkdirSync(made);
  for (const bucket of buckets) mkdirSync(join(folder, bucket));
  const port = await freePort();
  const child = spawn('versitygw', ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', '--sidecar', about, folder], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      ROOT_ACCESS_KEY: credentials.accessKeyId,
      ROOT_SECRET_KEY: credentials.secretAccessKey,
    },
  });
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (cause) =>
      reject(new Error('there is no S3 server for this test: put versitygw on the PATH', { cause })),
    );
    child.once('exit', (code) => reject(new Error(`versitygw ended with ${code}`)));
  });
  failed.catch(() => undefined);
  await Promise.race([listening(port), failed]);
  return {
    url: `http://127.0.0.1:${port}`,
    folder,
    credentials,
    async stop() {
      child.kill('SIGKILL');
      await gone;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** It says nothing when it is ready: the port is asked until it answers. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (up) return;
    await delay(20);
  }
  throw new Error('versitygw did not listen');
}
