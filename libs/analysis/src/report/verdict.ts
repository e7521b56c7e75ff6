import { SEVERITIES, type Finding, type Severity, type SeverityCounts } from '@devmesh/contracts/finding';

/** When a tree is rejected: a finding at `rejectAt` or worse remains, among all or among those with a safe fix. */
export interface Threshold {
  readonly rejectAt: Severity | 'never';
  readonly rejectOn: 'all' | 'fixable';
}

export function countBySeverity(findings: readonly Finding[]): SeverityCounts {
  const counts: SeverityCounts = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
}

/** The findings that speak against a tree. */
export function objections(findings: readonly Finding[], { rejectAt, rejectOn }: Threshold): Finding[] {
  if (rejectAt === 'never') return [];
  const limit = SEVERITIES.indexOf(rejectAt);
  return findings.filter(
    ({ severity, fix }) => SEVERITIES.indexOf(severity) <= limit && (rejectOn === 'all' || fix !== undefined),
  );
}

/** "3 findings (1 high, 2 low)", for people. */
export function countsText(findings: readonly Finding[]): string {
  const counts = countBySeverity(findings);
  const parts = SEVERITIES.filter((severity) => counts[severity] > 0).map(
    (severity) => `${counts[severity]} ${severity}`,
  );
  const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`;
  return parts.length > 0 ? `${count} (${parts.join(', ')})` : 'no findings';
}

/** One line for people: how many of what, and why the verdict is what it is. */
export function summaryOf(findings: readonly Finding[], threshold: Threshold): string {
  const found = countsText(findings);
  if (threshold.rejectAt === 'never') return `${found}; approved: the policy rejects nothing`;
  const against = objections(findings, threshold).length;
  const which = threshold.rejectOn === 'fixable' ? ' with a safe fix' : '';
  return against > 0
    ? `${found}; rejected: ${against}${which} at ${threshold.rejectAt} or worse`
    : `${found}; approved: none${which} at ${threshold.rejectAt} or worse`;
}
