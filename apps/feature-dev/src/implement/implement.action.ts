import { implement, type ActionContext, type Rework } from '@devmesh/agent-kit/action-context';
import { readJson } from '@devmesh/agent-kit/workspace/read-json';
import { featureDevImplement, type ProposedPatch } from '@devmesh/contracts/actions/feature-dev';
import { codeReviewReview } from '@devmesh/contracts/actions/code-review';
import { MediaType, type ArtifactRef } from '@devmesh/contracts/artifact';
import { FixHistory } from '@devmesh/contracts/fix-history';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { fixPatch, roundInWords } from '../apply-fixes/fix-patch.js';
import { integratePatches } from '../integrate/integrate-patches.js';

const AGENT = 'feature-dev';

/** Where work begins: a tree, and what was found in exactly that tree. */
interface Start {
  readonly repository: RepositoryRef;
  readonly findings: Pick<ArtifactRef, 'digest'> | undefined;
  /** What became of the fixes of earlier rounds. */
  readonly fixHistory: Pick<ArtifactRef, 'digest'> | null;
}

/** What a rejection must say to be worked on; other agents' rejections may say less. */
const Rejection = codeReviewReview.output.pick({ repository: true, findings: true, fixHistory: true });

/** A rejected tree is worked on from where it is; a rejection that names none starts over from the input. */
function startOf(
  input: { repository: RepositoryRef; findings?: ArtifactRef | undefined },
  rework: Rework | undefined,
): Start {
  const rejected = rework ? Rejection.safeParse(rework.output) : undefined;
  if (rejected?.success) return rejected.data;
  return { repository: input.repository, findings: input.findings, fixHistory: null };
}

/** Says what was asked for and not done: without a model no code is written from words. */
function textLeftOut(task: string): { title: string; reason: string }[] {
  const title = task.trim().replace(/\s+/g, ' ').slice(0, 200);
  if (title === '') return [];
  return [
    { title, reason: 'code is written from words by a model, and none is configured: only safe fixes were made' },
  ];
}

async function keptHistory(context: ActionContext<unknown>, history: FixHistory): Promise<ArtifactRef | null> {
  if (history.fixed.length + history.dropped.length === 0) return null;
  return context.artifacts.put(Buffer.from(JSON.stringify(history)), {
    name: 'fix-history.json',
    mediaType: MediaType.json,
  });
}

/**
 * Accepted patches first, then one round of safe fixes, which a later round can make again if they conflict. Patches that are
 * in the rejected tree already are passed over.
 */
export const implementAction = implement(featureDevImplement, async (context) => {
  const { input } = context;
  const { repository, findings, fixHistory } = startOf(input, context.rework);
  const before = fixHistory ? await readJson(context.artifacts, fixHistory, FixHistory, 'fix history') : undefined;
  const round = await fixPatch(context, repository, findings, before);
  const patches: ProposedPatch[] = [...input.patches];
  if (round.patch) patches.push({ step: context.step, agent: AGENT, patch: round.patch });
  const submitted = input.repository.base === repository.base ? input.repository : repository;
  const integrated = await integratePatches(context, repository, patches, submitted);
  const unwritten = textLeftOut(input.task);
  return {
    ...integrated,
    fixes: round.patch?.artifact ?? null,
    leftOut: [...integrated.leftOut, ...unwritten],
    fixed: round.fixed,
    deferred: round.deferred,
    dropped: round.dropped,
    fixedFindings: round.fixedFindings,
    droppedFixes: round.droppedFixes,
    fixHistory: await keptHistory(context, round.history),
    summary: `${integrated.summary}; ${roundInWords(round)}${unwritten.length > 0 ? '; no model, so nothing was written from the text' : ''}`,
  };
});
