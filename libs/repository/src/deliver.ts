import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, copyFile, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { CommitId } from '@devmesh/contracts/ids';
import { packNames, readBundleHeader, unpackBundle } from './bundle.js';
import { git, GitFailure } from './git.js';
import { showName } from './names.js';
import { withUserView, type UserView } from './user-view.js';

export interface DeliverOptions {
  /** Without `refs/heads/`, e.g. `devmesh/<run>`. */
  readonly branch: string;
  readonly commit: CommitId;
  readonly signal?: AbortSignal;
}

export interface Delivery {
  /** Full name of the branch. */
  readonly ref: string;
  /** False when the branch was at this commit already and nothing was done. */
  readonly created: boolean;
}

async function refAt(view: UserView, ref: string): Promise<string | null> {
  const { code, stdout } = await git(['rev-parse', '--quiet', '--verify', '--end-of-options', ref], {
    gitDir: view.gitDir,
    okCodes: [0, 1, 128],
  });
  return code === 0 ? (stdout.toString().trim().split('\n').at(-1) ?? null) : null;
}

/** A branch can't be made beside one that is its folder (`devmesh`), nor one whose folder it would be. */
async function findObstacle(view: UserView, ref: string): Promise<string | null> {
  const parts = ref.split('/');
  for (let length = 3; length < parts.length; length++) {
    const parent = parts.slice(0, length).join('/');
    if ((await refAt(view, parent)) !== null) return parent;
  }
  const below = await git(['for-each-ref', '--count=1', '--format=%(refname)', `${ref}/`], { gitDir: view.gitDir });
  return below.stdout.toString().trim() || null;
}

/** Puts one file into place whole and durable: a copy under a name that git's own clean-up knows as temporary, then a rename. */
async function placeFile(from: string, folder: string, name: string): Promise<void> {
  const target = join(folder, name);
  const temporary = join(folder, `tmp_pack_devmesh${randomBytes(6).toString('hex')}`);
  try {
    await copyFile(from, temporary, constants.COPYFILE_EXCL);
    const handle = await open(temporary, 'r');
    await handle.sync().finally(() => handle.close());
    await chmod(temporary, 0o444);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Brings the packs of the view into the user's object store. The index goes last: git sees a pack by its index. */
async function movePacks(view: UserView): Promise<void> {
  const source = join(view.gitDir, 'objects', 'pack');
  const folder = join(view.location.commonDir, 'objects', 'pack');
  await mkdir(folder, { recursive: true });
  for (const name of await packNames(view.gitDir)) {
    if (await exists(join(folder, `${name}.idx`))) continue;
    await placeFile(join(source, `${name}.pack`), folder, `${name}.pack`);
    await placeFile(join(source, `${name}.idx`), folder, `${name}.idx`);
  }
}

async function checkWritable(view: UserView): Promise<void> {
  for (const name of ['objects', 'refs']) {
    const folder = join(view.location.commonDir, name);
    await access(folder, constants.W_OK).catch((error: unknown) => {
      throw new DevmeshError(
        'invalid_repository',
        `${showName(folder)} may not be written, so the result can't become a branch: give this user write access to it`,
        {
          cause: error,
        },
      );
    });
  }
}

function failure(error: unknown, view: UserView): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const root = showName(view.location.root);
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new DevmeshError('storage_full', `no space left for the result in ${root}: free some and fetch it again`, {
      cause: error,
    });
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new DevmeshError(
      'invalid_repository',
      `${root} may not be written: give this user write access to its .git folder`,
      { cause: error },
    );
  }
  return error;
}

/**
 * Brings a result bundle into the repository that holds `path` as a new branch. Objects are indexed and checked for completeness outside the
 * repository first; then they are added, and one atomic ref update makes the branch. Nothing else is touched: working tree,
 * index, HEAD, other refs, reflogs, FETCH_HEAD, config; no hook runs. Repeating the call is harmless.
 *
 * Throws `conflict` when the branch exists at another commit or another branch is in its way, `invalid_repository` for a bundle
 * that is damaged, incomplete or of another repository, and for a repository that may not be written.
 */
export async function fetchResult(path: string, bundleFile: string, options: DeliverOptions): Promise<Delivery> {
  const { branch, commit, signal } = options;
  return withUserView(path, async (view) => {
    const { gitDir, location } = view;
    const ref = `refs/heads/${branch}`;
    const root = showName(location.root);
    const wellFormed = await git(['check-ref-format', ref], { gitDir, okCodes: [0, 1, 128, 129] });
    if (wellFormed.code !== 0 || branch.startsWith('-'))
      throw new DevmeshError('invalid_input', `${showName(branch)} is not a name that a branch can have`);

    const current = await refAt(view, ref);
    if (current === commit) return { ref, created: false };
    if (current !== null) {
      throw new DevmeshError(
        'conflict',
        `branch ${branch} of ${root} is at ${current} and not at ${commit}: rename it ("git branch -m ${branch} old-${branch}") and fetch again`,
      );
    }
    const obstacle = await findObstacle(view, ref);
    if (obstacle !== null) {
      const name = obstacle.replace(/^refs\/heads\//, '');
      throw new DevmeshError(
        'conflict',
        `branch ${name} of ${root} is in the way of ${branch}: rename it ("git branch -m ${name} ${name}-old") and fetch again`,
      );
    }
    await checkWritable(view);

    const what = `result bundle ${showName(bundleFile)}`;
    const header = await readBundleHeader(bundleFile, what);
    if (!header.refs.some(({ oid }) => oid === commit)) {
      throw new DevmeshError(
        'invalid_repository',
        `${what} does not hold commit ${commit}: fetch the run's result again`,
      );
    }
    for (const prerequisite of header.prerequisites) {
      if ((await refAt(view, `${prerequisite}^{commit}`)) === null) {
        throw new DevmeshError(
          'invalid_repository',
          `${root} lacks commit ${prerequisite}, which the result builds on: fetch that commit, or give the repository that the run began with`,
        );
      }
    }
    await unpackBundle(gitDir, bundleFile, header, what, signal);
    const excluded = header.prerequisites.map((id) => `^${id}`);
    try {
      await git(['rev-list', '--objects', '--quiet', '--stdin'], {
        gitDir,
        input: [commit, ...excluded].join('\n') + '\n',
        signal,
      });
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error;
      throw new DevmeshError(
        'invalid_repository',
        `${what} is incomplete: ${error.stderr.trim().slice(0, 300)}; fetch the run's result again`,
        { cause: error },
      );
    }
    try {
      await movePacks(view);
      // The zero id: the ref must not exist. Somebody else's lock or ref makes this fail, never overwrite.
      await git(['update-ref', '--no-deref', ref, commit, '0'.repeat(commit.length)], { gitDir });
    } catch (error) {
      if (!(error instanceof GitFailure)) throw failure(error, view);
      if ((await refAt(view, ref)) === commit) return { ref, created: false };
      throw new DevmeshError(
        'conflict',
        `branch ${branch} could not be made in ${root}: ${error.stderr.trim().slice(0, 300)}; fetch the result again`,
        { cause: error },
      );
    }
    return { ref, created: true };
  });
}
