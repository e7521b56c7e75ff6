import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { CommitId } from '@devmesh/contracts/ids';
import type { RepositoryHistory, RepositoryNotice } from '@devmesh/contracts/repository';
import { git, GitFailure } from './git.js';
import { writeShallow } from './git-dir.js';
import { readHistory } from './history.js';
import { inspectView, missingObjects, type RepositoryInspection } from './inspect.js';
import { withUserView } from './user-view.js';

export interface PackOptions {
  /** Branch, tag or commit; default HEAD. */
  readonly ref?: string;
  /** Where the bundle goes; an existing file is replaced. */
  readonly outFile: string;
  /** Only the commit itself travels, without its history. */
  readonly depth?: 1;
  readonly signal?: AbortSignal;
}

/** A bundle of one commit and what a `RepositoryRef` needs beside it. */
export interface PackedRepository {
  readonly file: string;
  /** The user's real commit; the same as `commit`. */
  readonly base: CommitId;
  readonly commit: CommitId;
  /** Boundary commits, which the reader writes to `shallow` before it unpacks. Empty for a first commit. */
  readonly shallow: CommitId[];
  readonly notices: readonly RepositoryNotice[];
  readonly inspection: RepositoryInspection;
  /** Undefined where it cannot be told. */
  readonly history: RepositoryHistory | undefined;
}

/**
 * Writes a bundle that holds `commit` without history. Returns its boundary: the commit itself, if it has parents.
 * Replaces HEAD and boundary of the git directory, which must be one of ours.
 */
export async function bundleCommit(
  gitDir: string,
  commit: CommitId,
  outFile: string,
  signal?: AbortSignal,
): Promise<CommitId[]> {
  const raw = (await git(['cat-file', 'commit', commit], { gitDir, signal })).stdout.toString('latin1');
  const hasParents = /^parent /m.test(raw.slice(0, raw.indexOf('\n\n')));
  const boundary = hasParents ? [commit] : [];
  await writeShallow(gitDir, boundary);
  await writeFile(join(gitDir, 'HEAD'), `${commit}\n`);
  try {
    await git(['bundle', 'create', '--quiet', resolve(outFile), 'HEAD'], { gitDir, timeoutMs: 600_000, signal });
  } catch (error) {
    await rm(outFile, { force: true });
    throw error;
  } finally {
    // git's own temporary file, left when it is killed.
    await rm(`${outFile}.lock`, { force: true });
  }
  return boundary;
}

/**
 * Packs the repository that holds `path` for travel. Nothing of it is written, locked or run, and no temporary file stays.
 * Throws as `inspectRepository` does.
 */
export async function packRepository(path: string, options: PackOptions): Promise<PackedRepository> {
  return withUserView(path, async (view) => {
    const { entries: _entries, ...inspection } = await inspectView(view, options.ref, options.signal);
    try {
      const { commit, notices } = inspection;
      // Before the bundle, which makes the commit the view's boundary.
      const history = await readHistory(view.gitDir, commit, {
        isShallow: view.shallow.length > 0,
        signal: options.signal,
      });
      const shallow = await bundleCommit(view.gitDir, commit, options.outFile, options.signal);
      return { file: options.outFile, base: commit, commit, shallow, notices, inspection, history };
    } catch (error) {
      if (
        error instanceof GitFailure &&
        /unable to read|bad object|missing|could not (?:fetch|parse)/i.test(error.stderr)
      ) {
        throw missingObjects(view, error.stderr.trim().slice(0, 200), error);
      }
      throw error;
    }
  });
}
