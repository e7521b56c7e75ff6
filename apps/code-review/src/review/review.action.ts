import type { TreeChange } from '@devmesh/analysis/change/review-change';
import { SETTINGS_FILE_BYTES } from '@devmesh/analysis/policy/settings-files';
import type { ReviewOptions } from '@devmesh/analysis/findings/review-tree';
import { reviewProject, type ProjectReview } from '@devmesh/analysis/review/review-project';
import { toSarif } from '@devmesh/analysis/report/sarif';
import { countBySeverity } from '@devmesh/analysis/report/verdict';
import { changesBetween } from '@devmesh/repository/changes';
import { implement, type Action } from '@devmesh/agent-kit/action-context';
import { readJson } from '@devmesh/agent-kit/workspace/read-json';
import { codeReviewReview } from '@devmesh/contracts/actions/code-review';
import { MediaType } from '@devmesh/contracts/artifact';
import { FixHistory } from '@devmesh/contracts/fix-history';
import type { FindingHistory } from '@devmesh/contracts/finding-fate';
import { seenIn, type FatesPort } from './fates.js';
import type { FindingsDocument, SeverityCounts } from '@devmesh/contracts/finding';

/** What a review needs of its process. */
export interface ReviewPorts {
  /** Told the counts of every review; feeds `code_review_findings{severity}`. */
  readonly recordFindings: (counts: SeverityCounts) => void;
  /** Processes for the files, and a folder for results. */
  readonly means?: Pick<ReviewOptions, 'pool' | 'cacheFolder'>;
  readonly fates: FatesPort;
  readonly warn: (message: string, facts: { readonly run: string; readonly error: unknown }) => void;
}

type ReviewContext = Parameters<Action<typeof codeReviewReview>['run']>[0];

/** Part of the SARIF files: the version of the rules and of their messages. */
const RULES_VERSION = '0.1.0';

export function reviewAction(ports: ReviewPorts): Action<typeof codeReviewReview> {
  const { recordFindings, means } = ports;
  return implement(codeReviewReview, async (context) => {
    const { input, artifacts } = context;
    means?.pool?.warm();
    context.progress('checking out');
    const checkout = await context.checkout(input.repository);
    context.progress('reviewing');
    const review = await reviewProject(checkout.path, {
      ...(await changeOf(context)),
      rejectAt: input.rejectAt,
      rejectOn: input.rejectOn,
      nowMs: context.now(),
      ...means,
      ...(await historyOf(context, ports)),
      ...(await droppedOf(context)),
      signal: context.signal,
      progress: (message) => context.progress(`reviewing: ${message}`),
    });
    await keep(context, ports, review);
    const findings = [...review.findings];
    const document: FindingsDocument = { version: 1, findings };
    const sarif = toSarif(findings, { version: RULES_VERSION, rules: review.rules }, review);
    context.progress('storing the report');
    const [findingsRef, sarifRef] = await Promise.all([
      artifacts.put(json(document), { name: 'findings.json', mediaType: MediaType.json }),
      artifacts.put(json(sarif), { name: 'findings.sarif', mediaType: MediaType.sarif }),
    ]);
    const counts = countBySeverity(findings);
    recordFindings(counts);
    return {
      verdict: review.verdict,
      summary: review.summary,
      counts,
      fixable: findings.filter(({ fix }) => fix !== undefined).length,
      existing: review.existing.length,
      fixed: review.fixed.length,
      suppressed: review.suppressed.length,
      filesReviewed: review.filesReviewed,
      filesSkipped: review.filesSkipped,
      findings: findingsRef,
      sarif: sarifRef,
      repository: input.repository,
      fixHistory: input.fixHistory ?? null,
    };
  });
}

/** What people have said. A review without is stricter, and better than none. */
async function historyOf(context: ReviewContext, { fates, warn }: ReviewPorts): Promise<{ history?: FindingHistory }> {
  try {
    return { history: await fates.history(context.runId, { signal: context.signal }) };
  } catch (error) {
    context.signal.throwIfAborted();
    warn('a review goes on without what people have said of findings', { run: context.runId, error });
    return {};
  }
}

/** Fixes that were tried earlier in the run and did not hold. */
async function droppedOf({ input, artifacts }: ReviewContext): Promise<{ droppedFixes?: ReadonlySet<string> }> {
  if (!input.fixHistory) return {};
  const { dropped } = await readJson(artifacts, input.fixHistory, FixHistory, 'fix history');
  return { droppedFixes: new Set(dropped.map(({ fingerprint }) => fingerprint)) };
}

/** Keeps what was seen in the commit that the run began with: only that is the user's, and whole. */
async function keep(context: ReviewContext, { fates, warn }: ReviewPorts, review: ProjectReview): Promise<void> {
  const { repository, base } = context.input;
  const seen = base === undefined && repository.commit === repository.base ? seenIn(review) : undefined;
  if (seen === undefined) return;
  try {
    await fates.record(context.runId, seen, { signal: context.signal });
  } catch (error) {
    context.signal.throwIfAborted();
    warn('what became of findings could not be kept', { run: context.runId, error });
  }
}

/** With a base: what lies between it and the tree. */
async function changeOf(context: ReviewContext): Promise<{ change?: TreeChange }> {
  const { repository, base } = context.input;
  if (base === undefined) return {};
  const objects = await context.scratch(repository);
  const from = base === 'run' ? repository.base : base;
  return {
    change: await changesBetween(objects.gitDir, from, repository.commit, SETTINGS_FILE_BYTES, context.signal),
  };
}

function json(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
