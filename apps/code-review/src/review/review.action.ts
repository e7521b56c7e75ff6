import { RULES } from '@devmesh/analysis/rules/catalogue';
import { reviewChange } from '@devmesh/analysis/change/review-change';
import { MAX_FILE_BYTES } from '@devmesh/analysis/findings/read-text';
import { reviewTree, type ReviewOptions } from '@devmesh/analysis/findings/review-tree';
import { toSarif } from '@devmesh/analysis/report/sarif';
import { countBySeverity, summaryOf, verdictOf } from '@devmesh/analysis/report/verdict';
import { changesBetween } from '@devmesh/repository/changes';
import { implement, type Action } from '@devmesh/agent-kit/action-context';
import { codeReviewReview } from '@devmesh/contracts/actions/code-review';
import { MediaType } from '@devmesh/contracts/artifact';
import type { Finding, FindingsDocument, SeverityCounts } from '@devmesh/contracts/finding';

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
    const review = await reviewOf(context, checkout.path, means);
    const { findings } = review;
    const document: FindingsDocument = { version: 1, findings };
    const sarif = toSarif(findings, { version: RULES_VERSION, rules: RULES });
    context.progress('storing the report');
    const [findingsRef, sarifRef] = await Promise.all([
      artifacts.put(json(document), { name: 'findings.json', mediaType: MediaType.json }),
      artifacts.put(json(sarif), { name: 'findings.sarif', mediaType: MediaType.sarif }),
    ]);
    const counts = countBySeverity(findings);
    recordFindings(counts);
    return {
      verdict: verdictOf(findings, input),
      summary: summaryOf(findings, input),
      counts,
      fixable: findings.filter(({ fix }) => fix !== undefined).length,
      existing: review.existing,
      fixed: review.fixed,
      filesReviewed: review.filesReviewed,
      filesSkipped: review.filesSkipped,
      findings: findingsRef,
      sarif: sarifRef,
      repository: input.repository,
    };
  });
}

interface Reviewed {
  readonly findings: Finding[];
  readonly existing: number;
  readonly fixed: number;
  readonly filesReviewed: number;
  readonly filesSkipped: number;
}

/** The whole tree, or what it changes. */
async function reviewOf(context: ReviewContext, path: string, means: ReviewMeans): Promise<Reviewed> {
  const { input, signal } = context;
  const options = { signal, progress: (message: string) => context.progress(`reviewing: ${message}`) };
  if (input.base === undefined) {
    const { findings, filesReviewed, filesSkipped } = await reviewTree(path, { ...options, ...means });
    return { findings: [...findings], existing: 0, fixed: 0, filesReviewed, filesSkipped };
  }
  const { repository } = input;
  const base = input.base === 'run' ? repository.base : input.base;
  const objects = await context.scratch(repository);
  const change = await changesBetween(objects.gitDir, base, repository.commit, MAX_FILE_BYTES, signal);
  const review = await reviewChange(path, change, options);
  const { introduced, existing, fixed, filesReviewed, filesSkipped } = review;
  return { findings: [...introduced], existing: existing.length, fixed: fixed.length, filesReviewed, filesSkipped };
}

function json(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
