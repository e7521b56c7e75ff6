import { SETTINGS_RULE, COMMENT_RULES } from '@devmesh/analysis/policy/apply-settings';
import type { ProjectReview } from '@devmesh/analysis/review/review-project';
import { MAX_SEEN_FINDINGS, type SeenFinding, type SeenFindings } from '@devmesh/contracts/finding-fate';
import type { Finding } from '@devmesh/contracts/finding';
import type { StateFindings } from '@devmesh/service-client/state-findings';

/** Where it is kept what became of findings. */
export type FatesPort = Pick<StateFindings, 'history' | 'record'>;

const OF_THE_REVIEW = new Set<string>([SETTINGS_RULE, ...COMMENT_RULES]);

/** What a review of a whole tree saw; undefined when it is more than is kept track of. */
export function seenIn({ findings, suppressed, off, incomplete }: ProjectReview): SeenFindings | undefined {
  const seen = (some: readonly Finding[], state: SeenFinding['state']): SeenFinding[] =>
    some
      .filter(({ rule }) => !OF_THE_REVIEW.has(rule))
      .map(({ fingerprint, rule, class: kind, severity, location }) => ({
        fingerprint,
        rule,
        class: kind,
        severity,
        path: location.path,
        state,
      }));
  const isUntold = ({ by }: ProjectReview['suppressed'][number]): boolean => by === 'silent-rule' || by === 'person';
  const all = [
    ...seen(findings, 'told'),
    ...seen([...suppressed.filter((one) => !isUntold(one)).map(({ finding }) => finding), ...off], 'suppressed'),
    ...seen(
      suppressed.filter(isUntold).map(({ finding }) => finding),
      'untold',
    ),
  ];
  const once = [...new Map(all.map((one) => [one.fingerprint, one])).values()];
  if (once.length > MAX_SEEN_FINDINGS || incomplete.length > MAX_SEEN_FINDINGS) return undefined;
  return { findings: once, unsure: [...incomplete] };
}
