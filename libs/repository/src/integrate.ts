import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DevmeshError } from '@devmesh/contracts/errors';
import type { AgentName, CommitId, Digest, RunId, StepId } from '@devmesh/contracts/ids';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { runBranch } from '@devmesh/contracts/run';
import { git, GitFailure } from './git.js';
import { applyToIndex, isEmptyPatch, withIndexFolder } from './patch.js';

/** A patch to become one commit. */
export interface PatchToIntegrate {
  readonly bytes: Buffer;
  /** Subject of the commit. */
  readonly title: string;
  readonly body: string;
  /** SHA-256 of `bytes`, as the artifact store knows it; the identity by which a patch is applied once. */
  readonly digest: Digest;
  readonly step: StepId;
  readonly agent: AgentName;
}

export interface IntegrateInput {
  /** A workspace or scratch of the commit to build on. Its files, if any, are not touched. */
  readonly repository: { readonly gitDir: string; readonly ref: RepositoryRef };
  readonly patches: readonly PatchToIntegrate[];
  readonly runId: RunId;
  /** Time of every commit made, in Unix ms (cut to seconds). The same input gives the same commit ids. */
  readonly nowMs: number;
  /** Default `Devmesh <devmesh@localhost>`. */
  readonly committer?: { readonly name: string; readonly email: string };
  /** Where the bundle of `base..commit` goes. */
  readonly outFile: string;
  readonly signal?: AbortSignal;
}

/** A commit of the branch: its subject, and who proposed it, where its trailers say so. */
export interface IntegratedCommit {
  readonly commit: CommitId;
  readonly title: string;
  readonly step: string | null;
  readonly agent: string | null;
}

export interface Integration {
  readonly base: CommitId;
  /** The new tip; the old one when no patch was applied. */
  readonly commit: CommitId;
  /** All commits of `base..commit`, oldest first, those of earlier calls included. */
  readonly commits: readonly IntegratedCommit[];
  readonly applied: readonly { readonly digest: Digest; readonly commit: CommitId }[];
  readonly skipped: readonly { readonly digest: Digest; readonly reason: 'already_applied' | 'empty' }[];
  readonly conflicts: readonly {
    readonly digest: Digest;
    readonly files: readonly string[];
    readonly reason: string;
  }[];
  /** `outFile`, holding the branch `devmesh/<run>` with `base` as its prerequisite; null when `commit` is `base`. */
  readonly bundleFile: string | null;
}

const IDENTITY = { name: 'Devmesh', email: 'devmesh@localhost' };
const TRAILER = /^Devmesh-(Step|Agent|Patch): (.+)$/;
const oneLine = (text: string): string => text.replace(/[\s\u0000-\u001f\u007f]+/g, ' ').trim();

/** Subject, body, and trailers as the last paragraph: only that one is read back, so a body can't claim to be a patch. */
function messageOf(patch: PatchToIntegrate, runId: RunId): string {
  const body = patch.body
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
    .trim();
  const trailers = [
    `Devmesh-Run: ${runId}`,
    `Devmesh-Step: ${oneLine(patch.step)}`,
    `Devmesh-Agent: ${oneLine(patch.agent)}`,
    `Devmesh-Patch: ${patch.digest}`,
  ];
  return (
    [oneLine(patch.title) || 'Change files', ...(body === '' ? [] : [body]), trailers.join('\n')].join('\n\n') + '\n'
  );
}

/** Commits of `base..tip`, oldest first, each with the patch that it was made of. */
async function history(
  gitDir: string,
  base: CommitId,
  tip: CommitId,
  signal?: AbortSignal,
): Promise<(IntegratedCommit & { patch: Digest | null })[]> {
  const { stdout } = await git(
    ['log', '--reverse', '--topo-order', '--no-show-signature', '-z', '--format=%H%n%B', `${base}..${tip}`],
    { gitDir, signal },
  );
  return stdout
    .toString()
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [commit = '', title = ''] = entry.split('\n', 2);
      const lastParagraph = entry.trimEnd().split('\n\n').at(-1) ?? '';
      const trailers = new Map(
        lastParagraph
          .split('\n')
          .map((line) => (TRAILER.exec(line)?.slice(1) as [string, string] | undefined) ?? ['', '']),
      );
      const patch = trailers.get('Patch') ?? null;
      return { commit, title, step: trailers.get('Step') ?? null, agent: trailers.get('Agent') ?? null, patch };
    });
}

