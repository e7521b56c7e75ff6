import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ActionContext, ActionHandler } from '@devmesh/agent-kit/action-context';
import type { featureDevIntegrate, ProposedPatch } from '@devmesh/contracts/actions/feature-dev';
import { MediaType } from '@devmesh/contracts/artifact';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { integrate, resultRef, type PatchToIntegrate } from '@devmesh/repository/integrate';

type Proposal = NonNullable<ProposedPatch>;
export type Integrated = Awaited<ReturnType<ActionHandler<typeof featureDevIntegrate>>>;

/**
 * Turns patches into commits on `repository`, in this order, and stores the bundle of the branch. A patch that conflicts
 * is left out with the reason; one that is in already, or that changes nothing, is passed over.
 * `submitted` is a reference to the same base with fewer bundles, where there is one.
 */
export async function integratePatches(
  context: ActionContext<unknown>,
  repository: RepositoryRef,
  proposals: readonly ProposedPatch[],
  submitted: RepositoryRef = repository,
): Promise<Integrated> {
  const wanted = proposals.filter((proposal): proposal is Proposal => proposal !== null);
  const byDigest = new Map(wanted.map((proposal) => [proposal.patch.artifact.digest, proposal]));
  context.progress(`integrating ${byDigest.size} patches`);
  const patches: PatchToIntegrate[] = [];
  for (const [digest, { step, agent, patch }] of byDigest) {
    patches.push({
      bytes: await context.artifacts.get({ digest }),
      title: patch.title,
      body: patch.body,
      digest,
      step,
      agent,
    });
  }
  const scratch = await context.scratch(repository);
  const folder = await mkdtemp(join(tmpdir(), 'devmesh-integrate-'));
  try {
    const done = await integrate({
      repository: scratch,
      patches,
      runId: context.runId,
      nowMs: context.now(),
      outFile: join(folder, 'result.bundle'),
      signal: context.signal,
    });
    const bundle =
      done.bundleFile === null
        ? null
        : await context.artifacts.put(
            { file: done.bundleFile },
            { name: 'result.bundle', mediaType: MediaType.bundle },
          );
    const commits = done.commits.map(({ commit, title, step, agent }) => ({
      commit,
      title,
      step: step ?? '',
      agent: agent ?? '',
    }));
    const leftOut = done.conflicts.map(({ digest, files, reason }) => ({
      title: byDigest.get(digest)?.patch.title ?? digest,
      reason: `it conflicts${files.length > 0 ? ` in ${files.slice(0, 5).join(', ')}` : ''}: ${reason}`.slice(0, 500),
    }));
    return {
      repository: bundle === null ? repository : resultRef(submitted, done, bundle.digest),
      bundle,
      commits,
      leftOut,
      summary: commitsInWords(done.applied.length, commits.length, leftOut.length),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function commitsInWords(made: number, all: number, leftOut: number): string {
  const count = made === 0 ? 'no commits' : `${made} ${made === 1 ? 'commit' : 'commits'}`;
  const before = all > made ? `, ${all} on the branch` : '';
  return leftOut > 0 ? `${count}${before}, ${leftOut} left out` : `${count}${before}`;
}
