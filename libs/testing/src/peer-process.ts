import { spawn, type ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A real program with an HTTP port, in a folder of its own. */
export class PeerProcess {
  protected constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {}

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = new Promise((resolve) => this.child.once('exit', resolve));
      this.child.kill('SIGKILL');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Starts it, and returns when `ask` is answered with a success. Rejects with what it wrote when it ends before. */
  protected static async launch(
    program: string,
    folder: string,
    args: readonly string[],
    ask: () => Promise<Response>,
  ): Promise<ChildProcess> {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
    let gone: Error | undefined;
    child.once('error', (error) => (gone = error));
    child.once('exit', (code, signal) => (gone ??= new Error(`${program} ended with ${code ?? signal}: ${said}`)));
    for (;;) {
      if (gone !== undefined) throw gone;
      const isReady = await ask().then(
        (answer) => answer.ok,
        () => false,
      );
      if (isReady) return child;
      await delay(50);
    }
  }
}
