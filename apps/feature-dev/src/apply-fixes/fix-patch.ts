import { applyFixes, type FixRound } from '@devmesh/analysis/fixes/apply-fixes';
import { reviewProject } from '@devmesh/analysis/review/review-project';
import type { ActionContext } from '@devmesh/agent-kit/action-context';
import type { ArtifactRef } from '@devmesh/contracts/artifact';
import { DevmeshError, parseOrThrow } from '@devmesh/contracts/errors';
import { FindingsDocument, type Finding } from '@devmesh/contracts/finding';
import type { PatchRef, RepositoryRef } from '@devmesh/contracts/repository';

/** A round of fixes as a patch; null when nothing was changed. */
export interface FixPatch {
  readonly patch: PatchRef | null;
  readonly fixed: number;
  readonly deferred: number;
  readonly dropped: number;
  readonly fixedFindings: { rule: string; path: string; line: number; fix: string }[];
  readonly droppedFixes: { rule: string; path: string; line: number; reason: string }[];
}

/** Fixes that are told one by one. */
const LISTED = 100;

const BODY_LINES = 50;

/** Applies one round of safe fixes to a checkout of `repository`: those of `findings`, or of a review of its own, by the project's policy. */
export async function fixPatch(
  context: ActionContext<unknown>,
  repository: RepositoryRef,
  findings: Pick<ArtifactRef, 'digest'> | undefined,
): Promise<FixPatch> {
  const { signal } = context;
  const progress = (message: string) => context.progress(message);
  const checkout = await context.checkout(repository);
  const list = findings
    ? await readFindings(context, findings)
    : (
        await reviewProject(checkout.path, {
          nowMs: context.now(),
          signal,
          progress: (message) => progress(`reviewing: ${message}`),
        })
      ).findings;
  const round = await applyFixes(checkout.path, list, { signal, progress });
  const patch =
    round.fixed.length === 0 ? null : await context.patch(checkout, { title: titleOf(round), body: bodyOf(round) });
  const placeOf = ({ rule, location }: Finding) => ({ rule, path: location.path, line: location.startLine });
  return {
    patch,
    fixed: round.fixed.length,
    deferred: round.deferred.length,
    dropped: round.dropped.length,
    fixedFindings: round.fixed
      .slice(0, LISTED)
      .map((finding) => ({ ...placeOf(finding), fix: finding.fix?.description ?? '' })),
    droppedFixes: round.dropped
      .slice(0, LISTED)
      .map(({ finding, reason }) => ({ ...placeOf(finding), reason: reason.slice(0, 500) })),
  };
}

async function readFindings(
  context: ActionContext<unknown>,
  ref: Pick<ArtifactRef, 'digest'>,
): Promise<readonly Finding[]> {
  const bytes = await context.artifacts.get(ref);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new DevmeshError('invalid_input', `findings ${ref.digest} is not JSON: give the findings of code-review`, {
      cause,
    });
  }
  return parseOrThrow(FindingsDocument, value, `findings ${ref.digest}`, 'invalid_input').findings;
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
