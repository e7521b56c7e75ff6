import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { withUserView } from '@devmesh/repository/user-view';

const run = promisify(execFile);

/** git reads a view of ours, never the user's own config: no pager, no driver, no filter of it runs. */
function environment(gitDir: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return {
    PATH: env['PATH'],
    TERM: env['TERM'],
    LC_ALL: 'C.UTF-8',
    GIT_DIR: gitDir,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
  };
}

/** How many commits lie between two; null when git can't tell. */
export async function countCommits(
  path: string,
  base: string,
  commit: string,
  env: NodeJS.ProcessEnv,
): Promise<number | null> {
  try {
    return await withUserView(path, async ({ gitDir }) => {
      const { stdout } = await run('git', ['rev-list', '--count', `${base}..${commit}`], {
        env: environment(gitDir, env),
        timeout: 10_000,
      });
      return Number(stdout.trim());
    });
  } catch {
    return null;
  }
}

export interface DiffOptions {
  readonly color: boolean;
  readonly stat: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** The change between two commits as git shows it, piece by piece into `write`. */
export async function showDiff(
  path: string,
  base: string,
  commit: string,
  options: DiffOptions,
  write: (chunk: Buffer) => void,
): Promise<void> {
  await withUserView(path, async ({ gitDir }) => {
    const args = [
      '--no-pager',
      '-c',
      'core.quotePath=false',
      'diff',
      '--no-ext-diff',
      '--no-textconv',
      '--find-renames',
      `--color=${options.color ? 'always' : 'never'}`,
      ...(options.stat ? ['--stat'] : ['--patch']),
      base,
      commit,
    ];
    await new Promise<void>((resolve, reject) => {
      const child = spawn('git', args, { env: environment(gitDir, options.env), stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      child.stdout.on('data', write);
      child.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0 ? resolve() : reject(new Error(`git diff failed: ${said.trim().slice(0, 500)}`)),
      );
    });
  });
}

/** Whether a branch is there and at that commit. */
export async function branchIsAt(
  path: string,
  branch: string,
  commit: string,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  try {
    return await withUserView(path, async ({ gitDir }) => {
      const { stdout } = await run('git', ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`], {
        env: environment(gitDir, env),
        timeout: 10_000,
      });
      return stdout.trim() === commit;
    });
  } catch {
    return false;
  }
}
