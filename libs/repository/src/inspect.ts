import { DevmeshError } from '@devmesh/contracts/errors';
import type { CommitId } from '@devmesh/contracts/ids';
import type { RepositoryNotice } from '@devmesh/contracts/repository';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { git, GitFailure, splitNul } from './git.js';
import { decodePath, showName, showNames } from './names.js';
import { listTree, treeNotices, type TreeEntry } from './tree.js';
import { withUserView, type UserView } from './user-view.js';

/** What is known of a user's repository before it is packed. */
export interface RepositoryInspection {
  /** Absolute path of the working tree's top folder. */
  readonly root: string;
  readonly gitDir: string;
  readonly commit: CommitId;
  /** The branch or tag worked on, e.g. `main`; null for a detached HEAD or a commit given by id. */
  readonly ref: string | null;
  /** HEAD names a commit and no branch. */
  readonly detached: boolean;
  /** The user's repository holds only part of its history. */
  readonly shallow: boolean;
  /** The working tree holds changes that the commit doesn't. */
  readonly dirty: boolean;
  readonly notices: readonly RepositoryNotice[];
  readonly fileCount: number;
  /** In bytes. */
  readonly totalSize: number;
  readonly largest: { readonly path: string; readonly size: number } | null;
}

const MAX_REF_LENGTH = 1000;

function refuse(message: string, cause?: unknown): DevmeshError {
  return new DevmeshError('invalid_repository', message, { cause });
}

/** The cure for objects that aren't there, whatever the reason. */
export function missingObjects(view: UserView, detail: string, cause?: unknown): DevmeshError {
  const root = showName(view.location.root);
  return refuse(
    view.partialClone
      ? `${root} is a partial clone and objects are missing (${detail}): fetch them with "git fetch --refetch --no-filter", or clone without --filter`
      : `${root} lacks objects that its commit needs (${detail}): see "git fsck", then fetch or clone again`,
    cause,
  );
}

