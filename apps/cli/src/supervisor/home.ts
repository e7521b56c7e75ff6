import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';

/** Raised when the layout below changes in a way that an older Devmesh would misread. */
export const HOME_FORMAT = 1;

/** Where everything of one mesh is kept. All paths absolute. */
export interface Home {
  readonly root: string;
  readonly versionFile: string;
  readonly lockFile: string;
  /** What belongs to the processes of now: control address, process table, last error. */
  readonly run: string;
  readonly secrets: string;
  readonly logs: string;
  readonly postgres: string;
  readonly apiKeyFile: string;
  /** Results handed back, a folder per run. */
  readonly runs: string;
  /** Sample repositories made by this mesh. */
  readonly sample: string;
  readonly cache: string;
}

export function homeAt(path: string): Home {
  const root = resolve(path);
  return {
    root,
    versionFile: join(root, 'version'),
    lockFile: join(root, 'supervisor.lock'),
    run: join(root, 'run'),
    secrets: join(root, 'secrets'),
    logs: join(root, 'logs'),
    postgres: join(root, 'postgres'),
    apiKeyFile: join(root, 'api-key'),
    runs: join(root, 'runs'),
    sample: join(root, 'sample'),
    cache: join(root, 'cache'),
  };
}

/** `DEVMESH_HOME`, or `.devmesh` in the clone. */
export function locateHome(env: NodeJS.ProcessEnv, clone: string): Home {
  const asked = env['DEVMESH_HOME'];
  return homeAt(asked === undefined || asked === '' ? join(clone, '.devmesh') : asked);
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? '?'}`;
  }
}

/** An error of the file system in words: who may not, where, and what helps. */
export function folderError(home: Home, error: unknown): DevmeshError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DevmeshError(
      'storage_full',
      `no space left for the data folder ${home.root}: free some, or set DEVMESH_HOME to a folder on another disk`,
      {
        cause: error,
      },
    );
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new DevmeshError(
      'invalid_request',
      `the data folder ${home.root} is not a folder: move that file away, or set DEVMESH_HOME to another path`,
      {
        cause: error,
      },
    );
  }
  return new DevmeshError(
    'forbidden',
    `${userName()} may not write to the data folder ${home.root} (${code ?? 'unknown error'}): run this as the folder's owner, give ${userName()} write access to it, or set DEVMESH_HOME to a folder that it owns`,
    { cause: error },
  );
}

/**
 * Refuses a folder of a newer Devmesh; null when there is no mesh in it yet.
 * Reading alone is safe at any time, also beside a running mesh.
 */
export async function readHomeFormat(home: Home): Promise<number | null> {
  let text: string;
  try {
    text = await readFile(home.versionFile, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw folderError(home, error);
  }
  const format = Number(text.trim());
  if (!Number.isInteger(format) || format < 1) {
    throw new DevmeshError(
      'conflict',
      `${home.versionFile} holds no version number: restore it from a backup, or set DEVMESH_HOME to a new folder`,
    );
  }
  if (format > HOME_FORMAT) {
    throw new DevmeshError(
      'conflict',
      `the data folder ${home.root} was made by a newer Devmesh (its format is ${format}, this one reads up to ${HOME_FORMAT}): update this clone, or set DEVMESH_HOME to another folder`,
    );
  }
  return format;
}

/** Makes the folder ready to be written by this process, or says why it can't be. Idempotent. */
export async function openHome(home: Home): Promise<void> {
  const format = await readHomeFormat(home);
  try {
    // The parent may be anything; what is ours is for its owner alone: it holds keys and other people's code.
    await mkdir(dirname(home.root), { recursive: true });
    await mkdir(home.root, { mode: 0o700 }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    for (const folder of [home.run, home.secrets, home.logs, home.runs, home.sample, home.cache]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await access(folder, constants.W_OK);
    }
    const probe = join(home.run, `.write-test-${randomUUID()}`);
    await writeFile(probe, 'x');
    await rm(probe);
    if (format === null) await writeFile(home.versionFile, `${HOME_FORMAT}\n`);
  } catch (error) {
    throw error instanceof DevmeshError ? error : folderError(home, error);
  }
}
