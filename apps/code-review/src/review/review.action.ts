import { RULES } from '@devmesh/analysis/rules/catalogue';
import { reviewTree } from '@devmesh/analysis/findings/review-tree';
import { implement, type Action } from '@devmesh/agent-kit/action-context';
import { codeReviewReview } from '@devmesh/contracts/actions/code-review';
import { MediaType } from '@devmesh/contracts/artifact';
import type { FindingsDocument, SeverityCounts } from '@devmesh/contracts/finding';
import { toSarif } from './sarif.js';
import { countBySeverity, summaryOf, verdictOf } from './verdict.js';

/** Told the counts of every review; feeds `code_review_findings{severity}`. */
export type RecordFindings = (counts: SeverityCounts) => void;

/** Part of the SARIF files: the version of the rules and of their messages. */
const RULES_VERSION = '0.1.0';

export function reviewAction(recordFindings: RecordFindings): Action<typeof codeReviewReview> {
  return implement(codeReviewReview, async (context) => {
    const { input, artifacts } = context;
    context.progress('checking out');
    const checkout = await context.checkout(input.repository);
    context.progress('reviewing');
    const review = await reviewTree(checkout.path, {
      signal: context.signal,
      progress: (message) => context.progress(`reviewing: ${message}`),
    });
    const findings = [...review.findings];
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
      filesReviewed: review.filesReviewed,
      filesSkipped: review.filesSkipped,
      findings: findingsRef,
      sarif: sarifRef,
      repository: input.repository,
    };
  });
}

function json(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
