import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, chmodSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ApprovalRecord } from '@devmesh/contracts/approval';
import type { RunView } from '@devmesh/contracts/gateway-api';
import { vi } from 'vitest';

/** What a call of `./devmesh` came to. */
export interface Said {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `run --json` prints. */
export interface RunResult {
  readonly run: RunView;
  readonly exitCode: number;
  readonly delivered: {
    readonly branch: string | null;
    readonly commits: number | null;
    readonly report: string | null;
    readonly sarif: string | null;
    readonly folder: string;
  } | null;
}

export interface CallOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Runs as this user and group. */
  readonly uid?: number;
}

/** A call that is under way. */
export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Said>;
  /** Resolves with all of stdout so far, once it matches; fails when the call ends before. */
  said(pattern: RegExp): Promise<string>;
}

const CALL_TIMEOUT_MS = 150_000;

/**
 * `./devmesh` of a clone with a data folder, a temporary folder, a home and ports of its own: what is left in them, and which
 * processes name them, is of its making alone.
 */
export class Devmesh {
  /** Everything below is in here; its name is in the environment or the arguments of every process that is started. */
  readonly folder: string;
  readonly home: string;
  readonly temp: string;
  /** Everything that calls printed, for what must never be in it. */
  readonly heard: string[] = [];
  readonly clone: string;
  readonly portBase: number;
  readonly #env: Readonly<Record<string, string>>;
  readonly #uid: number | undefined;

  private constructor(clone: string, portBase: number, env: Readonly<Record<string, string>>, uid?: number) {
    this.clone = clone;
    this.portBase = portBase;
    this.folder = mkdtempSync(join(tmpdir(), 'devmesh mesh '));
    // PostgreSQL runs as another user when we are root, and has to get through.
    chmodSync(this.folder, 0o755);
    this.home = join(this.folder, 'data');
    this.temp = join(this.folder, 'temp');
    for (const name of ['temp', 'user']) mkdirSync(join(this.folder, name));
    chmodSync(this.temp, 0o1777);
    this.#env = env;
    this.#uid = uid;
    this.give(this.folder);
  }

  /** `env` is added to each call's; with `uid`, which only root can give, everything is done as that user. */
  static async make(clone: string, env: Readonly<Record<string, string>> = {}, uid?: number): Promise<Devmesh> {
    return new Devmesh(clone, await freePortBase(), env, uid);
  }

  /** Makes a folder and all in it the property of the user that calls run as. */
  give(folder: string): void {
    if (this.#uid === undefined) return;
    const owner = `${this.#uid}:${this.#uid}`;
    execFileSync('chown', ['-R', owner, folder]);
  }

  get gateway(): string {
    return `http://127.0.0.1:${this.portBase}`;
  }

  /** The environment of a call: a user's, with nothing of the test runner. */
  environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const path = (process.env['PATH'] ?? '').split(':').filter((folder) => !folder.includes('node_modules'));
    return {
      PATH: path.join(':'),
      HOME: join(this.folder, 'user'),
      LANG: 'C.UTF-8',
      TMPDIR: this.temp,
      DEVMESH_HOME: this.home,
      DEVMESH_PORT_BASE: String(this.portBase),
      ...this.#env,
      ...more,
    };
  }

  start(args: readonly string[], options: CallOptions = {}): Started {
    const uid = options.uid ?? this.#uid;
    const child = spawn(join(this.clone, 'devmesh'), args, {
      cwd: options.cwd ?? this.folder,
      env: this.environment(options.env),
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let stdout = '';
    let stderr = '';
    const waiting = new Set<() => void>();
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      for (const look of waiting) look();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    const timer = setTimeout(() => child.kill('SIGKILL'), CALL_TIMEOUT_MS);
    const ended = new Promise<Said>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(timer);
        this.heard.push(stdout, stderr);
        resolve({ code, stdout, stderr });
      });
    });
    const said = (pattern: RegExp): Promise<string> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(stdout)) return;
          waiting.delete(look);
          resolve(stdout);
        };
        waiting.add(look);
        look();
        void ended.then(
          (end) => reject(new Error(`it ended without ${String(pattern)}: ${JSON.stringify(end)}`)),
          reject,
        );
      });
    return { child, ended, said };
  }

  run(args: readonly string[], options: CallOptions = {}): Promise<Said> {
    return this.start(args, options).ended;
  }

  /** Calls with `--json` and gives what it printed as data, whatever the exit code. */
  async json<T>(args: readonly string[], options: CallOptions = {}): Promise<Said & { data: T }> {
    const said = await this.run([...args, '--json'], options);
    try {
      return { ...said, data: JSON.parse(said.stdout) as T };
    } catch (error) {
      throw new Error(`no JSON from ${args.join(' ')}: ${JSON.stringify(said)}`, { cause: error });
    }
  }

  /** A request to the gateway with the mesh's own key. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const key = readFileSync(join(this.home, 'api-key'), 'utf8').trim();
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${key}`);
    return fetch(`${this.gateway}${path}`, { ...init, headers, signal: AbortSignal.timeout(60_000) });
  }

  /** What the gateway says at this path, once it is as wanted. */
  until<T>(path: string, wanted: (reply: T) => boolean): Promise<T> {
    return vi.waitFor(
      async () => {
        const reply = (await (await this.request(path)).json()) as T;
        if (!wanted(reply)) throw new Error(`${path} is not as wanted: ${JSON.stringify(reply)}`);
        return reply;
      },
      { timeout: CALL_TIMEOUT_MS, interval: 50 },
    );
  }

  /** The open approvals of a run, once there are so many. */
  async asked(run: string, count = 1): Promise<ApprovalRecord[]> {
    const path = `/v1/approvals?runId=${run}&status=open`;
    const { items } = await this.until<{ items: ApprovalRecord[] }>(path, (page) => page.items.length === count);
    return items;
  }

  /** Stops the mesh; the folders stay. */
  down(): Promise<Said> {
    return this.run(['down', '--quiet']);
  }

  /** Stops the mesh and removes everything. */
  async remove(): Promise<Said> {
    const said = await this.down();
    rmSync(this.folder, { recursive: true, force: true });
    return said;
  }
}

/** First of nine ports in a row that are free now, below those that the kernel gives out by itself. */
export async function freePortBase(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const base = 12_000 + 10 * Math.floor(Math.random() * 1_900);
    const free = await Promise.all(Array.from({ length: 9 }, (_, i) => isFree(base + i)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no nine free ports in a row between 12000 and 31000');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
