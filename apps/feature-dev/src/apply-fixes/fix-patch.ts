import { applyFixes, type FixRound } from '@devmesh/analysis/fixes/apply-fixes';
import { reviewProject } from '@devmesh/analysis/review/review-project';
import type { ActionContext, Checkout } from '@devmesh/agent-kit/action-context';
import { readJson } from '@devmesh/agent-kit/workspace/read-json';
import type { ArtifactRef } from '@devmesh/contracts/artifact';
import { FindingsDocument, type Finding } from '@devmesh/contracts/finding';
import { EMPTY_FIX_HISTORY, type FixHistory } from '@devmesh/contracts/fix-history';
import type { PatchRef, RepositoryRef } from '@devmesh/contracts/repository';

/** A round of fixes as a patch; null when nothing was changed. */
export interface FixPatch {
  readonly patch: PatchRef | null;
  readonly fixed: number;
  readonly deferred: number;
  readonly dropped: number;
  readonly fixedFindings: { rule: string; path: string; line: number; fix: string }[];
  readonly droppedFixes: { rule: string; path: string; line: number; reason: string }[];
  /** Of this round and of those before it. */
  readonly history: FixHistory;
  /** Files that it changes, sorted. */
  readonly files: readonly string[];
  /** The same round with the fixes of these files alone, proved anew; those of the others count as dropped, for this reason. */
  readonly only: (files: ReadonlySet<string>, reason: string) => Promise<FixPatch>;
}

/** Most bytes of each list of an output, as JSON: an output has at most 32 KiB, and the history has all. */
const LISTED_BYTES = 8 * 1024;
const LISTED = 100;

const BODY_LINES = 50;

/**
 * Applies one round of safe fixes to a checkout of `repository`: those of `findings`, or of a review of its own, by the project's policy.
 * What an earlier round dropped, `before` says, is not tried again.
 */
export async function fixPatch(
  context: ActionContext<unknown>,
  repository: RepositoryRef,
  findings: Pick<ArtifactRef, 'digest'> | undefined,
  before: FixHistory = EMPTY_FIX_HISTORY,
): Promise<FixPatch> {
  const { signal } = context;
  const progress = (message: string) => context.progress(message);
  const checkout = await context.checkout(repository);
  const list = findings
    ? (await readJson(context.artifacts, findings, FindingsDocument, 'findings')).findings
    : (
        await reviewProject(checkout.path, {
          nowMs: context.now(),
          signal,
          progress: (message) => progress(`reviewing: ${message}`),
        })
      ).findings;
  const isDropped = new Set(before.dropped.map(({ fingerprint }) => fingerprint));
  const round = await applyFixes(
    checkout.path,
    list.filter(({ fingerprint }) => !isDropped.has(fingerprint)),
    { signal, progress },
  );
  return fixPatchOf(context, checkout, round, before);
}

async function fixPatchOf(
  context: ActionContext<unknown>,
  checkout: Checkout,
  round: FixRound,
  before: FixHistory,
): Promise<FixPatch> {
  const { iteration, signal } = context;
  const patch =
    round.fixed.length === 0 ? null : await context.patch(checkout, { title: titleOf(round), body: bodyOf(round) });
  const fixed = round.fixed.map((finding) => ({ ...placeOf(finding), fix: finding.fix?.description ?? '' }));
  const dropped = round.dropped.map(({ finding, reason }) => ({
    ...placeOf(finding),
    reason: reason.slice(0, 500),
    fingerprint: finding.fingerprint,
  }));
  return {
    patch,
    fixed: round.fixed.length,
    deferred: round.deferred.length,
    dropped: round.dropped.length,
    fixedFindings: listed(fixed),
    droppedFixes: listed(dropped.map(({ fingerprint: _known, ...said }) => said)),
    history: {
      version: 1,
      fixed: [...before.fixed, ...fixed.map((one) => ({ ...one, round: iteration }))],
      dropped: [...before.dropped, ...dropped.map((one) => ({ ...one, round: iteration }))],
    },
    files: round.files,
    only: async (files, reason) => {
      const isWanted = ({ location }: Finding): boolean => files.has(location.path);
      const fresh = await context.checkout(checkout.ref);
      const some = await applyFixes(fresh.path, round.fixed.filter(isWanted), { signal });
      const others = round.fixed.filter((finding) => !isWanted(finding)).map((finding) => ({ finding, reason }));
      const deferred = [...round.deferred, ...some.deferred];
      const all = [...round.dropped, ...some.dropped, ...others];
      return fixPatchOf(context, fresh, { ...some, deferred, dropped: all }, before);
    },
  };
}

function placeOf({ rule, location }: Finding): { rule: string; path: string; line: number } {
  return { rule, path: location.path, line: location.startLine };
}

/** As many as an output holds, from the first. */
function listed<T>(all: readonly T[]): T[] {
  let left = LISTED_BYTES;
  return all.slice(0, LISTED).filter((one) => {
    left -= Buffer.byteLength(JSON.stringify(one));
    return left >= 0;
  });
}

function titleOf({ fixed, files }: FixRound): string {
  const [first] = fixed;
  if (fixed.length === 1 && first) return `Fix ${first.class} in ${first.location.path}`.slice(0, 200);
  return `Fix ${fixed.length} findings in ${files.length === 1 ? files[0] : `${files.length} files`}`.slice(0, 200);
}

function bodyOf({ fixed, dropped }: FixRound): string {
  const lines = fixed.map(
    ({ location, fix, class: kind }) =>
      `- ${location.path}:${location.startLine}: ${fix?.description ?? kind} (${kind})`,
  );
  const shown = lines.slice(0, BODY_LINES);
  if (lines.length > shown.length) shown.push(`- and ${lines.length - shown.length} more`);
  const left = dropped
    .slice(0, 10)
    .map(({ finding, reason }) => `- ${finding.location.path}:${finding.location.startLine}: left as it is, ${reason}`);
  return [...shown, ...left].join('\n');
}

/** What a round did, in a few words. */
export function roundInWords({ fixed, deferred, dropped }: Pick<FixPatch, 'fixed' | 'deferred' | 'dropped'>): string {
  const rest = [
    ...(deferred > 0 ? [`${deferred} left for another round`] : []),
    ...(dropped > 0 ? [`${dropped} dropped`] : []),
  ];
  return [fixed === 0 ? 'nothing to fix' : `${fixed} fixed`, ...rest].join(', ');
}
