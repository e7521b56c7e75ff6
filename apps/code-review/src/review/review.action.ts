import type { TreeChange } from '@devmesh/analysis/change/review-change';
import { SETTINGS_FILE_BYTES } from '@devmesh/analysis/policy/settings-files';
import type { ReviewOptions } from '@devmesh/analysis/findings/review-tree';
import { reviewProject } from '@devmesh/analysis/review/review-project';
import { toSarif } from '@devmesh/analysis/report/sarif';
import { countBySeverity } from '@devmesh/analysis/report/verdict';
import { changesBetween } from '@devmesh/repository/changes';
import { implement, type Action } from '@devmesh/agent-kit/action-context';
import { codeReviewReview } from '@devmesh/contracts/actions/code-review';
import { MediaType } from '@devmesh/contracts/artifact';
import type { FindingsDocument, SeverityCounts } from '@devmesh/contracts/finding';

/** Told the counts of every review; feeds `code_review_findings{severity}`. */
export type RecordFindings = (counts: SeverityCounts) => void;

/** Processes for the files, and a folder for results. */
export type ReviewMeans = Pick<ReviewOptions, 'pool' | 'cacheFolder'>;

type ReviewContext = Parameters<Action<typeof codeReviewReview>['run']>[0];

/** Part of the SARIF files: the version of the rules and of their messages. */
const RULES_VERSION = '0.1.0';

export function reviewAction(recordFindings: RecordFindings, means: ReviewMeans = {}): Action<typeof codeReviewReview> {
  return implement(codeReviewReview, async (context) => {
    const { input, artifacts } = context;
    context.progress('checking out');
    const checkout = await context.checkout(input.repository);
    context.progress('reviewing');
    const review = await reviewProject(checkout.path, {
      ...(await changeOf(context)),
      rejectAt: input.rejectAt,
      rejectOn: input.rejectOn,
      nowMs: context.now(),
      ...means,
      signal: context.signal,
      progress: (message) => context.progress(`reviewing: ${message}`),
    });
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
    };
  });
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
