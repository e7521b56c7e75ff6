import { execFile } from 'node:child_process';
import { root } from '../../check/command.ts';

export interface Said {
  readonly code: number;
  /** Standard output and error as they came. */
  readonly text: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end, whatever its exit code. */
export function run(
  program: string,
  args: readonly string[],
  { cwd = root, env = {} }: RunOptions = {},
): Promise<Said> {
  return new Promise((resolve, reject) => {
    let text = '';
    const child = execFile(program, args, { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 });
    const hear = (chunk: string): void => void (text += chunk);
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, text }));
  });
}
