import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
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
    env: toolEnvironment(process.env, process.stdout.isTTY),
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

/**
 * What the tools and tests get: Node 24 first on the path, nothing that would change how they work, and a home that can
 * be written, so that none of them leaves its caches in the folder it runs in.
 */
export function toolEnvironment(given: NodeJS.ProcessEnv, seen: boolean): NodeJS.ProcessEnv {
  const { NODE_ENV: _mode, NODE_OPTIONS: _options, ...rest } = given;
  // Some tools colour what nobody sees.
  const plain = seen ? {} : { NO_COLOR: '1' };
  const home = { HOME: usableHome(given['HOME']) };
  const path = { PATH: `${dirname(process.execPath)}:${root}/node_modules/.bin:${given['PATH'] ?? ''}` };
  return { ...rest, ...plain, ...home, ...path };
}

function usableHome(home: string | undefined): string {
  try {
    if (home !== undefined && isAbsolute(home)) {
      accessSync(home, constants.W_OK | constants.X_OK);
      return home;
    }
  } catch {
    // It is missing, or this user may not write there.
  }
  const own = join(root, 'node_modules/.cache/home');
  mkdirSync(own, { recursive: true });
  return own;
}