async function symbolicName(view: UserView, ref: string): Promise<string | null> {
  const { stdout } = await git(['rev-parse', '--quiet', '--verify', '--symbolic-full-name', '--end-of-options', ref], {
    gitDir: view.gitDir,
    okCodes: [0, 1, 128],
  });
  // Older versions of git print the marker too.
  const full =
    stdout
      .toString()
      .split('\n')
      .filter((line) => line !== '' && line !== '--end-of-options')[0] ?? '';
  return full.startsWith('refs/') ? full.replace(/^refs\/(heads|tags|remotes)\//, '') : null;
}

async function resolveCommit(view: UserView, ref: string | undefined): Promise<CommitId> {
  const root = showName(view.location.root);
  if (
    ref !== undefined &&
    (ref === '' || ref.length > MAX_REF_LENGTH || ref.startsWith('-') || /[\u0000-\u001f\u007f]/.test(ref))
  ) {
    throw refuse(
      `${showName(ref.slice(0, 100))} is not a name that a branch, tag or commit can have: give one that "git branch" or "git log" shows`,
    );
  }
  const { stdout, stderr, code } = await git(
    ['rev-parse', '--verify', '--end-of-options', `${ref ?? 'HEAD'}^{commit}`],
    { gitDir: view.gitDir, okCodes: [0, 1, 128] },
  );
  const id = stdout.toString().trim().split('\n').at(-1) ?? '';
  if (code === 0 && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(id)) return id;
  if (/unknown repository (extension|format)|repository version|ref storage/i.test(stderr)) {
    throw refuse(
      `${root} is kept in a format that this git cannot read (${stderr.trim().slice(0, 300)}): install a newer git`,
    );
  }
  if (ref !== undefined) {
    throw refuse(
      `${root} has no branch, tag or commit "${ref}": see "git branch --all"; a branch that is only on a server must be fetched first`,
    );
  }
  if (!view.head.startsWith('ref: ')) throw missingObjects(view, `HEAD is ${view.head}`);
  const branch = view.head.slice(5).replace(/^refs\/heads\//, '');
  const exists = await git(['rev-parse', '--quiet', '--verify', view.head.slice(5)], {
    gitDir: view.gitDir,
    okCodes: [0, 1, 128],
  });
  if (exists.code === 0) throw missingObjects(view, `branch ${branch} is at ${exists.stdout.toString().trim()}`);
  throw refuse(
    `${root} has no commit yet on its branch "${branch}": make a first commit ("git add -A && git commit"), or name a ref that has one`,
  );
}

/**
 * Changes of the working tree, counted with the user's own index (read, never written) and without filters, hooks, monitors
 * and submodules. Null when they can't be counted, e.g. with a damaged index.
 */
async function countChanges(
  view: UserView,
  signal?: AbortSignal,
): Promise<{ changed: string[]; untracked: string[] } | null> {
  try {
    const { stdout } = await git(
      ['status', '--porcelain=v1', '-z', '--untracked-files=normal', '--ignore-submodules=all', '--no-renames'],
      {
        gitDir: view.gitDir,
        workTree: view.location.root,
        indexFile: join(view.location.gitDir, 'index'),
        signal,
      },
    );
    const lines = splitNul(stdout);
    const name = (line: Buffer): string => decodePath(line.subarray(3)).path;
    const untracked = lines.filter((line) => line.subarray(0, 2).toString() === '??');
    return { changed: lines.filter((line) => !untracked.includes(line)).map(name), untracked: untracked.map(name) };
  } catch (error) {
    if (error instanceof GitFailure) return null;
    throw error;
  }
}

async function dirtyNotice(view: UserView, commit: string, signal?: AbortSignal): Promise<RepositoryNotice | null> {
  const changes = await countChanges(view, signal);
  const onCommit = `work is done on commit ${commit.slice(0, 12)}`;
  if (changes === null)
    return { code: 'dirty_tree', message: `the working tree could not be compared with its index; ${onCommit}` };
  const { changed, untracked } = changes;
  const parts = [
    ...(changed.length > 0 ? [`${changed.length} uncommitted (${showNames(changed, 3)})`] : []),
    ...(untracked.length > 0 ? [`${untracked.length} untracked (${showNames(untracked, 3)})`] : []),
  ];
  if (parts.length === 0) return null;
  return {
    code: 'dirty_tree',
    message: `${onCommit}; changes that are not in it are not seen: ${parts.join(', ')}`.slice(0, 2000),
  };
}

async function checkReadable(view: UserView): Promise<void> {
  for (const dir of view.location.objectDirs) {
    await stat(join(dir, '.')).catch((error: unknown) => {
      throw refuse(`${showName(dir)} may not be read: give this user read access to it`, error);
    });
  }
}

/** As `inspectRepository`, on a view that is open, with the tree's entries beside it. */
export async function inspectView(
  view: UserView,
  ref?: string,
  signal?: AbortSignal,
): Promise<RepositoryInspection & { entries: readonly TreeEntry[] }> {
  await checkReadable(view);
  const commit = await resolveCommit(view, ref);
  let entries: TreeEntry[];
  try {
    entries = await listTree(view.gitDir, commit, signal);
  } catch (error) {
    if (error instanceof GitFailure) throw missingObjects(view, error.stderr.trim().slice(0, 200), error);
    throw error;
  }
  const missing = entries.filter((entry) => entry.size === null && entry.kind !== 'submodule');
  if (missing.length > 0) throw missingObjects(view, showNames(missing.map((entry) => entry.path)));

  const onHead = ref === undefined || ref === 'HEAD';
  const detached = onHead && !view.head.startsWith('ref: ');
  const [name, dirty, ofTree] = await Promise.all([
    onHead ? Promise.resolve(detached ? null : await symbolicName(view, 'HEAD')) : symbolicName(view, ref),
    dirtyNotice(view, commit, signal),
    treeNotices(view.gitDir, entries, signal),
  ]);
  const notices: RepositoryNotice[] = [...ofTree];
  if (dirty !== null) notices.unshift(dirty);
  if (view.shallow.length > 0)
    notices.push({ code: 'shallow', message: 'the repository is shallow: only the history that it holds is known' });
  if (detached)
    notices.push({ code: 'detached_head', message: `HEAD is detached; work is done on commit ${commit.slice(0, 12)}` });

  let largest: TreeEntry | undefined;
  let totalSize = 0;
  for (const entry of entries) {
    totalSize += entry.size ?? 0;
    if ((entry.size ?? -1) > (largest?.size ?? -1)) largest = entry;
  }
  return {
    root: view.location.root,
    gitDir: view.location.gitDir,
    commit,
    ref: name,
    detached,
    shallow: view.shallow.length > 0,
    dirty: dirty !== null,
    notices,
    fileCount: entries.length,
    totalSize,
    largest: largest === undefined ? null : { path: largest.path, size: largest.size ?? 0 },
    entries,
  };
}

/**
 * Looks at the repository that holds `path`, at `ref` (default HEAD), without touching or running anything of it.
 *
 * Throws `invalid_repository`, naming culprit and cure, for: no repository, a bare one, a branch without a commit, a missing
 * ref, a path that is missing or may not be read, missing objects, a format that this git can't read.
 */
export async function inspectRepository(path: string, ref?: string): Promise<RepositoryInspection> {
  return withUserView(path, async (view) => {
    const { entries: _entries, ...inspection } = await inspectView(view, ref);
    return inspection;
  });
}
