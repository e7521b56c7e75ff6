import { implement, type ActionContext, type Rework } from '@devmesh/agent-kit/action-context';
import { readJson } from '@devmesh/agent-kit/workspace/read-json';
import { featureDevImplement, type ProposedPatch, type TestsOfChange } from '@devmesh/contracts/actions/feature-dev';
import { codeReviewReview } from '@devmesh/contracts/actions/code-review';
import { MediaType, type ArtifactRef } from '@devmesh/contracts/artifact';
import { FixHistory } from '@devmesh/contracts/fix-history';
import type { RepositoryRef } from '@devmesh/contracts/repository';
import { fixPatch, roundInWords, type FixPatch } from '../apply-fixes/fix-patch.js';
import { integratePatches, type Integrated } from '../integrate/integrate-patches.js';
import { testedIntegration } from '../run-tests/tested-integration.js';

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

interface Change {
  readonly integrated: Integrated;
  readonly round: FixPatch;
  readonly tests: TestsOfChange | null;
}

/** Turns patches and fixes into commits; where tests are asked for, as far as they stand it. */
async function change(
  context: ActionContext<unknown>,
  start: RepositoryRef,
  submitted: RepositoryRef,
  { others, round, runTests }: { others: readonly ProposedPatch[]; round: FixPatch; runTests: boolean },
): Promise<Change> {
  const integrate = (patches: readonly ProposedPatch[], { patch }: FixPatch) => {
    const fixes = patch ? [{ step: context.step, agent: AGENT, patch }] : [];
    return integratePatches(context, start, [...patches, ...fixes], submitted);
  };
  if (!runTests) return { integrated: await integrate(others, round), round, tests: null };
  const tested = await testedIntegration(context, start, { others, round, integrate });
  const reason = tested.tests.summary.slice(0, 500);
  const leftOut = tested.rejected.map((title) => ({ title, reason }));
  return {
    ...tested,
    integrated: { ...tested.integrated, leftOut: [...tested.integrated.leftOut, ...leftOut] },
  };
}

/** What the tests said, as part of a summary. */
function testsInWords(tests: TestsOfChange | null): string {
  if (tests === null) return '';
  return `; ${tests.summary.slice(0, 300)}`;
}

/**
 * Accepted patches first, then one round of safe fixes, which a later round can make again if they conflict. Patches that are
 * in the rejected tree already are passed over.
 */
export const implementAction = implement(featureDevImplement, async (context) => {
  const { input } = context;
  const { repository, findings, fixHistory } = startOf(input, context.rework);
  const before = fixHistory ? await readJson(context.artifacts, fixHistory, FixHistory, 'fix history') : undefined;
  const proposed = await fixPatch(context, repository, findings, before);
  const submitted = input.repository.base === repository.base ? input.repository : repository;
  const { integrated, round, tests } = await change(context, repository, submitted, {
    others: input.patches,
    round: proposed,
    runTests: input.runTests === true,
  });
  const unwritten = textLeftOut(input.task);
  const noModel = unwritten.length > 0 ? '; no model, so nothing was written from the text' : '';
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
    tests,
    summary: `${integrated.summary}; ${roundInWords(round)}${noModel}${testsInWords(tests)}`.slice(0, 500),
  };
});
