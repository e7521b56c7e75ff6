import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface BoxProcessOptions {
  readonly name: string;
  /** Arguments of node. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  /** Appended to over restarts. */
  readonly logFile: string;
}

/** One process of a mesh in a box, over its restarts. */
export class BoxProcess {
  readonly name: string;
  readonly port: number;
  /** Ids of those that were killed. */
  readonly died = new Set<number>();
  private child: ChildProcess | undefined;

  constructor(private readonly options: BoxProcessOptions) {
    this.name = options.name;
    this.port = options.port;
    mkdirSync(dirname(options.logFile), { recursive: true });
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get isUp(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  start(): void {
    if (this.isUp) throw new Error(`${this.name} runs already`);
    const log = openSync(this.options.logFile, 'a');
    // Its own group, so that it can be ended with all that it starts; the pipe ends it when the test is killed.
    this.child = spawn(process.execPath, this.options.args, {
      detached: true,
      stdio: ['pipe', log, log],
      env: { ...this.options.env, DEVMESH_PARENT_PIPE: '1' },
    });
    closeSync(log);
  }

  /** Sends the signal; for one that ends it, resolves when it is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (child?.pid === undefined || !this.isUp) return;
    const gone = once(child, 'exit');
    send(child.pid, signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return;
    this.died.add(child.pid);
    await gone;
  }

  /** Ends the group, and tells whether anything of it is left. */
  async end(): Promise<boolean> {
    const pid = this.child?.pid;
    await this.kill('SIGKILL');
    if (pid === undefined) return true;
    send(-pid, 'SIGKILL');
    const deadline = Date.now() + 2_000;
    while (isThere(-pid) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
    return !isThere(-pid);
  }

  log(): string {
    try {
      return readFileSync(this.options.logFile, 'utf8');
    } catch {
      return '';
    }
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
