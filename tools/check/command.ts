import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the clone. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface CommandResult {
  /** Null when a signal ended it. */
  exitCode: number | null;
  /** Standard output and errors in the order they came; empty when they went to the terminal. */
  output: string;
  timedOut: boolean;
}

export interface CommandOptions {
  /** After this many milliseconds it is killed, with everything that it started. */
  timeoutMs: number;
  /** Show what it prints while it runs, in place of collecting it. */
  live?: boolean;
  /** Where it runs; the clone when not given. */
  folder?: string;
}

/** Starts `node_modules/.bin/NAME` (or a program of that absolute path) and waits for its end. */
export async function runCommand(name: string, args: string[], options: CommandOptions): Promise<CommandResult> {
  const program = name.startsWith('/') ? name : `${root}/node_modules/.bin/${name}`;
  const child = spawn(program, args, {
    cwd: options.folder ?? root,
    // Its own process group, so that a test that hangs can be ended with all its children.
    detached: true,
    stdio: ['ignore', options.live === true ? 'inherit' : 'pipe', options.live === true ? 'inherit' : 'pipe'],
    env: environment(),
  });
  const endGroup = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It ended by itself in between.
    }
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    endGroup(signal);
    // Tests get a moment to stop what they started; nothing may outlive the run.
    setTimeout(() => {
      endGroup('SIGKILL');
      process.exit(signal === 'SIGINT' ? 130 : 143);
    }, 3_000);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);

  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    endGroup('SIGTERM');
    setTimeout(() => endGroup('SIGKILL'), 5_000).unref();
  }, options.timeoutMs);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', (code) => resolve(code));
    });
    return { exitCode, output, timedOut };
  } finally {
    clearTimeout(timer);
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

/** Ours, with Node 24 first on the path and without what would change how the tools work. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_ENV: _mode, NODE_OPTIONS: _options, ...rest } = process.env;
  // Some tools colour what nobody sees.
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1' };
  return { ...rest, ...plain, PATH: `${dirname(process.execPath)}:${root}/node_modules/.bin:${rest['PATH'] ?? ''}` };
}