/** Writes the bundle of a run's branch whose one prerequisite is the user's own commit. */
async function bundleBranch(input: IntegrateInput, base: CommitId, commit: CommitId): Promise<void> {
  const { outFile, signal } = input;
  const { gitDir } = input.repository;
  const branch = `refs/heads/${runBranch(input.runId)}`;
  await git(['update-ref', branch, commit], { gitDir });
  try {
    await git(['bundle', 'create', '--quiet', resolve(outFile), branch, `^${base}`], {
      gitDir,
      timeoutMs: 600_000,
      signal,
    });
  } catch (error) {
    await rm(outFile, { force: true });
    throw error;
  } finally {
    await rm(`${outFile}.lock`, { force: true });
    await git(['update-ref', '-d', branch], { gitDir });
  }
}

/**
 * Turns patches into commits on top of the repository's commit, one each, in this order. A patch whose digest is in a trailer of
 * `base..commit` is skipped, so the same call may be repeated on its own result; one that changes nothing is skipped; one that conflicts is left out whole
 * and reported. Deterministic: equal input, equal commit ids.
 *
 * Throws `invalid_repository` when the repository doesn't hold `ref.commit` or its `base`.
 */
export async function integrate(input: IntegrateInput): Promise<Integration> {
  const { repository, signal } = input;
  const { gitDir, ref } = repository;
  const { base } = ref;
  const when = `@${Math.floor(input.nowMs / 1000)} +0000`;
  const { name, email } = input.committer ?? IDENTITY;
  const identity = {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: when,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: when,
  };

  return withIndexFolder(gitDir, async (folder) => {
    const indexFile = join(folder, 'index');
    const indexed = { gitDir, indexFile, signal };
    const treeOf = async (): Promise<string> => (await git(['write-tree'], indexed)).stdout.toString().trim();
    let earlier: (IntegratedCommit & { patch: Digest | null })[];
    try {
      earlier = await history(gitDir, base, ref.commit, signal);
      await git(['read-tree', ref.commit], indexed);
    } catch (error) {
      if (!(error instanceof GitFailure)) throw error;
      const text = `commit ${ref.commit} or its base ${base} is not in the repository's bundles: give the bundles of both`;
      throw new DevmeshError('invalid_repository', text, { cause: error });
    }
    const known = new Set(earlier.flatMap(({ patch }) => (patch === null ? [] : [patch])));
    const commits: IntegratedCommit[] = earlier.map(({ patch: _patch, ...commit }) => commit);
    const applied: { digest: Digest; commit: CommitId }[] = [];
    const skipped: { digest: Digest; reason: 'already_applied' | 'empty' }[] = [];
    const conflicts: { digest: Digest; files: readonly string[]; reason: string }[] = [];
    let tip = ref.commit;
    let tree = await treeOf();

    for (const patch of input.patches) {
      const { digest } = patch;
      if (known.has(digest)) skipped.push({ digest, reason: 'already_applied' });
      else if (isEmptyPatch(patch.bytes)) skipped.push({ digest, reason: 'empty' });
      else {
        const outcome = await applyToIndex(gitDir, indexFile, patch.bytes, signal);
        if (!outcome.applied) {
          conflicts.push({ digest, files: outcome.files, reason: outcome.reason });
          continue;
        }
        const next = await treeOf();
        if (next === tree) {
          skipped.push({ digest, reason: 'empty' });
          continue;
        }
        const made = await git(['commit-tree', next, '-p', tip, '-F', '-'], {
          gitDir,
          input: messageOf(patch, input.runId),
          env: identity,
          signal,
        });
        tip = made.stdout.toString().trim();
        tree = next;
        known.add(digest);
        commits.push({
          commit: tip,
          title: oneLine(patch.title) || 'Change files',
          step: patch.step,
          agent: patch.agent,
        });
        applied.push({ digest, commit: tip });
      }
    }
    const changed = tip !== base;
    if (changed) await bundleBranch(input, base, tip);
    return { base, commit: tip, commits, applied, skipped, conflicts, bundleFile: changed ? input.outFile : null };
  });
}

/**
 * The reference of an integrated result: the bundles that hold the user's base, then the one bundle of `base..commit`, which replaces that of an earlier
 * integration. `submitted` is the reference that the run began with.
 */
export function resultRef(
  submitted: RepositoryRef,
  integration: Pick<Integration, 'commit' | 'bundleFile'>,
  bundle: Digest,
): RepositoryRef {
  if (integration.bundleFile === null) return submitted;
  return { ...submitted, bundles: [...submitted.bundles, bundle], commit: integration.commit };
}
