import { copyFile, mkdtemp, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { CommitId } from '@devmesh/contracts/ids';
import { git, GitFailure, splitNul } from './git.js';
import { decodePath, showNames } from './names.js';
import type { Workspace } from './workspace.js';

/** A proposed change, complete but for the digest of its bytes: the rest of a `PatchRef`. */
export interface Patch {
  /** `git diff --binary --full-index`; no bytes at all when nothing changed. */
  readonly bytes: Buffer;
  readonly base: CommitId;
  readonly title: string;
  readonly body: string;
  /** Every path touched, for people: bytes that aren't UTF-8 are replaced. A `PatchRef` takes the first 500. */
  readonly files: readonly string[];
}

/** What became of a patch on an index: applied, or left out whole with the reason. */
export type ApplyOutcome =
  { readonly applied: true } | { readonly applied: false; readonly reason: string; readonly files: readonly string[] };

const MAX_PATCH_BYTES = 512 * 1024 ** 2;
const MAX_TITLE = 200;
const MAX_BODY = 20_000;

/** Without renames, so that a patch says all of both names; `a/` and `b/` whatever anybody has configured. */
const DIFF = [
  '--cached',
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--ignore-submodules=none',
  '--submodule=short',
];

/**
 * Copies an index so that git still sees which entries were written in its last moment and may have changed unseen: it compares their
 * time stamps with the index file's, so that must not get younger.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const { mtimeMs, atimeMs } = await stat(from);
  await utimes(to, atimeMs / 1000, (mtimeMs - 0.002) / 1000);
}

/** Runs `use` with a folder for index files inside the git directory. */
export async function withIndexFolder<T>(gitDir: string, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(gitDir, 'index-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Puts submodules back as they are in the commit, and takes repositories that somebody made inside the tree out: neither can
 * travel in a patch.
 */
async function restoreSubmodules(gitDir: string, indexFile: string, commit: string): Promise<void> {
  const raw = splitNul(
    (
      await git(['diff-index', '--raw', '-z', '--no-abbrev', ...DIFF, commit], {
        gitDir,
        indexFile,
        maxBytes: MAX_PATCH_BYTES,
      })
    ).stdout,
  );
  const lines: Buffer[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [oldMode = '', newMode = '', oldId = ''] = (raw[i]?.toString('latin1') ?? '').slice(1).split(' ');
    if (oldMode !== '160000' && newMode !== '160000') continue;
    const id = oldMode === '000000' ? '0'.repeat(oldId.length) : oldId;
    lines.push(
      Buffer.concat([
        Buffer.from(`${oldMode === '000000' ? '0' : oldMode} ${id}\t`),
        raw[i + 1] ?? Buffer.alloc(0),
        Buffer.from([0]),
      ]),
    );
  }
  if (lines.length > 0)
    await git(['update-index', '-z', '--index-info'], { gitDir, indexFile, input: Buffer.concat(lines) });
}

/** Records the tree of the workspace in `indexFile`. Ignored files are left out, unless the commit holds them. */
async function recordTree(workspace: Workspace, indexFile: string, signal?: AbortSignal): Promise<void> {
  const { gitDir, path: workTree } = workspace;
  await copyIndex(join(gitDir, 'index'), indexFile);
  try {
    await git(['add', '--all', '--', '.'], { gitDir, workTree, indexFile, timeoutMs: 600_000, signal });
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw new DevmeshError(
      'action_failed',
      `the workspace's changes can't be recorded: ${error.stderr.trim().slice(0, 300)}`,
      { cause: error },
    );
  }
  await restoreSubmodules(gitDir, indexFile, workspace.commit);
}

/**
 * Everything that the tree of the workspace differs in from its commit. The workspace stays as it is.
 * New files that `.gitignore` names are left out; so are submodules and repositories inside the tree.
 * Throws `invalid_input` for an empty title, `output_too_large` over 512 MiB.
 */
export async function createPatch(
  workspace: Workspace,
  title: string,
  body = '',
  signal?: AbortSignal,
): Promise<Patch> {
  const subject = title.replace(/[\s\u0000-\u001f\u007f]+/g, ' ').trim();
  if (subject === '')
    throw new DevmeshError('invalid_input', 'a patch needs a title: say in a few words what it changes');
  return withIndexFolder(workspace.gitDir, async (folder) => {
    const indexFile = join(folder, 'index');
    await recordTree(workspace, indexFile, signal);
    const call = { gitDir: workspace.gitDir, indexFile, maxBytes: MAX_PATCH_BYTES, signal };
    const names = await git(['diff-index', '--name-only', '-z', ...DIFF, workspace.commit], call);
    const bytes =
      names.stdout.length === 0
        ? Buffer.alloc(0)
        : (
            await git(
              [
                'diff-index',
                '--patch',
                '--binary',
                '--full-index',
                '--src-prefix=a/',
                '--dst-prefix=b/',
                ...DIFF,
                workspace.commit,
              ],
              call,
            )
          ).stdout;
    return {
      bytes,
      base: workspace.commit,
      title: subject.slice(0, MAX_TITLE),
      body: body.slice(0, MAX_BODY),
      files: splitNul(names.stdout).map((name) => decodePath(name).path),
    };
  });
}

/** Whether a patch changes nothing at all. */
export function isEmptyPatch(bytes: Buffer): boolean {
  return !/^(diff --git |--- )/m.test(bytes.toString('latin1', 0, Math.min(bytes.length, 1024 ** 2)));
}

function reasonOf(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /^(error|fatal|warning): /.test(line) || /conflict/i.test(line));
  return (lines.length > 0 ? lines : [stderr.trim() || 'git gave no reason']).slice(0, 5).join('; ').slice(0, 1000);
}

/**
 * Applies a patch to an index: exactly, or by three-way merge where that fails. On a conflict the index is as before. Never
 * touches a working tree. git itself refuses paths that leave the tree, lie behind a link or in a `.git` folder.
 */
export async function applyToIndex(
  gitDir: string,
  indexFile: string,
  bytes: Buffer,
  signal?: AbortSignal,
): Promise<ApplyOutcome> {
  const attempt = `${indexFile}.try`;
  let reason = '';
  let files: string[] = [];
  for (const mode of [['--cached'], ['--cached', '--3way']]) {
    await copyFile(indexFile, attempt);
    const result = await git(['apply', '--whitespace=nowarn', ...mode, '-'], {
      gitDir,
      indexFile: attempt,
      input: bytes,
      okCodes: [0, 1, 128],
      signal,
    });
    if (result.code === 0) {
      await rename(attempt, indexFile);
      return { applied: true };
    }
    reason = reasonOf(result.stderr);
    const unmerged = await git(['ls-files', '--unmerged', '-z'], { gitDir, indexFile: attempt, signal });
    files = [...new Set(splitNul(unmerged.stdout).map((line) => decodePath(line.subarray(line.indexOf(9) + 1)).path))];
  }
  await rm(attempt, { force: true });
  return { applied: false, reason, files };
}

/**
 * Applies a patch on top of whatever the tree of the workspace holds now, whole or not at all.
 * Throws `patch_conflict` with the paths.
 */
export async function applyPatch(workspace: Workspace, bytes: Buffer, signal?: AbortSignal): Promise<void> {
  if (isEmptyPatch(bytes)) return;
  const { gitDir, path: workTree } = workspace;
  await withIndexFolder(gitDir, async (folder) => {
    const indexFile = join(folder, 'index');
    await recordTree(workspace, indexFile, signal);
    const target = join(folder, 'target');
    await copyFile(indexFile, target);
    const outcome = await applyToIndex(gitDir, target, bytes, signal);
    if (!outcome.applied) {
      const where = outcome.files.length > 0 ? ` in ${showNames(outcome.files)}` : '';
      throw new DevmeshError(
        'patch_conflict',
        `the patch does not fit the workspace${where}: ${outcome.reason}; make it again on this tree`,
      );
    }
    const tree = async (file: string): Promise<string> =>
      (await git(['write-tree'], { gitDir, indexFile: file, signal })).stdout.toString().trim();
    // Moves the files from the one tree to the other, and refuses before the first if one of them has changed meanwhile.
    await git(['read-tree', '-m', '-u', await tree(indexFile), await tree(target)], {
      gitDir,
      workTree,
      indexFile,
      timeoutMs: 600_000,
      signal,
    });
  });
}
