import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CLI = fileURLToPath(new URL('../apps/cli/dist/main.js', import.meta.url));

/** As `devmesh status --json` tells it, as far as benches read it. */
export interface ServiceStatus {
  readonly name: string;
  readonly pid: number | null;
  readonly address: string;
}

/** A mesh of its own, as shipped: the CLI's supervisor, embedded PostgreSQL, nine processes. */
export class BenchMesh {
  readonly home = mkdtempSync(join(tmpdir(), 'devmesh-bench-'));
  readonly portBase: number;
  readonly env: NodeJS.ProcessEnv;

  private constructor(portBase: number, env: NodeJS.ProcessEnv) {
    this.portBase = portBase;
    this.env = { ...process.env, DEVMESH_HOME: this.home, DEVMESH_PORT_BASE: String(portBase), NO_COLOR: '1', ...env };
  }

  static async make(env: NodeJS.ProcessEnv = {}): Promise<BenchMesh> {
    return new BenchMesh(await freePortBase(), env);
  }

  /** Runs the CLI; gives its standard output and how long it took, ms. An exit code other than 0 and 1 throws. */
  async cli(...args: string[]): Promise<{ stdout: string; ms: number; code: number }> {
    const started = performance.now();
    try {
      const { stdout } = await run(process.execPath, [CLI, ...args], { env: this.env, maxBuffer: 64 * 1024 * 1024 });
      return { stdout, ms: performance.now() - started, code: 0 };
    } catch (error) {
      const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string };
      if (code === 1) return { stdout: stdout ?? '', ms: performance.now() - started, code };
      throw new Error(`devmesh ${args.join(' ')} ended with ${code}: ${stderr ?? ''}${stdout ?? ''}`, { cause: error });
    }
  }

  async services(): Promise<ServiceStatus[]> {
    const { stdout } = await this.cli('status', '--json');
    return (JSON.parse(stdout) as { services: ServiceStatus[] }).services;
  }

  url(offset: number): string {
    return `http://127.0.0.1:${this.portBase + offset}`;
  }

  /** A request to the gateway. */
  async api<T>(path: string, body?: unknown): Promise<T> {
    const key = readFileSync(join(this.home, 'api-key'), 'utf8').trim();
    const response = await fetch(this.url(0) + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  /** Writes a file into the mesh's folder; gives its path. */
  file(name: string, text: string): string {
    const path = join(this.home, name);
    writeFileSync(path, text);
    return path;
  }

  async close(): Promise<void> {
    await this.cli('down').catch(() => undefined);
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** The first of twelve ports in a row that are free now. */
async function freePortBase(): Promise<number> {
  for (let base = 21_000 + (process.pid % 2000) * 12; ; base = base > 60_000 ? 21_000 : base + 12) {
    const free = await Promise.all(Array.from({ length: 12 }, (_, index) => isFree(base + index)));
    if (free.every(Boolean)) return base;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
